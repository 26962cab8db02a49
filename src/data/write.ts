/**
 * Rows and pictures to files: in the words, units and types of the data; whole or not at all; nothing
 * overwritten unasked.
 */
import { mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { explained } from './file-errors.ts';
import { formatNpy, type NdArray } from './npy.ts';
import type { Rows } from './rows.ts';
import { modelFields, type Schema } from './schema.ts';
import { type TableOutput, writeTable } from './write-table.ts';

export interface WriteOptions {
  readonly overwrite?: boolean;
}

const TABLES: readonly (readonly [ending: string, output: TableOutput])[] = [
  ['.csv', { format: 'csv', delimiter: ',' }],
  ['.csv.gz', { format: 'csv', delimiter: ',', gzip: true }],
  ['.tsv', { format: 'csv', delimiter: '\t' }],
  ['.parquet', { format: 'parquet' }],
  ['.json', { format: 'json', array: true }],
  ['.jsonl', { format: 'json', array: false }],
  ['.ndjson', { format: 'json', array: false }],
];

/**
 * Writes rows by the ending of `path`: csv, csv.gz, tsv, parquet, json, jsonl, ndjson or npy (numbers and
 * codes).
 */
export async function writeRows(
  rows: Rows,
  schema: Schema,
  path: string,
  options: WriteOptions = {},
): Promise<void> {
  if (isNpy(path)) return writeBytes(path, formatNpy(toArray(rows, schema)), options);
  const output = outputOf(path);
  if (modelFields(schema).some((field) => field.type === 'image'))
    throw new UserError(
      `${path}: pictures cannot be written as a table; give a folder, or a file ending in .npy`,
    );
  await replaceFile(path, options, (temporary) => writeTable(rows, schema, temporary, output));
}

export const isNpy = (path: string): boolean => path.toLowerCase().endsWith('.npy');

/** The kind of table file that a path names by its ending. */
export function outputOf(path: string): TableOutput {
  const [, output] = TABLES.find(([ending]) => path.toLowerCase().endsWith(ending)) ?? [];
  if (output) return output;
  throw new UserError(`${path}: rows can be written as ${TABLES.map(([e]) => e).join(' ')} or .npy`);
}

/** [n, fields] numbers, categories as codes; pictures as [n, H, W, C] bytes, or from 0 to 1 as the data was. */
function toArray({ count, columns }: Rows, schema: Schema): NdArray {
  const [field] = modelFields(schema);
  if (field?.type === 'image') {
    const pixels = columns[0] as Uint8Array;
    const data = field.full === 1 ? Float32Array.from(pixels, (v) => v / 255) : pixels;
    return { shape: [count, field.height, field.width, field.channels], data };
  }
  const data = new Float64Array(count * columns.length);
  columns.forEach((column, j) => {
    for (let i = 0; i < count; i++) data[i * columns.length + j] = column[i]!;
  });
  return { shape: [count, columns.length], data };
}

/** Writes a file whole or not at all. */
export const writeBytes = (path: string, bytes: Uint8Array, options: WriteOptions = {}): Promise<void> =>
  replaceFile(path, options, (temporary) => writeFile(temporary, bytes));

/** `write` is given a temporary file, which takes the place of `path` once it is whole. */
export async function replaceFile(
  path: string,
  { overwrite = false }: WriteOptions,
  write: (temporary: string) => Promise<void>,
): Promise<void> {
  const target = resolve(path);
  if (!overwrite) await refuseExisting(target, path);
  const temporary = `${target}.${process.pid}.part`;
  await explained('create the folder', dirname(path), () => mkdir(dirname(target), { recursive: true }));
  await explained('write', path, async () => {
    try {
      await write(temporary);
      await rename(temporary, target);
    } catch (error) {
      throw tableError(error, temporary, path);
    } finally {
      await rm(temporary, { force: true });
    }
  });
}

/** DuckDB says in words alone what went wrong with a file. */
function tableError(error: unknown, temporary: string, path: string): unknown {
  const [, why = ''] = /^IO Error: (.*)/.exec((error as Error).message) ?? [];
  return why.includes(temporary)
    ? new UserError(`cannot write ${path}: ${why.replaceAll(temporary, path)}`)
    : error;
}

async function refuseExisting(target: string, path: string): Promise<void> {
  const found = await stat(target).catch(() => undefined);
  if (found) throw new UserError(`${path}: exists already. Give another name, or ask to overwrite it`);
}
