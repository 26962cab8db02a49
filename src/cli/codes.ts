/** Latent codes in files: what `encode` writes and `decode` reads. */
import { readFile } from 'node:fs/promises';
import { type Database, openDatabase } from '../data/duckdb.ts';
import {
  DEFAULT_MISSING,
  formatNpy,
  type ModelField,
  parseNpy,
  type Rows,
  type Schema,
  writeBytes,
  writeRows,
} from '../data/index.ts';
import { declareCategories, readable, readRows } from '../data/table-read.ts';
import { openRelation, type Relation, type TableFormat } from '../data/table-source.ts';
import { isNpy } from '../data/write.ts';
import { UserError } from '../errors.ts';
import type { Encoded, Prediction } from '../tasks/encode.ts';
import { integerColumn, nameColumn, numberColumn } from './columns.ts';

export interface CodesTable {
  /** A draw from q(z|x) instead of its mean and log variance. */
  readonly drawn: boolean;
  /** The fields of `codes.conditions`. */
  readonly given: readonly ModelField[];
}

export interface CodesOptions extends CodesTable {
  readonly overwrite: boolean;
}

/** .npy: [n, Z] float32; tables: the row's number, its label, what it is given, and a column for each latent dimension. */
export async function writeCodes(
  codes: Encoded,
  path: string,
  { overwrite, ...table }: CodesOptions,
): Promise<void> {
  if (isNpy(path)) {
    const data = table.drawn ? codes.z : codes.mean;
    return writeBytes(path, formatNpy({ shape: [codes.count, codes.latent], data }), { overwrite });
  }
  const { rows, schema } = codesTable(codes, table);
  await writeRows(rows, schema, path, { overwrite });
}

/** The same as rows, for the table writers. */
export function codesTable(codes: Encoded, { drawn, given }: CodesTable): { rows: Rows; schema: Schema } {
  const { count, latent, ids, labels, conditions, prediction } = codes;
  const column = (values: Float32Array, j: number) =>
    Float64Array.from({ length: count }, (_, i) => Number(values[i * latent + j]!.toPrecision(9)));
  const named = (name: string, values: Float32Array) =>
    Array.from({ length: latent }, (_, j) => ({
      field: numberColumn(`${name}_${j + 1}`),
      column: column(values, j),
    }));
  const columns = [
    { field: integerColumn('row'), column: ids },
    ...(labels && !given.some(({ name }) => name === labels.name) ? [labelColumn(labels, ids)] : []),
    ...given.map((field, j) => ({ field, column: conditions!.columns[j]! })),
    ...(prediction ? predicted(prediction, given) : []),
    ...(drawn ? named('z', codes.z) : named('mean', codes.mean)),
    ...(drawn || !codes.logVar ? [] : named('log_var', codes.logVar)),
  ];
  const fields = columns.map(({ field }) => field);
  const twice = fields.find(({ name }, j) => fields.findIndex((other) => other.name === name) < j);
  if (twice)
    throw new UserError(
      `codes: two columns would be called "${twice.name}", one of them a column of the data; write the means alone with --out codes.npy, or rename the data's column`,
    );
  return {
    rows: { count, columns: columns.map((c) => c.column) },
    schema: { version: 1, missing: [''], fields },
  };
}

/** What the model takes the label for, and how sure it is. */
function predicted({ field, codes, probabilities }: Prediction, given: readonly ModelField[]) {
  const label = given.find(({ name }) => name === field)!;
  return [
    { field: { ...label, name: `${field}_predicted` }, column: codes },
    {
      field: numberColumn(`${field}_probability`),
      column: Float64Array.from(probabilities, (p) => Number(p.toPrecision(6))),
    },
  ];
}

const labelColumn = ({ name, names, codes }: NonNullable<Encoded['labels']>, ids: Float64Array) => ({
  field: nameColumn(name, names),
  column: Int32Array.from(ids, (id) => codes[id] ?? -1),
});

const FORMATS: readonly (readonly [string, TableFormat])[] = [
  ['.csv', 'csv'],
  ['.csv.gz', 'csv'],
  ['.tsv', 'tsv'],
  ['.parquet', 'parquet'],
  ['.json', 'json'],
  ['.jsonl', 'json'],
  ['.ndjson', 'json'],
];

export interface ReadCodes {
  /** [n, Z] */
  readonly z: Float32Array;
  /** What each is given, where the file says it of all fields. */
  readonly conditions?: Rows | undefined;
}

/**
 * Codes of `latent` dimensions in a file that `encode` wrote, or in any file with as many columns of numbers, with the
 * columns of the fields that are given.
 */
export async function readCodes(
  path: string,
  latent: number,
  given: readonly ModelField[] = [],
): Promise<ReadCodes> {
  const name = path.toLowerCase();
  if (isNpy(path)) return { z: await readNpyCodes(path, latent) };
  const format = FORMATS.find(([ending]) => name.endsWith(ending))?.[1];
  if (!format)
    throw new UserError(`${path}: codes are read from ${FORMATS.map(([e]) => e).join(' ')} or .npy files`);
  const db = await openDatabase();
  try {
    const relation = await openRelation(db, path, format, { missing: DEFAULT_MISSING });
    return {
      z: await readNumbers(db, relation, codeColumns(relation, latent, path)),
      conditions: await readConditions(db, relation, given),
    };
  } finally {
    db.close();
  }
}

async function readConditions(
  db: Database,
  relation: Relation,
  given: readonly ModelField[],
): Promise<Rows | undefined> {
  const isThere = (field: ModelField) => relation.columns.some(({ name }) => name === field.name);
  if (given.length === 0 || !given.every(isThere)) return undefined;
  const fields = given.map(readable);
  await declareCategories(db, fields);
  return readRows(db, relation, fields);
}

async function readNumbers(db: Database, relation: Relation, used: readonly number[]): Promise<Float32Array> {
  const { path } = relation;
  const cells = used.map((j) => `coalesce(TRY_CAST(c${j} AS DOUBLE), 'NaN'::DOUBLE)`);
  const out = new Float32Array(relation.rows * used.length);
  let row = 0;
  for await (const chunk of db.chunks(`SELECT ${cells.join(', ')} FROM ${relation.from}`)) {
    const count = chunk[0]!.length;
    for (const [j, values] of chunk.entries())
      for (let i = 0; i < count; i++) {
        out[(row + i) * used.length + j] = finite(
          values[i]!,
          path,
          row + i,
          relation.columns[used[j]!]!.name,
        );
      }
    row += count;
  }
  return out;
}

function finite(value: number, path: string, row: number, column: string): number {
  if (Number.isFinite(Math.fround(value))) return value;
  const what = Number.isNaN(value) ? 'not a number' : `${value} is too large`;
  throw new UserError(
    `${path}, row ${row + 1}, column "${column}": ${what}. Codes need a number in every place`,
  );
}

/** Columns z_1 … or mean_1 …; else all columns, if there are as many as latent dimensions. */
function codeColumns({ columns }: Relation, latent: number, path: string): number[] {
  for (const prefix of ['z', 'mean']) {
    const found = Array.from({ length: latent }, (_, k) =>
      columns.findIndex(({ name }) => name === `${prefix}_${k + 1}`),
    );
    if (found.every((j) => j >= 0) && !columns.some(({ name }) => name === `${prefix}_${latent + 1}`))
      return found;
  }
  if (columns.length === latent) return columns.map((_, j) => j);
  throw new UserError(
    `${path} has ${columns.length} columns: expected mean_1 to mean_${latent} (as elbo encode writes), z_1 to z_${latent}, ` +
      `or exactly ${latent} columns of numbers, one for each latent dimension of the model`,
  );
}

async function readNpyCodes(path: string, latent: number): Promise<Float32Array> {
  const bytes = await readFile(path).catch(() => {
    throw new UserError(`${path}: there is no such file`);
  });
  const { shape, data } = parseNpy(bytes, path);
  if (shape.length !== 2 || shape[1] !== latent)
    throw new UserError(
      `${path} has shape [${shape.join(', ')}]: expected [rows, ${latent}], the model's latent dimensions`,
    );
  const codes = Float32Array.from(data as ArrayLike<number>, Number);
  const bad = codes.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) finite(Number.NaN, path, Math.floor(bad / latent), String((bad % latent) + 1));
  return codes;
}
