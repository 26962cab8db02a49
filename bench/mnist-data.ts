/** MNIST as the product's own pipeline reads it: binarised anew at every training step, once for the test pictures. */
import { fixedSource, trainingSource } from '../src/tasks/source.ts';
import type { BatchSource } from '../src/train/index.ts';
import type { Vae } from '../src/vae/index.ts';
import { openSource } from './sources.ts';
import { vaeOf, workloads } from './workloads.ts';

export const BATCH = 128;
/** Binarises the test pictures, whatever the seed of the training. */
const TEST_SEED = 12345;

/** The models that are trained on it to the end. */
export const modelNames = ['mlp', 'conv'] as const;
export type ModelName = (typeof modelNames)[number];

export interface Mnist {
  readonly vae: (name: ModelName) => Vae;
  /** All 60,000, in an order that the seed gives. */
  readonly train: (seed: number) => BatchSource;
  /** All 10,000. */
  readonly test: BatchSource;
}

export async function openMnist(): Promise<Mnist> {
  const { data, codec } = await openSource('digits');
  return {
    vae: (name) => vaeOf(workloads[name], codec),
    train: (seed) => trainingSource(data, codec, { batchSize: BATCH, seed }),
    test: fixedSource(data, codec, BATCH, TEST_SEED, 'test'),
  };
}
