/**
 * A table file by DuckDB: typed columns are appended in chunks, turned into the data's own words by one
 * SELECT and copied out.
 */
import { secondsPer } from './dates.ts';
import { type Database, identifier, literal, openDatabase } from './duckdb.ts';
import { wordsOf } from './one-hot-codec.ts';
import type { Column, Rows } from './rows.ts';
import { type FieldOf, type ModelField, modelFields, type Schema } from './schema.ts';

export type TableOutput =
  | { readonly format: 'csv'; readonly delimiter: string; readonly gzip?: boolean }
  | { readonly format: 'json'; readonly array: boolean }
  | { readonly format: 'parquet' };

export async function writeTable(
  rows: Rows,
  schema: Schema,
  path: string,
  output: TableOutput,
): Promise<void> {
  const fields = modelFields(schema);
  const db = await openDatabase();
  try {
    await storeRows(db, rows, fields);
    const cells = fields.map(
      (field, j) => `${cell(field, `c${j}`, output.format)} AS ${identifier(field.name)}`,
    );
    await copyTo(db, `SELECT ${cells.join(', ')} FROM made`, path, output);
  } finally {
    db.close();
  }
}

/** Rows as the table `made` with columns c0, c1 …: numbers and words, NULL where missing. */
export async function storeRows(db: Database, rows: Rows, fields: readonly ModelField[]): Promise<void> {
  const columns = fields.map((field, j) => `c${j} ${storedAs(field)}`);
  await db.query(`CREATE TEMP TABLE made (${columns.join(', ')})`);
  await append(db, rows, fields);
}

/** The rows of a query as a file. */
export async function copyTo(db: Database, query: string, path: string, output: TableOutput): Promise<void> {
  await db.query(`COPY (${query}) TO ${literal(path)} (${optionsOf(output)})`);
}

function optionsOf(output: TableOutput): string {
  if (output.format === 'parquet') return 'FORMAT parquet, COMPRESSION zstd';
  if (output.format === 'json') return `FORMAT json, ARRAY ${output.array}`;
  const packed = output.gzip ? ', COMPRESSION gzip' : '';
  return `FORMAT csv, HEADER true, DELIMITER ${literal(output.delimiter)}${packed}`;
}

const isWords = (field: ModelField): field is FieldOf<'category' | 'boolean'> =>
  field.type === 'category' || field.type === 'boolean';
const storedAs = (field: ModelField): string => (isWords(field) ? 'VARCHAR' : 'DOUBLE');

const CHUNK = 2048;

async function append(db: Database, { count, columns }: Rows, fields: readonly ModelField[]): Promise<void> {
  const { DOUBLE, DuckDBDataChunk, VARCHAR } = await import('@duckdb/node-api');
  const appender = await db.connection.createAppender('made');
  for (let from = 0; from < count; from += CHUNK) {
    const size = Math.min(CHUNK, count - from);
    const chunk = DuckDBDataChunk.create(
      fields.map((field) => (isWords(field) ? VARCHAR : DOUBLE)),
      size,
    );
    for (const [j, field] of fields.entries())
      chunk.setColumnValues(j, values(field, columns[j]!, from, size));
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
}

function values(field: ModelField, column: Column, from: number, size: number): (string | number | null)[] {
  const words = isWords(field) ? wordsOf(field) : undefined;
  return Array.from({ length: size }, (_, i) => {
    const v = column[from + i]!;
    if (words) return words[v] ?? null;
    return Number.isNaN(v) ? null : v;
  });
}

/** The value as it was written in the data, of the type that the format has for it. */
export function cell(field: ModelField, c: string, format: TableOutput['format']): string {
  switch (field.type) {
    case 'integer':
      return `CAST(${c} AS BIGINT)`;
    case 'boolean':
      return format === 'csv' ? c : `CAST(${c} AS ${typeOfWords(field.words)})`;
    case 'date':
      return dateCell(field, c, format);
    default:
      return c;
  }
}

/** true and false are booleans and 0 and 1 integers where the format knows them; other pairs stay words. */
function typeOfWords(words: readonly [string, string]): string {
  if (words[0].toLowerCase() === 'false' && words[1].toLowerCase() === 'true') return 'BOOLEAN';
  return words[0] === '0' && words[1] === '1' ? 'INTEGER' : 'VARCHAR';
}

function dateCell(
  { unit, format: written }: FieldOf<'date'>,
  c: string,
  format: TableOutput['format'],
): string {
  const time = `make_timestamp(CAST(round(${c} * ${secondsPer(unit)}) AS BIGINT) * 1000000)`;
  if (format === 'parquet') return unit === 'day' ? `CAST(${time} AS DATE)` : time;
  return `strftime(${time}, ${literal(written)})`;
}
