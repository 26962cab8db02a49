/** Latent codes in files: what `encode` writes and `decode` reads. */
import { readFile } from 'node:fs/promises';
import { openDatabase } from '../data/duckdb.ts';
import {
  DEFAULT_MISSING,
  formatNpy,
  parseNpy,
  type Rows,
  type Schema,
  writeBytes,
  writeRows,
} from '../data/index.ts';
import { openRelation, type Relation, type TableFormat } from '../data/table-source.ts';
import { UserError } from '../errors.ts';
import type { Encoded } from '../tasks/encode.ts';

export interface CodesOptions {
  readonly overwrite: boolean;
  /** A draw from q(z|x) instead of its mean and log variance. */
  readonly drawn: boolean;
}

/** .npy: [n, Z] float32; tables: the row's number, its label, and a column for each latent dimension. */
export async function writeCodes(
  codes: Encoded,
  path: string,
  { overwrite, drawn }: CodesOptions,
): Promise<void> {
  if (path.toLowerCase().endsWith('.npy')) {
    const data = drawn ? codes.z : codes.mean;
    return writeBytes(path, formatNpy({ shape: [codes.count, codes.latent], data }), { overwrite });
  }
  const { rows, schema } = codesTable(codes, drawn);
  await writeRows(rows, schema, path, { overwrite });
}

/** The same as rows, for the table writers. */
export function codesTable(codes: Encoded, drawn: boolean): { rows: Rows; schema: Schema } {
  const { count, latent, ids, labels } = codes;
  const column = (values: Float32Array, j: number) =>
    Float64Array.from({ length: count }, (_, i) => Number(values[i * latent + j]!.toPrecision(9)));
  const named = (name: string, values: Float32Array) =>
    Array.from({ length: latent }, (_, j) => ({
      field: number(`${name}_${j + 1}`),
      column: column(values, j),
    }));
  const columns = [
    { field: { ...number('row'), type: 'integer' as const }, column: ids },
    ...(labels ? [labelColumn(labels, ids)] : []),
    ...(drawn ? named('z', codes.z) : named('mean', codes.mean)),
    ...(drawn || !codes.logVar ? [] : named('log_var', codes.logVar)),
  ];
  return {
    rows: { count, columns: columns.map((c) => c.column) },
    schema: { version: 1, missing: [''], fields: columns.map((c) => c.field) },
  };
}

const common = { role: 'model', missing: true, missingShare: 0 } as const;
const number = (name: string) =>
  ({
    ...common,
    name,
    type: 'number',
    decimals: null,
    min: 0,
    max: 0,
    distinct: 0,
    likelihood: 'gaussian',
    transform: { kind: 'standard', mean: 0, sd: 1 },
  }) as const;

function labelColumn({ name, names, codes }: NonNullable<Encoded['labels']>, ids: Float64Array) {
  const field = {
    ...common,
    name,
    type: 'category' as const,
    categories: [...names],
    counts: names.map(() => 0),
    likelihood: 'categorical' as const,
  };
  return { field, column: Int32Array.from(ids, (id) => codes[id] ?? -1) };
}

const FORMATS: readonly (readonly [string, TableFormat])[] = [
  ['.csv', 'csv'],
  ['.csv.gz', 'csv'],
  ['.tsv', 'tsv'],
  ['.parquet', 'parquet'],
  ['.json', 'json'],
  ['.jsonl', 'json'],
  ['.ndjson', 'json'],
];

/** Codes [n, `latent`] of a file that `encode` wrote, or of any file with as many columns of numbers. */
export async function readCodes(path: string, latent: number): Promise<Float32Array> {
  const name = path.toLowerCase();
  if (name.endsWith('.npy')) return readNpyCodes(path, latent);
  const format = FORMATS.find(([ending]) => name.endsWith(ending))?.[1];
  if (!format)
    throw new UserError(`${path}: codes are read from ${FORMATS.map(([e]) => e).join(' ')} or .npy files`);
  const db = await openDatabase();
  try {
    const relation = await openRelation(db, path, format, { missing: DEFAULT_MISSING });
    const used = codeColumns(relation, latent, path);
    const cells = used.map((j) => `coalesce(TRY_CAST(c${j} AS DOUBLE), 'NaN'::DOUBLE)`);
    const out = new Float32Array(relation.rows * latent);
    let row = 0;
    for await (const chunk of db.chunks(`SELECT ${cells.join(', ')} FROM ${relation.from}`)) {
      const count = chunk[0]!.length;
      for (const [j, values] of chunk.entries())
        for (let i = 0; i < count; i++) {
          out[(row + i) * latent + j] = finite(values[i]!, path, row + i, relation.columns[used[j]!]!.name);
        }
      row += count;
    }
    return out;
  } finally {
    db.close();
  }
}

function finite(value: number, path: string, row: number, column: string): number {
  if (Number.isFinite(value)) return value;
  throw new UserError(
    `${path}, row ${row + 1}, column "${column}": not a number. Codes need one in every place`,
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
