/** Rows in memory, batches of them, and what every dataset offers whatever its format. */
import type { ModelField, Schema } from './schema.ts';

/**
 * Number, integer, date: Float64Array, NaN = missing. Boolean, category: Int32Array, −1 = missing. Image:
 * Uint8Array [n, H, W, C].
 */
export type Column = Float64Array | Int32Array | Uint8Array;

/** `columns` run parallel to `modelFields(schema)`; `rowObjects` makes objects of them. */
export interface Rows {
  readonly count: number;
  readonly columns: readonly Column[];
}

export interface Batch {
  readonly rows: Rows;
  /** Which rows of `rows` are in the batch. */
  readonly index: Int32Array;
  /** Number of each row in the whole dataset: the same in every run. */
  readonly ids: Float64Array | Int32Array;
}

export type Split = 'train' | 'validation' | 'test';
export type Counts = Readonly<Record<Split, number>>;

/** What to colour rows by. */
export interface Labels {
  readonly name: string;
  readonly names: readonly string[];
  /** By row id; −1 = none. */
  readonly codes: Int32Array;
}

/** What made the rows differ, where it is known: a factor of variation. */
export interface Factor {
  readonly name: string;
  /** Whether its values are amounts; otherwise they stand for names. */
  readonly ordered: boolean;
  /** By row id; NaN = not known. */
  readonly values: Float64Array;
}

export interface BatchOptions {
  split: Split;
  batchSize: number;
  /** Left out: in the order of the data. */
  shuffle?: { seed: number; epoch: number };
  /** Batches already done: the rest is exactly what would have followed. */
  skip?: number;
}

export interface Dataset {
  readonly name: string;
  readonly schema: Schema;
  readonly counts: Counts;
  /** Findings in plain words: bad rows, missing values, columns left out. */
  readonly notes: readonly string[];
  readonly labels?: Labels;
  readonly factors?: readonly Factor[];
  /** Lines that are left out because they cannot be read, and values of p(x|z) that are there but not understood and count as missing. */
  readonly unread?: { readonly lines: number; readonly values: number };
  /** Whether rows are read anew from files, in whose order they come: shuffled, each stays near its place. */
  readonly streamed?: boolean;
  batches(options: BatchOptions): AsyncIterable<Batch>;
  close(): Promise<void>;
}

/** Numbers that one row of this field occupies in its column. */
export const cellSize = (field: ModelField): number =>
  field.type === 'image' ? field.height * field.width * field.channels : 1;

/** An empty column of `count` rows. */
export function newColumn(field: ModelField, count: number): Column {
  if (field.type === 'image') return new Uint8Array(count * cellSize(field));
  return field.type === 'category' || field.type === 'boolean'
    ? new Int32Array(count)
    : new Float64Array(count);
}

/** Bytes that a row takes in memory. */
export const rowBytes = (fields: readonly ModelField[]): number =>
  fields.reduce((sum, field) => sum + newColumn(field, 1).byteLength, 0);

/** All rows of several parts in one. */
export function concatRows(fields: readonly ModelField[], parts: readonly Rows[]): Rows {
  if (parts.length === 1) return parts[0]!;
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const columns = fields.map((field, j) => {
    const out = newColumn(field, count);
    let at = 0;
    for (const part of parts) {
      out.set(part.columns[j]!, at);
      at += part.columns[j]!.length;
    }
    return out;
  });
  return { count, columns };
}

/** The rows of a batch by themselves, copied. */
export function takeRows(fields: readonly ModelField[], rows: Rows, index: ArrayLike<number>): Rows {
  const columns = fields.map((field) => newColumn(field, index.length));
  copyRows(fields, rows, index, columns);
  return { count: index.length, columns };
}

/** Copies the rows of a batch to the front of columns of the same kinds. */
export function copyRows(
  fields: readonly ModelField[],
  rows: Rows,
  index: ArrayLike<number>,
  to: readonly Column[],
): void {
  for (const [j, field] of fields.entries()) {
    const [from, out] = [rows.columns[j]!, to[j]!];
    const size = cellSize(field);
    if (size === 1) for (let i = 0; i < index.length; i++) out[i] = from[index[i]!]!;
    else
      for (let i = 0; i < index.length; i++)
        out.set(from.subarray(index[i]! * size, (index[i]! + 1) * size), i * size);
  }
}
