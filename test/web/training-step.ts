/** Fifty steps of two small models: what Node and the browser should agree on. */
import type { Runtime } from '../../src/runtime/index.ts';
import { webRuntime } from '../../src/runtime/web.ts';
import { createVae } from '../../src/vae/index.ts';
import { lossesOf, pictureSpec, rowSpec, run, source } from '../train/toy.ts';

/** Losses of each step, by model. */
export type Curves = Readonly<Record<string, readonly number[]>>;

export async function trainingLosses(runtime: Runtime): Promise<Curves> {
  const curves: Record<string, readonly number[]> = {};
  for (const [name, spec] of Object.entries({ mlp: rowSpec, conv: pictureSpec })) {
    const train = source(spec, 250, 25); // 10 steps an epoch
    curves[name] = lossesOf(await run({ runtime, vae: createVae(spec), batchSize: 25, train, epochs: 5 }));
  }
  return curves;
}

const inBrowser = (wasmPaths: string): Promise<Curves> =>
  trainingLosses(webRuntime({ wasmPaths, threads: 1 }));
export default inBrowser;
