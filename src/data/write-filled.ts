/**
 * Data with its gaps filled, as the data was: columns that no model sees are kept, and what was there stays as it was written,
 * to the letter in texts and to the type in Parquet, JSON and NumPy.
 */
import { UserError } from '../errors.ts';
import { readNumpyFile } from './array-files.ts';
import { type Database, identifier, openDatabase } from './duckdb.ts';
import { formatNpy, type NdArray } from './npy.ts';
import type { Rows } from './rows.ts';
import { isGiven, type ModelField, modelFields, type Schema } from './schema.ts';
import { sourceOf } from './sources.ts';
import { openRelation, type Relation, type TableFormat } from './table-source.ts';
import { isNpy, outputOf, replaceFile, type WriteOptions, writeBytes, writeRows } from './write.ts';
import { cell, copyTo, storeRows, type TableOutput } from './write-table.ts';

/** A column that the data has not: NaN where there is nothing to say. */
export interface Beside {
  readonly name: string;
  readonly values: Float64Array;
}

export interface Filled {
  /** A row for each of the data, in its order, gaps filled. */
  readonly rows: Rows;
  readonly schema: Schema;
  readonly beside?: readonly Beside[];
}

/** Writes the data at `source` with its gaps filled, by the ending of `path`. */
export async function writeFilled(
  source: string,
  filled: Filled,
  path: string,
  options: WriteOptions = {},
): Promise<void> {
  const { table, name } = await sourceOf(source);
  const { beside = [] } = filled;
  if (isNpy(path)) {
    if (beside.length > 0)
      throw new UserError(`${path}: an array has no columns beside its own; give a table, as in filled.csv`);
    if (name === 'NumPy') return writeBytes(path, formatNpy(await filledArray(source, filled)), options);
  } else if (table) {
    const output = outputOf(path);
    const write = (temporary: string) => fillTable(source, table, filled, temporary, output);
    return replaceFile(path, options, write);
  }
  await writeRows(...widened(filled), path, options);
}

/** The columns beside them as fields of their own. */
export function widened({ rows, schema, beside = [] }: Filled): [Rows, Schema] {
  return [
    { count: rows.count, columns: [...rows.columns, ...beside.map(({ values }) => values)] },
    { ...schema, fields: [...schema.fields, ...beside.map(({ name }) => numberField(name))] },
  ];
}

const numberField = (name: string): ModelField => ({
  name,
  role: 'model',
  type: 'number',
  missing: true,
  missingShare: 0,
  min: 0,
  max: 1,
  distinct: 1,
  decimals: null,
  likelihood: 'gaussian',
  transform: { kind: 'standard', mean: 0, sd: 1 },
});

async function filledArray(source: string, { rows, schema }: Filled): Promise<NdArray> {
  const { array } = await readNumpyFile(source, { label: undefined });
  const data = (array.data as Float64Array).slice();
  const width = data.length / array.shape[0]!;
  modelFields(schema).forEach(({ name }, k) => {
    const j = Number(name.slice(1)); // x0, x1 …
    if (name !== `x${j}`) return;
    for (let i = 0; i < rows.count; i++)
      if (!Number.isFinite(data[i * width + j]!)) data[i * width + j] = rows.columns[k]![i]!;
  });
  return { shape: array.shape, data };
}

async function fillTable(
  source: string,
  format: TableFormat,
  { rows, schema, ...more }: Filled,
  path: string,
  output: TableOutput,
): Promise<void> {
  const [wide, wideSchema] = widened({ rows, schema, ...more });
  const db = await openDatabase();
  try {
    const relation = await openRelation(db, source, format, { missing: schema.missing });
    const fields = modelFields(wideSchema);
    await storeRows(db, wide, fields);
    const fractions = await fractional(db, relation, fields);
    await copyTo(db, joined(relation, fields, output, fractions), path, output);
  } finally {
    db.close();
  }
}

/** The file as it is (`raw`) beside the file as it was read (`clean`, NULL in gaps) beside what the model makes of it (`made`). */
function joined(
  { raw, columns, from }: Relation,
  fields: readonly ModelField[],
  output: TableOutput,
  fractions: ReadonlySet<string>,
): string {
  const isText = isOfTexts(raw);
  const keeps = !isText || output.format === 'csv'; // texts in a file with types get those of their fields
  const own = columns.map(({ name }, j) => {
    const k = fields.findIndex((field) => field.name === name);
    const field = fields[k];
    if (!field || isGiven(field)) return `raw.r${j} AS ${identifier(name)}`;
    const filled = keeps
      ? `CASE WHEN clean.c${j} IS NULL THEN ${inType(field, `made.c${k}`, raw.types[j]!)} ELSE raw.r${j} END`
      : typed(field, `clean.c${j}`, `made.c${k}`, output.format, fractions.has(name));
    return `${filled} AS ${identifier(name)}`;
  });
  const beside = fields.flatMap(({ name }, k) =>
    columns.some((column) => column.name === name) ? [] : [`made.c${k} AS ${identifier(name)}`],
  );
  const asRead = raw.refs.map((ref, j) => `${ref} AS r${j}`).join(', ');
  return (
    `SELECT ${[...own, ...beside].join(', ')} FROM (SELECT ${asRead} FROM ${raw.from}) AS raw ` +
    `POSITIONAL JOIN (SELECT * FROM ${from}) AS clean POSITIONAL JOIN made`
  );
}

const isOfTexts = ({ types }: Relation['raw']): boolean => types.every((type) => type === 'VARCHAR');

/** Columns of texts whose field is of whole numbers, and which have others all the same. */
async function fractional(
  db: Database,
  { raw, columns, from }: Relation,
  fields: readonly ModelField[],
): Promise<ReadonlySet<string>> {
  const whole = new Set(fields.filter(({ type }) => type === 'integer').map(({ name }) => name));
  const asked = isOfTexts(raw)
    ? columns.flatMap(({ name }, j) => (whole.has(name) ? [{ name, j }] : []))
    : [];
  if (asked.length === 0) return new Set();
  const cells = asked.map(({ j }) => `count_if(${isFraction(numberOf(`c${j}`))})::DOUBLE AS n${j}`);
  const [counts] = await db.query(`SELECT ${cells.join(', ')} FROM ${from}`);
  return new Set(asked.filter(({ j }) => Number(counts![`n${j}`]) > 0).map(({ name }) => name));
}

/** Whether a number is not whole, or so large that it is not made a 64-bit integer. */
const isFraction = (number: string): string => `${number} <> trunc(${number}) OR abs(${number}) > 9e15`;

/** A text as a finite number; NULL where it is none. */
const numberOf = (text: string): string =>
  `CASE WHEN isfinite(TRY_CAST(${text} AS DOUBLE)) THEN TRY_CAST(${text} AS DOUBLE) END`;

/** What is there as the text says, in the type of its field; what is not, or is no such value, as it was made. */
function typed(
  field: ModelField,
  there: string,
  made: string,
  format: TableOutput['format'],
  isFractional: boolean,
): string {
  const filled = cell(field, made, format);
  if (field.type === 'number' || isFractional) return `coalesce(${numberOf(there)}, ${made})`;
  if (field.type === 'integer') return `coalesce(CAST(${numberOf(there)} AS BIGINT), ${filled})`;
  if (field.type === 'category' || (field.type === 'date' && format === 'json'))
    return `coalesce(${there}, ${filled})`;
  return filled;
}

/** A made value in the type that its column has in the file; texts as the data writes them, whole numbers without a point. */
function inType(field: ModelField, made: string, type: string): string {
  if (type === 'JSON') return `to_json(${cell(field, made, 'json')})`; // where values of several types come together
  if (type !== 'VARCHAR') return `CAST(${cell(field, made, 'parquet')} AS ${type})`;
  if (field.type !== 'number') return `CAST(${cell(field, made, 'csv')} AS VARCHAR)`;
  const whole = `abs(${made}) < 1e15 AND ${made} = trunc(${made})`;
  return `CASE WHEN ${whole} THEN CAST(CAST(${made} AS BIGINT) AS VARCHAR) ELSE CAST(${made} AS VARCHAR) END`;
}
