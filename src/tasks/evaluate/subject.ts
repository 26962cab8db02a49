/** The rows that are looked at more than once: all, or so many drawn at random, in memory. */
import {
  type Batch,
  concatRows,
  type Dataset,
  modelFields,
  type Rows,
  type Split,
  takeRows,
} from '../../data/index.ts';
import type { Model } from '../model.ts';
import { countRows } from '../rows.ts';

export interface Subject {
  readonly rows: Rows;
  /** Number of each row in the whole data. */
  readonly ids: Float64Array;
  /** The same rows as a dataset: all are in its test split. */
  readonly data: Dataset;
  readonly count: number;
  /** Rows that these were drawn from. */
  readonly of: number;
}

/** At most `most` rows of the splits, from each its share, drawn by the seed. */
export async function drawSubject(
  { schema }: Model,
  data: Dataset,
  splits: readonly Split[],
  { most, seed }: { readonly most: number; readonly seed: number },
): Promise<Subject> {
  const fields = modelFields(schema);
  const of = countRows(data, splits);
  const parts: Batch[] = [];
  let left = Math.min(most, of);
  let behind = of;
  for (const split of splits) {
    const wanted = Math.round((left * data.counts[split]) / Math.max(1, behind));
    parts.push(...(await some(data, split, wanted, seed)));
    left -= wanted;
    behind -= data.counts[split];
  }
  const taken = parts.map(({ rows, index }) => takeRows(fields, rows, index));
  const ids = Float64Array.from(parts.flatMap((part) => [...part.ids]));
  const rows = concatRows(fields, taken);
  return { rows, ids, count: ids.length, of, data: asDataset(data, rows, ids) };
}

const asDataset = ({ name, schema, notes }: Dataset, rows: Rows, ids: Float64Array): Dataset => ({
  name,
  schema,
  notes,
  counts: { train: 0, validation: 0, test: ids.length },
  batches: async function* ({ batchSize }) {
    for (let at = 0; at < ids.length; at += batchSize) {
      const own = ids.subarray(at, at + batchSize);
      yield { rows, index: Int32Array.from(own, (_, i) => at + i), ids: own };
    }
  },
  close: async () => {},
});

const READ = 500;

/** The first so many rows, of a shuffled order unless all are wanted. */
async function some(data: Dataset, split: Split, count: number, seed: number): Promise<Batch[]> {
  if (count === 0) return [];
  const shuffle = count < data.counts[split] ? { shuffle: { seed, epoch: 0 } } : {};
  const parts: Batch[] = [];
  let left = count;
  for await (const { rows, index, ids } of data.batches({ split, batchSize: READ, ...shuffle })) {
    const n = Math.min(left, index.length);
    parts.push({ rows, index: index.slice(0, n), ids: ids.slice(0, n) });
    left -= n;
    if (left === 0) break;
  }
  return parts;
}

/** "1,000 of 10,000 rows drawn at random (--rows 10000 takes all)". */
export const rowsInWords = ({ count, of }: Subject): string =>
  count < of
    ? `${count.toLocaleString('en')} of ${of.toLocaleString('en')} rows, drawn at random (--rows ${of} takes all)`
    : `${count.toLocaleString('en')} rows`;

/** How far an evaluation is. */
export interface EvaluateProgress {
  /** What is being measured. */
  readonly stage: string;
  readonly done: number;
  readonly total: number;
}
export type Tell = (progress: EvaluateProgress) => void;
