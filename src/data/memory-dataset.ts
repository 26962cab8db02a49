/** A dataset whose rows can be had in any order: all in memory, or fetched by number. */
import { UserError } from '../errors.ts';
import { stream } from '../random/stream.ts';
import {
  type Batch,
  type BatchOptions,
  type Dataset,
  type Labels,
  type Rows,
  rowBytes,
  type Split,
  takeRows,
} from './rows.ts';
import { modelFields, type Schema } from './schema.ts';
import { createSplitter, type SplitOptions, splitIds } from './split.ts';

export type SplitRows = Readonly<Record<Split, Int32Array>>;

export interface RandomAccess {
  readonly name: string;
  readonly schema: Schema;
  readonly notes: readonly string[];
  readonly labels?: Labels | undefined;
  readonly unread?: Dataset['unread'];
  readonly ids: SplitRows;
  /** Rows by number: `index` says which rows of `rows` they are. */
  fetch(ids: Int32Array): Promise<Pick<Batch, 'rows' | 'index'>> | Pick<Batch, 'rows' | 'index'>;
  /** Rows to fetch at once, where that pays; otherwise those of a batch. */
  readonly ahead?: number;
}

const AHEAD = 2 ** 22; // bytes

/**
 * All rows are at hand. Those of a table are copied together in the order in which they are wanted, many batches at once: column
 * by column, while a column is near the processor. Picked out of all columns for each batch, nearly every value is one that the
 * processor waits for. The pixels of a picture lie together as they are.
 */
export function inMemory(schema: Schema, rows: Rows): Pick<RandomAccess, 'fetch' | 'ahead'> {
  const fields = modelFields(schema);
  if (fields.some(({ type }) => type === 'image'))
    return { fetch: (ids) => ({ rows, index: ids }), ahead: AHEAD / Int32Array.BYTES_PER_ELEMENT };
  return {
    fetch: (ids) => ({ rows: takeRows(fields, rows, ids), index: ids.map((_, i) => i) }),
    ahead: Math.floor(AHEAD / rowBytes(fields)),
  };
}

export function randomAccessDataset({
  name,
  schema,
  notes,
  labels,
  unread,
  ids,
  ...access
}: RandomAccess): Dataset {
  return {
    name,
    schema,
    notes,
    ...(labels && { labels }),
    ...(unread && { unread }),
    counts: { train: ids.train.length, validation: ids.validation.length, test: ids.test.length },
    batches: (options) => batches(ids[options.split], options, access),
    close: async () => {},
  };
}

async function* batches(
  ids: Int32Array,
  { batchSize, shuffle, skip = 0 }: BatchOptions,
  { fetch, ahead = batchSize }: Pick<RandomAccess, 'fetch' | 'ahead'>,
): AsyncGenerator<Batch> {
  checkBatchSize(batchSize);
  const order = shuffle && stream(shuffle.seed, 'shuffle', shuffle.epoch).permutation(ids.length);
  const stride = Math.max(1, Math.floor(ahead / batchSize)) * batchSize;
  for (let at = skip * batchSize; at < ids.length; at += stride) {
    const some = ids.slice(at, at + stride);
    if (order) for (let i = 0; i < some.length; i++) some[i] = ids[order[at + i]!]!; // Int32Array.from with a mapping is slower
    const { rows, index } = await fetch(some);
    for (let from = 0; from < some.length; from += batchSize) {
      const end = from + batchSize;
      yield { rows, index: index.subarray(from, end), ids: some.subarray(from, end) };
    }
  }
}

export function checkBatchSize(batchSize: number): void {
  if (!(Number.isInteger(batchSize) && batchSize >= 1))
    throw new UserError(`batch size ${batchSize}: expected a whole number from 1`);
}

/** Rows given for each split; a split that is not given is taken out of the training rows. */
export interface GivenCounts {
  readonly train: number;
  readonly validation?: number | undefined;
  readonly test?: number | undefined;
}

/** Shares for the splits that have no rows of their own. */
export const sharesFor = (given: GivenCounts, options: SplitOptions): SplitOptions => ({
  ...options,
  validation: given.validation === undefined ? options.validation : 0,
  test: given.test === undefined ? options.test : 0,
});

/** Row numbers: those of the training file first, then validation, then test. */
export function givenIds(given: GivenCounts, options: SplitOptions): SplitRows {
  const ids = splitIds(createSplitter(given.train, sharesFor(given, options)), given.train);
  const range = (first: number, count: number) => Int32Array.from({ length: count }, (_, i) => first + i);
  const { validation = 0, test } = given;
  return {
    train: ids.train,
    validation: given.validation === undefined ? ids.validation : range(given.train, validation),
    test: test === undefined ? ids.test : range(given.train + validation, test),
  };
}
