/** ONNX Runtime on Node: native, multi-threaded, reading and writing our buffers without a copy. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import ort from 'onnxruntime-node';
import { type Engine, type EngineSession, openSession } from './adapt.ts';
import type { Runtime } from './session.ts';

const MOST_THREADS = 16; // steps are too short to keep more busy

/** `threads` defaults to the number of physical cores, up to 16. */
export function nodeRuntime({ threads = physicalCores() }: { threads?: number } = {}): Runtime {
  ort.env.logLevel = 'fatal'; // what goes wrong is thrown; nothing else is printed
  const options = {
    intraOpNumThreads: threads,
    logSeverityLevel: 4,
    // live sessions whose threads keep spinning slow each other down up to fourfold
    extra: { session: { force_spinning_stop: '1' } },
  } as const;
  const engine: Engine = {
    tensor: (type, data, dims) => new ort.Tensor(type as 'float32', data as Float32Array, dims),
    fillsFetches: true,
  };
  return {
    kind: 'node',
    threads,
    session: (model, { profile } = {}) => {
      const profiling = profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile };
      const create = () =>
        ort.InferenceSession.create(model, { ...options, ...profiling }) as Promise<unknown>;
      return openSession(engine, create as () => Promise<EngineSession>, profile !== undefined);
    },
  };
}

/** Two threads on one core only get in each other's way in matrix products. */
function physicalCores(): number {
  const cores = availableParallelism() / (simultaneousThreads() ? 2 : 1);
  return Math.max(1, Math.min(MOST_THREADS, Math.floor(cores)));
}

function simultaneousThreads(): boolean {
  if (process.platform !== 'linux') return process.arch === 'x64';
  try {
    return readFileSync('/sys/devices/system/cpu/smt/active', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
