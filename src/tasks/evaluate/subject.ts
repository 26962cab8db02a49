/** The rows that are looked at more than once: all, or so many drawn at random, in memory. */
import { concatRows, type Dataset, modelFields, type Rows, type Split, takeRows } from '../../data/index.ts';
import type { Model } from '../model.ts';
import { countRows, drawnBatches } from '../rows.ts';

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
  const taken: Rows[] = [];
  const numbers: number[] = [];
  for await (const batch of drawnBatches(data, splits, { count: most, seed, batchSize: READ })) {
    taken.push(takeRows(fields, batch.rows, batch.index));
    numbers.push(...batch.ids);
  }
  const [rows, ids] = [concatRows(fields, taken), Float64Array.from(numbers)];
  return { rows, ids, count: ids.length, of: countRows(data, splits), data: asDataset(data, rows, ids) };
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
