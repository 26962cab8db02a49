/** Rows of a dataset brought to a model: which split, how many, in which batches. */
import {
  type Batch,
  concatRows,
  type Dataset,
  modelFields,
  type Rows,
  type Split,
  takeRows,
} from '../data/index.ts';
import { UserError } from '../errors.ts';
import { stream } from '../random/index.ts';
import type { Model } from './model.ts';
import { openData, splitOf } from './open.ts';
import { startOf } from './resume.ts';

export type SplitName = Split | 'all';

export interface RowOptions {
  /** Of the data the model was trained on; other data is taken whole. */
  readonly split?: SplitName;
  /** Only so many rows. */
  readonly count?: number;
}

/** A dataset that was opened for a model. */
export interface Opened extends Dataset {
  /** Whether it is known not to be that which the model was trained on. */
  readonly isOther?: boolean;
}

/** Opens `path` with the model's own schema, and its split where this is the data it was trained on; other data has all its rows. */
export async function openFor(model: Model, path: string): Promise<Opened> {
  const own = splitOf(model.config);
  const data = await openLabelled(model, path, own);
  const isLike = isTrainingData(model, data);
  if (isLike ? await beginsLike(model, data) : own.limit === undefined) return data;
  await data.close();
  return { ...(await openWhole(model, path)), isOther: true };
}

/** The rows that `split` means; all of them are in the order of the file. */
export async function openRows(
  model: Model,
  path: string,
  split: SplitName,
): Promise<{ readonly data: Dataset; readonly splits: readonly Split[] }> {
  if (split !== 'all') {
    const data = await openFor(model, path);
    if (data.isOther || isTrainingData(model, data)) return { data, splits: splitsFor(model, data, split) };
    await data.close();
  }
  return { data: await openWhole(model, path), splits: SPLITS };
}

/** All rows in one split, in the order of the file, but those that the data itself has for a test. */
function openWhole(model: Model, path: string): Promise<Dataset> {
  const { splitSeed, label } = splitOf(model.config);
  return openLabelled(model, path, { splitSeed, label, validation: 0, test: 0 });
}

/** With the label that plots are coloured by where the data has it: no more than plots need it. */
const openLabelled = (
  { schema }: Model,
  path: string,
  options: Partial<ReturnType<typeof splitOf>>,
): Promise<Dataset> =>
  openData(path, options, schema).catch((error: unknown) => {
    if (options.label === undefined) throw error;
    return openData(path, { ...options, label: undefined }, schema);
  });

/** Refuses what is no number of rows. */
export function checkCount(count: number | undefined): void {
  if (count !== undefined && !(Number.isInteger(count) && count >= 1))
    throw new UserError(`count ${count}: expected a whole number from 1`);
}

/**
 * Whether this is, by its row counts, the data that the model was trained on; where validation or test rows came from a file of
 * their own, it has none.
 */
export const isTrainingData = ({ file, config }: Model, { counts, isOther = false }: Opened): boolean => {
  const known = file?.training.rows;
  if (isOther || !known) return !isOther;
  const isApart = (split: string) => split !== 'train' && config[split as 'validation' | 'test'] === 0;
  return Object.entries(counts).every(([split, n]) => known[split] === n || (n === 0 && isApart(split)));
};

/** Whether it begins with the same rows; of models from before this was kept, nothing is known. */
const beginsLike = async ({ file, codec }: Model, data: Dataset): Promise<boolean> =>
  file?.training.start === undefined || (await startOf(data, codec)) === file.training.start;

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];

/** The splits that `split` means for this data. */
export function splitsFor(model: Model, data: Dataset, split: SplitName): readonly Split[] {
  if (split !== 'all' && !SPLITS.includes(split))
    throw new UserError(`split "${split}": expected train, validation, test or all`);
  if (split === 'all' || !isTrainingData(model, data)) return SPLITS;
  if (data.counts[split] === 0)
    throw new UserError(`${data.name} has no ${split} rows: choose another --split`);
  return [split];
}

export const countRows = (data: Dataset, splits: readonly Split[]): number =>
  splits.reduce((n, split) => n + data.counts[split], 0);

/** Batches of the splits, one after the other, up to `count` rows. */
export const batchesOf = (
  data: Dataset,
  splits: readonly Split[],
  batchSize: number,
  count = Number.POSITIVE_INFINITY,
): AsyncGenerator<Batch> => firstOf(allOf(data, splits, batchSize), count);

async function* allOf(data: Dataset, splits: readonly Split[], batchSize: number): AsyncGenerator<Batch> {
  for (const split of splits) yield* data.batches({ split, batchSize });
}

async function* firstOf(batches: AsyncIterable<Batch>, count: number): AsyncGenerator<Batch> {
  let left = count;
  if (left <= 0) return;
  for await (const batch of batches) {
    const n = Math.min(left, batch.index.length);
    yield { ...batch, index: batch.index.subarray(0, n), ids: batch.ids.subarray(0, n) };
    left -= n;
    if (left <= 0) return;
  }
}

/** `count` rows of the splits, from each its share, drawn by the seed; all of them in their order where there are no more. */
export async function* drawnBatches(
  data: Dataset,
  splits: readonly Split[],
  { count, seed, batchSize }: { readonly count: number; readonly seed: number; readonly batchSize: number },
): AsyncGenerator<Batch> {
  let behind = countRows(data, splits);
  let left = Math.min(count, behind);
  for (const split of splits) {
    const wanted = Math.round((left * data.counts[split]) / Math.max(1, behind));
    left -= wanted;
    behind -= data.counts[split];
    if (wanted > 0) yield* drawnOf(data, split, wanted, seed, batchSize);
  }
}

function drawnOf(
  data: Dataset,
  split: Split,
  count: number,
  seed: number,
  batchSize: number,
): AsyncIterable<Batch> {
  if (count === data.counts[split]) return data.batches({ split, batchSize });
  if (data.streamed) return chosen(data, split, count, seed, batchSize);
  return firstOf(data.batches({ split, batchSize, shuffle: { seed, epoch: 0 } }), count);
}

/** Each row in turn, with the chance that the rest of those wanted have among the rest of those there (Knuth, TAOCP 3.4.2, S). */
async function* chosen(
  data: Dataset,
  split: Split,
  count: number,
  seed: number,
  batchSize: number,
): AsyncGenerator<Batch> {
  const fields = modelFields(data.schema);
  const random = stream(seed, 'rows');
  let [wanted, there] = [count, data.counts[split]];
  let taken: Rows[] = [];
  let numbers: number[] = [];
  for await (const { rows, index, ids } of data.batches({ split, batchSize })) {
    const places = [...index.keys()].filter(() => random.integer(there--) < wanted && wanted-- > 0);
    taken.push(
      takeRows(
        fields,
        rows,
        places.map((i) => index[i]!),
      ),
    );
    numbers.push(...places.map((i) => ids[i]!));
    if (numbers.length < batchSize && wanted > 0) continue;
    yield {
      rows: concatRows(fields, taken),
      index: Int32Array.from(numbers, (_, i) => i),
      ids: Float64Array.from(numbers),
    };
    if (wanted === 0) return;
    [taken, numbers] = [[], []];
  }
}
