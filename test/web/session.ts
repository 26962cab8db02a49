/** The web runtime end to end: load, run, bind to an arena, fail by name, dispose. */
import { createArena } from '../../src/runtime/index.ts';
import { webRuntime } from '../../src/runtime/web.ts';
import { anyProduct, linearStep } from '../runtime/model.ts';

export interface Report {
  readonly isolated: boolean;
  readonly threads: number;
  readonly inputs: readonly string[];
  readonly run: number[];
  /** Loss and gradients after each of two bound calls, the second with changed weights. */
  readonly bound: number[][];
  readonly failures: string[];
}

export default async function session(wasmPaths: string): Promise<Report> {
  const runtime = webRuntime({ wasmPaths, threads: 2 });
  const arena = createArena([4], 2);
  const x = { data: Float32Array.of(1, 2, 3, 4), dims: [2, 2] };
  const w = { data: arena.view(0, 0), dims: [2, 2] };
  const dw = { data: arena.view(1, 0), dims: [2, 2] };
  const loss = { data: new Float32Array(1), dims: [1, 1] };
  w.data.set([1, 0, 0, 10]);
  const step = await runtime.session(linearStep(2, 2));
  const run = await step.run({ x, w }, ['dw']);
  const call = step.bind({ x, w }, { loss, dw });
  const bound: number[][] = [];
  for (const factor of [1, 2]) {
    w.data.set(w.data.map((v) => v * factor));
    await call();
    bound.push([...loss.data, ...dw.data]);
  }
  const short = step.bind({ x, w }, { dw: { data: new Float32Array(2), dims: [1, 2] } });
  const product = await runtime.session(anyProduct());
  const misfit = { a: x, b: { data: new Float32Array(6), dims: [3, 2] } };
  const failures = [await failure(short), await failure(() => product.run(misfit))];
  await Promise.all([step.dispose(), product.dispose()]);
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true;
  return {
    isolated,
    threads: runtime.threads,
    inputs: step.inputs,
    run: [...(run['dw']!.data as Float32Array)],
    bound,
    failures,
  };
}

const failure = (f: () => Promise<unknown>): Promise<string> =>
  f().then(
    () => 'none',
    (e: Error) => e.message,
  );
