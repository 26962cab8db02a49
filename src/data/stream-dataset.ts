/**
 * A table larger than memory: read from the files again each epoch, in their order, through a shuffle
 * buffer.
 */
import { type Stream, stream } from '../random/stream.ts';
import { checkBatchSize, sharesFor } from './memory-dataset.ts';
import type { Settings } from './options.ts';
import {
  type Batch,
  type BatchOptions,
  type Column,
  type Dataset,
  type Labels,
  newColumn,
  rowBytes,
  type Split,
} from './rows.ts';
import { type ModelField, modelFields, type Schema } from './schema.ts';
import { createSplitter, SPLITS, type Splitter } from './split.ts';
import type { TableFile } from './table.ts';
import { readable, selectFields } from './table-read.ts';

export interface StreamedTable {
  readonly name: string;
  readonly schema: Schema;
  readonly notes: readonly string[];
  readonly labels?: Labels | undefined;
  readonly unread: NonNullable<Dataset['unread']>;
  readonly files: { train: TableFile; validation: TableFile | undefined; test: TableFile | undefined };
  readonly settings: Settings;
  close(): void;
}

/** One file of the dataset and which of its rows belong where. */
interface Part {
  readonly file: TableFile;
  readonly first: number;
  readonly splitter: Splitter | undefined;
  readonly split: Split;
}

const LARGEST = 2 ** 34; // bytes that one typed array can view

export function streamDataset(table: StreamedTable): Dataset {
  const { name, schema, notes, labels, unread, settings } = table;
  const parts = partsOf(table);
  const fields = modelFields(schema);
  const wanted = Math.floor(settings.memory / 2 / (rowBytes(fields) + 8));
  const capacity = Math.max(1, Math.min(wanted, Math.floor(LARGEST / packedBytes(fields))));
  const counts = { train: 0, validation: 0, test: 0 };
  for (const part of parts) for (const split of SPLITS) counts[split] += rowsOf(part, split);
  return {
    name,
    schema,
    notes: [...notes, `${name} is larger than the memory given to it and is read again in each epoch.`],
    ...(labels && { labels }),
    counts,
    unread,
    streamed: true,
    batches: (options) => batches(parts, fields, Math.min(capacity, counts[options.split]), options),
    close: async () => table.close(),
  };
}

const rowsOf = ({ splitter, split: own, file }: Part, split: Split): number =>
  splitter ? splitter.counts[split] : split === own ? file.relation.rows : 0;

function partsOf({ files, settings }: StreamedTable): Part[] {
  const { train, validation, test } = files;
  const rows = {
    train: train.relation.rows,
    validation: validation?.relation.rows,
    test: test?.relation.rows,
  };
  const parts: Part[] = [
    {
      file: train,
      first: 0,
      splitter: createSplitter(rows.train, sharesFor(rows, settings)),
      split: 'train',
    },
  ];
  if (validation)
    parts.push({ file: validation, first: rows.train, splitter: undefined, split: 'validation' });
  if (test)
    parts.push({
      file: test,
      first: rows.train + (rows.validation ?? 0),
      splitter: undefined,
      split: 'test',
    });
  return parts;
}

/** One column of the rows that wait somewhere: row i is data[start + i · stride]. */
interface Waiting {
  readonly data: Column;
  readonly start: number;
  readonly stride: number;
}

/** A column for each field, and the row numbers as the last. */
type Buffer = readonly Waiting[];

const asColumn = (data: Column): Waiting => ({ data, start: 0, stride: 1 });

const newBuffer = (fields: readonly ModelField[], rows: number): Buffer =>
  [...fields.map((field) => newColumn(field, rows)), new Float64Array(rows)].map(asColumn);

/** Bytes that a row of `packed` takes. */
const packedBytes = (fields: readonly ModelField[]): number => 8 * Math.ceil(rowBytes(fields) / 8) + 8;

/** The values of a row lie together, doubles first: one place of a large memory to wait for instead of many. */
function packed(fields: readonly ModelField[], rows: number): Buffer {
  const bytes = packedBytes(fields);
  const memory = new ArrayBuffer(rows * bytes);
  const views = { 8: new Float64Array(memory), 4: new Int32Array(memory) };
  const sizes = newBuffer(fields, 0).map(({ data }) => data.BYTES_PER_ELEMENT as 8 | 4);
  const before = { 8: 0, 4: 2 * sizes.filter((size) => size === 8).length };
  return sizes.map((size) => ({ data: views[size], start: before[size]++, stride: bytes / size }));
}

async function* batches(
  parts: readonly Part[],
  fields: readonly ModelField[],
  capacity: number,
  { split, batchSize, shuffle, skip = 0 }: BatchOptions,
): AsyncGenerator<Batch> {
  checkBatchSize(batchSize);
  const rows = splitRows(parts, fields, split);
  const order = shuffle
    ? shuffled(rows, fields, capacity, stream(shuffle.seed, 'shuffle', shuffle.epoch))
    : rows;
  let batch = newBuffer(fields, batchSize);
  let filled = 0;
  let left = skip * batchSize;
  for await (const { from, at } of order) {
    let next = Math.min(left, at.length);
    left -= next;
    while (next < at.length) {
      const some = at.subarray(next, next + batchSize - filled);
      copyRows(from, some, batch, filled);
      next += some.length;
      filled += some.length;
      if (filled < batchSize) continue;
      yield asBatch(batch, filled);
      batch = newBuffer(fields, batchSize);
      filled = 0;
    }
  }
  if (filled > 0) yield asBatch(batch, filled);
}

/** Rows of a buffer, to be used before the next are asked for. */
interface Some {
  readonly from: Buffer;
  readonly at: Int32Array | Uint32Array;
}

// Rows move column by column, many at a time: what is far apart in memory is then fetched side by side.

function copyRows(from: Buffer, at: Some['at'], to: Buffer, first: number): void {
  for (let j = 0; j < to.length; j++) gather(from[j]!, at, to[j]!, first);
}

function gather(from: Waiting, at: Some['at'], to: Waiting, first: number): void {
  const { data, start, stride } = from;
  for (let i = 0, next = to.start + first * to.stride; i < at.length; i++, next += to.stride)
    to.data[next] = data[start + at[i]! * stride]!;
}

/** Row after row: what is at its `place` goes out, the incoming row takes its place. */
function exchange(column: Waiting, place: Int32Array, incoming: Waiting, at: Some['at'], out: Waiting): void {
  const { data, start, stride } = column;
  for (let i = 0; i < at.length; i++) {
    const here = start + place[i]! * stride;
    out.data[i] = data[here]!;
    data[here] = incoming.data[at[i]!]!;
  }
}

function asBatch(buffer: Buffer, count: number): Batch {
  const columns = buffer.map(({ data }) => data.subarray(0, count));
  const ids = columns.pop() as Float64Array;
  return { rows: { count, columns }, index: upTo(count), ids };
}

/** The rows of one split in the order of the files, a chunk at a time. */
async function* splitRows(
  parts: readonly Part[],
  fields: readonly ModelField[],
  split: Split,
): AsyncGenerator<Some> {
  for (const part of parts) {
    if (rowsOf(part, split) === 0) continue;
    const { db, relation } = part.file;
    const chosen = chooser(part, split);
    let row = 0;
    for await (const chunk of db.chunks(selectFields(relation, fields.map(readable)))) {
      const count = chunk[0]!.length;
      const ids = new Float64Array(count);
      for (let i = 0; i < count; i++) ids[i] = part.first + row + i;
      yield { from: [...(chunk as readonly Column[]), ids].map(asColumn), at: chosen(row, count) };
      row += count;
    }
  }
}

/** Which of the `count` rows from `row` of the file on are in the split; rows must be asked for in order. */
function chooser({ splitter, split: own }: Part, split: Split): (row: number, count: number) => Int32Array {
  if (!splitter) return (_, count) => (own === split ? upTo(count) : new Int32Array());
  const code = SPLITS.indexOf(split);
  let block = -1;
  let codes = new Uint8Array();
  return (row, count) => {
    const at = new Int32Array(count);
    let chosen = 0;
    for (let i = 0; i < count; ) {
      const b = Math.floor((row + i) / splitter.block);
      if (b !== block) codes = splitter.codes((block = b)) as Uint8Array<ArrayBuffer>;
      const first = (row + i) % splitter.block;
      const last = Math.min(codes.length, first + count - i);
      for (let k = first; k < last; k++, i++) if (codes[k] === code) at[chosen++] = i;
    }
    return at.subarray(0, chosen);
  };
}

const OUT = 1024; // rows that leave the shuffle buffer together

/**
 * A buffer is filled; each further row takes the place of a random one, which goes out; at the end the rest
 * in random order.
 */
async function* shuffled(
  rows: AsyncIterable<Some>,
  fields: readonly ModelField[],
  capacity: number,
  random: Stream,
): AsyncGenerator<Some> {
  const buffer = packed(fields, capacity);
  const out = newBuffer(fields, OUT);
  const place = new Int32Array(OUT);
  let filled = 0;
  for await (const { from, at } of rows) {
    const first = at.subarray(0, capacity - filled);
    copyRows(from, first, buffer, filled);
    filled += first.length;
    for (let next = first.length; next < at.length; next += OUT) {
      const some = at.subarray(next, next + OUT);
      for (let i = 0; i < some.length; i++) place[i] = random.integer(capacity);
      for (let j = 0; j < buffer.length; j++) exchange(buffer[j]!, place, from[j]!, some, out[j]!);
      yield { from: out, at: upTo(some.length) };
    }
  }
  yield { from: buffer, at: random.permutation(filled) };
}

function upTo(count: number): Int32Array {
  const all = new Int32Array(count);
  for (let i = 0; i < count; i++) all[i] = i;
  return all;
}
