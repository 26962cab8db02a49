/** Datasets as the batch sources that training and evaluation read. */
import type { Batch, Codec, Dataset, Split } from '../data/index.ts';
import type { BatchArrays, BatchSource, Minibatch } from '../train/index.ts';
import { type Assembler, type AssemblerOptions, createAssembler } from './assembly.ts';
import { copyBatch, drawAt, encodeInto, widthsOf } from './encoding.ts';

export interface TrainingOptions extends AssemblerOptions {
  /** Above 1 batches may be put together on a thread of their own. */
  readonly threads?: number;
}

/** Training rows in a new order each epoch. `close` when no batch is wanted any more. */
export function trainingSource(
  data: Dataset,
  codec: Codec,
  { threads = 1, ...options }: TrainingOptions,
): BatchSource & { close(): Promise<void> } {
  const { batchSize, seed } = options;
  const assembler = threads > 1 ? createAssembler(data.schema, codec, options) : undefined;
  const alone = (batch: Batch): Minibatch => ({
    count: batch.index.length,
    fill: (into, step) => encodeInto(codec, batch, into, drawAt(seed, step)),
  });
  const beside =
    ({ begin, fill }: Assembler) =>
    (batch: Batch, next: Batch | undefined): Minibatch => ({
      count: batch.index.length,
      fill: (into, step) => fill(batch, step, into),
      ...(next && { prepare: (step) => begin(next, step) }),
    });
  return {
    rows: data.counts.train,
    batches: (epoch, skip) => {
      const rows = data.batches({ split: 'train', batchSize, shuffle: { seed, epoch }, skip });
      return assembler ? withNext(rows, beside(assembler)) : map(rows, alone);
    },
    close: async () => assembler?.close(),
  };
}

/** Each item with the one that comes after it. */
async function* withNext<A, B>(
  items: AsyncIterable<A>,
  f: (item: A, next: A | undefined) => B,
): AsyncGenerator<B> {
  let before: A | undefined;
  for await (const item of items) {
    if (before !== undefined) yield f(before, item);
    before = item;
  }
  if (before !== undefined) yield f(before, undefined);
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
      map(data.batches({ split, batchSize, skip }), (batch) => ({
        count: batch.index.length,
        fill: (into) => encodeInto(codec, batch, into, { kind: 'row', seed }),
      })),
  };
}

/** Bytes of rows in model space that are kept for the next epoch. */
const MOST_KEPT = 2 ** 26;

/** A fixed source whose batches are put together once, where all of them take no more than `most` bytes. */
export function keptSource(source: BatchSource, codec: Codec, most = MOST_KEPT): BatchSource {
  const widths = widthsOf(codec);
  if (4 * source.rows * (widths.x + widths.mask + widths.condition) > most) return source;
  const keep = ({ count, fill }: Minibatch): Minibatch => {
    const made: BatchArrays = {
      x: new Float32Array(count * widths.x),
      mask: new Float32Array(count * widths.mask),
      condition: new Float32Array(count * widths.condition),
    };
    fill(made, 0);
    return { count, fill: (into) => copyBatch(made, into, count, widths) };
  };
  let kept: readonly Minibatch[] | undefined;
  return {
    rows: source.rows,
    batches: async function* (epoch, skip) {
      kept ??= await collect(map(source.batches(epoch, 0), keep));
      yield* kept.slice(skip);
    },
  };
}

async function collect<A>(items: AsyncIterable<A>): Promise<A[]> {
  const all: A[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* map<A, B>(items: AsyncIterable<A>, f: (item: A) => B): AsyncGenerator<B> {
  for await (const item of items) yield f(item);
}
