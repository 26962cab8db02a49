/** Rows of a dataset brought to a model: which split, how many, in which batches. */
import type { Batch, Dataset, Split } from '../data/index.ts';
import { UserError } from '../errors.ts';
import type { Model } from './model.ts';
import { openData, splitOf } from './open.ts';

export type SplitName = Split | 'all';

export interface RowOptions {
  /** Of the data the model was trained on; other data is taken whole. */
  readonly split?: SplitName;
  /** Only so many rows. */
  readonly count?: number;
}

/** Opens `path` with the model's own schema and split. */
export const openFor = (model: Model, path: string): Promise<Dataset> =>
  openData(path, splitOf(model.config), model.schema);

/** Whether this is, by its row counts, the data that the model was trained on. */
export const isTrainingData = (model: Model, { counts }: Dataset): boolean => {
  const known = model.file?.training.rows;
  return !known || Object.entries(counts).every(([split, n]) => known[split] === n);
};

const SPLITS: readonly Split[] = ['train', 'validation', 'test'];

/** The splits that `split` means for this data. */
export function splitsFor(model: Model, data: Dataset, split: SplitName): readonly Split[] {
  if (split === 'all' || !isTrainingData(model, data)) return SPLITS;
  if (data.counts[split] === 0)
    throw new UserError(`${data.name} has no ${split} rows: choose another --split`);
  return [split];
}

export const countRows = (data: Dataset, splits: readonly Split[]): number =>
  splits.reduce((n, split) => n + data.counts[split], 0);

/** Batches of the splits, one after the other, up to `count` rows. */
export async function* batchesOf(
  data: Dataset,
  splits: readonly Split[],
  batchSize: number,
  count = Number.POSITIVE_INFINITY,
): AsyncGenerator<Batch> {
  let left = count;
  for (const split of splits) {
    if (left <= 0) return;
    for await (const batch of data.batches({ split, batchSize })) {
      const n = Math.min(left, batch.index.length);
      yield n === batch.index.length
        ? batch
        : { ...batch, index: batch.index.subarray(0, n), ids: batch.ids.subarray(0, n) };
      left -= n;
      if (left <= 0) return;
    }
  }
}
