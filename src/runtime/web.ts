/** ONNX Runtime in a web page or worker: WebAssembly with SIMD and threads, or WebGPU. */
import { type Engine, type EngineSession, openSession } from './adapt.ts';
import type { Runtime, Session, SessionOptions } from './session.ts';

export interface WebOptions {
  /** Above 1 only where the page is cross-origin isolated (COOP and COEP headers). Defaults to the cores, up to 4. */
  readonly threads?: number;
  /** URL prefix under which the page serves the ort-wasm-* files of onnxruntime-web. Defaults to beside the script. */
  readonly wasmPaths?: string;
  readonly provider?: 'wasm' | 'webgpu';
}

/** Nothing is loaded until the first session. One page has one thread count and path: the engine is global there. */
export function webRuntime({
  threads = webThreads(),
  wasmPaths,
  provider = 'wasm',
}: WebOptions = {}): Runtime {
  const open = async (model: Uint8Array, { profile }: SessionOptions = {}): Promise<Session> => {
    const ort =
      provider === 'webgpu' ? await import('onnxruntime-web/webgpu') : await import('onnxruntime-web/wasm');
    ort.env.logLevel = 'fatal';
    ort.env.wasm.numThreads = threads;
    if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
    const engine: Engine = {
      tensor: (type, data, dims) => new ort.Tensor(type as 'float32', data as Float32Array, dims),
      fillsFetches: false,
    };
    const options = {
      executionProviders: [provider],
      logSeverityLevel: 4,
      enableProfiling: profile !== undefined,
    } as const;
    const create = () => ort.InferenceSession.create(model, options) as Promise<unknown>;
    return openSession(engine, create as () => Promise<EngineSession>, profile !== undefined);
  };
  return { kind: 'web', threads, session: open };
}

function webThreads(): number {
  const { crossOriginIsolated, navigator } = globalThis as {
    crossOriginIsolated?: boolean;
    navigator?: { hardwareConcurrency?: number };
  };
  return crossOriginIsolated ? Math.min(4, navigator?.hardwareConcurrency ?? 1) : 1;
}
