/** Datasets as the batch sources that training and evaluation read. */
import type { Batch, Codec, Dataset, Draw, Split } from '../data/index.ts';
import { stream } from '../random/index.ts';
import type { BatchArrays, BatchSource, Minibatch } from '../train/index.ts';

/** Writes a batch in model space: what the model has of mask and condition with it. */
export function encodeInto(
  codec: Codec,
  batch: Batch,
  { x, mask, condition }: BatchArrays,
  draw?: Draw,
): void {
  const out = { x, ...(codec.masked && { mask }), ...(codec.conditionSize > 0 && { condition }) };
  codec.encode(batch, out, draw);
}

function minibatch(batch: Batch, codec: Codec, drawAt: (step: number) => Draw): Minibatch {
  return {
    count: batch.index.length,
    fill: (into, step) => encodeInto(codec, batch, into, drawAt(step)),
  };
}

async function* map<A, B>(items: AsyncIterable<A>, f: (item: A) => B): AsyncGenerator<B> {
  for await (const item of items) yield f(item);
}

/** Training rows in a new order each epoch, whatever is random about them drawn afresh each step. */
export function trainingSource(data: Dataset, codec: Codec, batchSize: number, seed: number): BatchSource {
  const drawAt = (step: number): Draw => ({ kind: 'step', stream: stream(seed, 'encode', step) });
  return {
    rows: data.counts.train,
    batches: (epoch, skip) =>
      map(data.batches({ split: 'train', batchSize, shuffle: { seed, epoch }, skip }), (b) =>
        minibatch(b, codec, drawAt),
      ),
  };
}

/** The rows of a split in order, whatever is random about them fixed for each row by the seed. */
export function fixedSource(
  data: Dataset,
  codec: Codec,
  batchSize: number,
  seed: number,
  split: Split,
): BatchSource {
  return {
    rows: data.counts[split],
    batches: (_, skip) =>
      map(data.batches({ split, batchSize, skip }), (b) =>
        minibatch(b, codec, () => ({ kind: 'row', seed })),
      ),
  };
}
