/** Random streams and optimiser steps as bits: Node and the browser run this and must give the same. */
import {
  adamW,
  averageParams,
  clipGlobalNorm,
  type Optimizer,
  openKernels,
  runsOf,
  sgd,
} from '../../src/optim/index.ts';
import { stream } from '../../src/random/index.ts';
import { createArena } from '../../src/runtime/index.ts';

export interface Numbers {
  readonly bits: Record<string, number[]>;
  readonly norms: number[];
}

const bitsOf = (x: Float32Array): number[] => [...new Uint32Array(x.slice().buffer)];

export default async function numbers(seed: number): Promise<Numbers> {
  const bits: Record<string, number[]> = {};
  const norms: number[] = [];
  for (const kind of ['uniform', 'normal', 'gumbel'] as const) {
    const out = new Float32Array(10_001);
    stream(seed, kind, 7)[kind](out);
    bits[kind] = bitsOf(out);
  }
  bits['permutation'] = [...stream(seed, 'order').permutation(5000)];
  const optimizers = { adamW: adamW({ weightDecay: 0.1 }), sgd: sgd({ momentum: 0.9, nesterov: true }) };
  for (const [name, optimizer] of Object.entries(optimizers)) bits[name] = train(seed, optimizer, norms);
  return { bits, norms };
}

/** Some clipped steps on random gradients; the bits of the parameters and their average. */
function train(seed: number, optimizer: Optimizer, norms: number[]): number[] {
  const arena = createArena([300, 20], 3 + optimizer.slots);
  const kernels = openKernels(arena.memory);
  const block = {
    params: arena.byteOffset(0),
    grads: arena.byteOffset(1),
    slots: Array.from({ length: optimizer.slots }, (_, i) => arena.byteOffset(3 + i)),
    runs: runsOf(arena.offsets, arena.size, [true, false]),
  };
  stream(seed, 'params').normal(arena.whole(0));
  for (let step = 1; step <= 30; step++) {
    stream(seed, 'grads', step).normal(arena.whole(1));
    norms.push(clipGlobalNorm(kernels, block, 1));
    optimizer.update(kernels, block, step, 1e-2);
    averageParams(kernels, block, arena.byteOffset(2), { step, decay: 0.99 });
  }
  return [...bitsOf(arena.whole(0)), ...bitsOf(arena.whole(2))];
}
