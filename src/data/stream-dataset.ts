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

export function streamDataset(table: StreamedTable): Dataset {
  const { name, schema, notes, labels, settings } = table;
  const parts = partsOf(table);
  const fields = modelFields(schema);
  const capacity = Math.max(1, Math.floor(settings.memory / 2 / (rowBytes(fields) + 8)));
  const counts = { train: 0, validation: 0, test: 0 };
  for (const part of parts) for (const split of SPLITS) counts[split] += rowsOf(part, split);
  return {
    name,
    schema,
    notes: [...notes, `${name} is larger than the memory given to it and is read again in each epoch.`],
    ...(labels && { labels }),
    counts,
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

/** Where rows wait: typed columns and their row numbers. */
interface Buffer {
  readonly columns: readonly Column[];
  readonly ids: Float64Array;
}

const newBuffer = (fields: readonly ModelField[], rows: number): Buffer => ({
  columns: fields.map((field) => newColumn(field, rows)),
  ids: new Float64Array(rows),
});

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
    for (const i of at) {
      if (left-- > 0) continue;
      copyRow(from, i, batch, filled++);
      if (filled < batchSize) continue;
      yield asBatch(batch, filled);
      batch = newBuffer(fields, batchSize);
      filled = 0;
    }
  }
  if (filled > 0) yield asBatch(batch, filled);
}

function copyRow(from: Buffer, i: number, to: Buffer, at: number): void {
  for (let j = 0; j < to.columns.length; j++) to.columns[j]![at] = from.columns[j]![i]!;
  to.ids[at] = from.ids[i]!;
}

const asBatch = ({ columns, ids }: Buffer, count: number): Batch => ({
  rows: { count, columns: columns.map((column) => column.subarray(0, count)) },
  index: upTo(count),
  ids: ids.subarray(0, count),
});

/** Rows of a buffer, to be used before the next are asked for. */
interface Some {
  readonly from: Buffer;
  readonly at: Iterable<number>;
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
      const at: number[] = [];
      for (let i = 0; i < count; i++) if (chosen(row + i)) at.push(i);
      const first = part.first + row;
      yield {
        from: {
          columns: chunk as readonly Column[],
          ids: Float64Array.from({ length: count }, (_, i) => first + i),
        },
        at,
      };
      row += count;
    }
  }
}

/** Whether a row of the file is in the split; rows must be asked for in order. */
function chooser({ splitter, split: own }: Part, split: Split): (row: number) => boolean {
  if (!splitter) return () => own === split;
  const code = SPLITS.indexOf(split);
  let block = -1;
  let codes = new Uint8Array();
  return (row) => {
    const b = Math.floor(row / splitter.block);
    if (b !== block) codes = splitter.codes((block = b)) as Uint8Array<ArrayBuffer>;
    return codes[row % splitter.block] === code;
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
  const buffer = newBuffer(fields, capacity);
  const out = newBuffer(fields, OUT);
  let filled = 0;
  let leaving = 0;
  for await (const { from, at } of rows) {
    for (const i of at) {
      if (filled < capacity) {
        copyRow(from, i, buffer, filled++);
        continue;
      }
      const chosen = random.integer(capacity);
      copyRow(buffer, chosen, out, leaving++);
      copyRow(from, i, buffer, chosen);
      if (leaving < OUT) continue;
      yield { from: out, at: upTo(OUT) };
      leaving = 0;
    }
  }
  yield { from: out, at: upTo(leaving) };
  yield { from: buffer, at: random.permutation(filled) };
}

const upTo = (count: number): Int32Array => Int32Array.from({ length: count }, (_, i) => i);
