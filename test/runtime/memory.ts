/** Memory of this process while it trains a small linear model through the arena, and while sessions come and go. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { adam, openKernels, runsOf } from '../../src/optim/index.ts';
import { stream } from '../../src/random/index.ts';
import { createArena, type Session } from '../../src/runtime/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { linearStep } from './model.ts';

export interface Sample {
  /** Steps or sessions done. */
  readonly done: number;
  /** Bytes. */
  readonly rss: number;
  readonly heap: number;
}

const BATCH = 32;
const FEATURES = 64;
const WIDTH = 16;

/** Memory at each tenth of `steps` steps. */
export async function trainAndSample(steps: number): Promise<Sample[]> {
  const arena = createArena([FEATURES * WIDTH], 4);
  const kernels = openKernels(arena.memory);
  const block = {
    params: arena.byteOffset(0),
    grads: arena.byteOffset(1),
    slots: [arena.byteOffset(2), arena.byteOffset(3)],
    runs: runsOf(arena.offsets, arena.size, [true]),
  };
  const optimizer = adam();
  const x = { data: new Float32Array(BATCH * FEATURES), dims: [BATCH, FEATURES] };
  const w = { data: arena.view(0, 0), dims: [FEATURES, WIDTH] };
  const outputs = {
    loss: { data: new Float32Array(1), dims: [1, 1] },
    dw: { data: arena.view(1, 0), dims: [FEATURES, WIDTH] },
  };
  stream(1, 'params').normal(w.data);
  const session = await nodeRuntime({ threads: 1 }).session(linearStep(FEATURES, WIDTH));
  const call = session.bind({ x, w }, outputs);
  const samples: Sample[] = [];
  for (let step = 1; step <= steps; step++) {
    stream(1, 'x', step).normal(x.data);
    await call();
    optimizer.update(kernels, block, step, 1e-3);
    if (step % Math.ceil(steps / 10) === 0) samples.push(sample(step));
  }
  await session.dispose();
  return samples;
}

/**
 * Memory after each tenth of `count` sessions created, used once and disposed. Each holds half a megabyte while it lives and all
 * stay referenced, so that it is `dispose` that frees them and not the garbage collector.
 */
export async function createAndSample(count: number): Promise<Sample[]> {
  const runtime = nodeRuntime({ threads: 2 });
  const model = linearStep(FEATURES, WIDTH);
  const x = { data: new Float32Array(64 * BATCH * FEATURES), dims: [64 * BATCH, FEATURES] };
  const w = { data: new Float32Array(FEATURES * WIDTH), dims: [FEATURES, WIDTH] };
  const sessions: Session[] = [];
  const samples: Sample[] = [];
  for (let done = 1; done <= count; done++) {
    const session = await runtime.session(model);
    await session.run({ x, w });
    await session.dispose();
    sessions.push(session);
    if (done % Math.ceil(count / 10) === 0) samples.push(sample(done));
  }
  return samples;
}

setFlagsFromString('--expose-gc');
/** Taken once: each context that is made for it would itself stay for a while. */
const collect = runInNewContext('gc') as () => void;

/** After a garbage collection, so that only what is held counts. */
function sample(done: number): Sample {
  collect();
  const { rss, heapUsed } = process.memoryUsage();
  return { done, rss, heap: heapUsed };
}
