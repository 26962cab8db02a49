/**
 * A table file as a DuckDB relation with columns c0, c1 …: texts trimmed, missing markers NULL, whatever
 * the format.
 */

import { stat } from 'node:fs/promises';
import { UserError } from '../errors.ts';
import { type Cell, type Database, identifier, literal, pathLiteral } from './duckdb.ts';

/** Everything is text except columns that the file itself stores as numbers. */
export interface SourceColumn {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'nested';
}

export interface Relation {
  readonly path: string;
  readonly columns: readonly SourceColumn[];
  /** A FROM clause whose columns are c0, c1 …; rows in the order of the file. */
  readonly from: string;
  readonly rows: number;
  /** Lines that could not be read: how many, as far as they were counted, and in words. */
  readonly rejected: { readonly count: number; readonly notes: readonly string[] };
  /** The same rows as they are in the file: a FROM clause, and for each column what it is called there and its type. */
  readonly raw: Pick<Scan, 'from' | 'refs' | 'types'>;
}

/** Column `j` as text: a whole number without a point, whatever it is stored as. */
export function textExpression({ columns }: Relation, j: number): string {
  if (columns[j]!.kind !== 'number') return `c${j}`;
  const whole = `abs(c${j}) < 1e15 AND c${j} = trunc(c${j})`;
  return `CASE WHEN ${whole} THEN CAST(CAST(c${j} AS BIGINT) AS VARCHAR) ELSE CAST(c${j} AS VARCHAR) END`;
}

export type TableFormat = 'csv' | 'tsv' | 'parquet' | 'json';

export interface RelationOptions {
  readonly missing: readonly string[];
  readonly limit?: number | undefined;
  readonly header?: boolean | undefined;
}

interface Scan {
  readonly names: readonly string[];
  readonly types: readonly string[];
  /** FROM clause with columns named by `refs`. */
  readonly from: string;
  /** The same, and lines that cannot be read are noted in the table `reject_errors`. */
  readonly noting?: string;
  readonly refs: readonly string[];
}

const scanners: Record<TableFormat, (db: Database, path: string, header?: boolean) => Promise<Scan>> = {
  csv: (db, path, header) => scanCsv(db, path, ',', header),
  tsv: (db, path, header) => scanCsv(db, path, '\t', header),
  parquet: (db, path) => scanTyped(db, `read_parquet(${pathLiteral(path)})`),
  json: (db, path) =>
    scanTyped(
      db,
      `read_json(${pathLiteral(path)}, maximum_depth=1, sample_size=-1, maximum_object_size=67108864)`,
    ),
};

/** Opens the file and counts its rows. */
export async function openRelation(
  db: Database,
  path: string,
  format: TableFormat,
  { missing, limit, header }: RelationOptions,
): Promise<Relation> {
  const scan = await readable(path, () => scanners[format](db, path, header));
  const columns = scan.names.map((name, j) => ({ name, kind: kindOf(scan.types[j]!) }));
  const cells = columns.map(
    ({ kind }, j) => `${cell(scan.refs[j]!, scan.types[j]!, kind, missing)} AS c${j}`,
  );
  const some = limit === undefined ? '' : ` LIMIT ${limit}`;
  const counted = `SELECT count(*)::DOUBLE AS n FROM (SELECT * FROM ${scan.noting ?? scan.from}${some})`;
  const [total] = await readable(path, () => db.query(counted));
  const rows = Number(total!.n);
  const rejected = scan.noting ? await rejects(db, path) : { count: 0, notes: [] };
  if (rejected.count >= Math.max(1, rows)) throw new UserError(mostlyUnreadable(path, rows, rejected.notes));
  if (rows === 0) throw new UserError(`${path}: has no rows, only a header`);
  const cleaned = `(SELECT ${cells.join(', ')} FROM ${scan.from}${some})`;
  const from = (await stat(path)).size <= COPY_BELOW[format] ? await copied(db, cleaned) : cleaned;
  return { path, columns, from, rows, rejected, raw: scan };
}

/** Errors kept; a line can have several. */
const REJECTS = 10_000;
/**
 * Files up to this many bytes are parsed once into DuckDB's memory; larger ones are parsed again by each
 * query.
 */
const COPY_BELOW: Readonly<Record<TableFormat, number>> = {
  csv: 2 ** 25,
  tsv: 2 ** 25,
  json: 2 ** 25,
  parquet: 2 ** 23,
};

async function copied(db: Database, cleaned: string): Promise<string> {
  await db.query(`CREATE TEMP TABLE cleaned AS SELECT * FROM ${cleaned}`);
  return 'cleaned';
}

const mostlyUnreadable = (path: string, rows: number, notes: readonly string[]): string =>
  `${path}: only ${rows} ${rows === 1 ? 'line has' : 'lines have'} the form of the first. ${notes.join(' ')} ` +
  'Give every line the same columns';

/** DuckDB's own complaints name the file and the place; they are about what the user gave. */
async function readable<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    throw new UserError(`${path}: cannot be read: ${firstLines(error.message)}`);
  }
}

const firstLines = (message: string): string =>
  message
    .replace(/^[A-Z]\w+( \w+)? Error: /, '')
    .split('\n')
    .slice(0, 2)
    .join(' ')
    .slice(0, 300);

function kindOf(type: string): SourceColumn['kind'] {
  if (/^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|DOUBLE|REAL|DECIMAL.*|UINTEGER)$/.test(type))
    return 'number';
  return /\[|STRUCT|MAP|LIST|UNION|BLOB/.test(type) ? 'nested' : 'text';
}

const BLANKS = `chr(32) || chr(9) || chr(10) || chr(13)`;

function cell(ref: string, type: string, kind: SourceColumn['kind'], missing: readonly string[]): string {
  if (kind === 'nested') return `CASE WHEN ${ref} IS NULL THEN NULL ELSE 'nested' END`;
  if (kind === 'number') return numberCell(ref, missing);
  const text = `trim(${asText(ref, type)}, ${BLANKS})`;
  const markers = missing.map((marker) => literal(marker.trim().toLowerCase()));
  return markers.length > 0
    ? `CASE WHEN ${among(`lower(${text})`, markers)} THEN NULL ELSE ${text} END`
    : text;
}

function numberCell(ref: string, missing: readonly string[]): string {
  const value = `CAST(${ref} AS DOUBLE)`;
  const markers = missing
    .filter((m) => m.trim() !== '' && Number.isFinite(Number(m)))
    .map((m) => `${Number(m)}::DOUBLE`);
  const absent = markers.length > 0 ? `isnan(${value}) OR ${among(value, markers)}` : `isnan(${value})`;
  return `CASE WHEN ${absent} THEN NULL ELSE ${value} END`;
}

/** IN becomes a join for more than a few values: a join a column takes seconds and all the memory. */
const among = (value: string, list: readonly string[]): string =>
  `list_contains([${list.join(', ')}], ${value})`;

function asText(ref: string, type: string): string {
  if (type === 'JSON') return `(${ref} ->> '$')`;
  if (type.startsWith('TIMESTAMP')) return `strftime(${ref}, '%Y-%m-%d %H:%M:%S')`;
  return type === 'VARCHAR' ? ref : `CAST(${ref} AS VARCHAR)`;
}

async function scanTyped(db: Database, from: string): Promise<Scan> {
  const described = await db.query(`DESCRIBE SELECT * FROM ${from}`);
  const names = described.map((column) => String(column.column_name));
  return {
    names,
    types: described.map((column) => String(column.column_type)),
    from,
    refs: names.map(identifier),
  };
}

async function scanCsv(db: Database, path: string, delimiter: string, header?: boolean): Promise<Scan> {
  const dialect = await sniff(db, path, delimiter);
  const width = dialect.width;
  const columns = Array.from({ length: width }, (_, j) => `'r${j}': 'VARCHAR'`).join(', ');
  const fixed = [
    'auto_detect=false',
    `delim=${literal(dialect.delimiter)}`,
    `quote='"'`,
    `escape='"'`,
    `columns={${columns}}`,
    'ignore_errors=true',
  ].join(', ');
  const named = header ?? dialect.header;
  const start = `read_csv(${pathLiteral(path)}, ${fixed}, skip=${dialect.skip}`;
  const top = `SELECT * FROM ${start}, header=false) LIMIT 1`;
  const names = named ? headerNames(path, await db.query(top), width) : numbered(width);
  const reader = `${start}, header=${named}`;
  const noting = `${reader}, store_rejects=true, rejects_limit=${REJECTS})`;
  return {
    names,
    types: names.map(() => 'VARCHAR'),
    from: `${reader})`,
    noting,
    refs: names.map((_, j) => `r${j}`),
  };
}

const numbered = (width: number): string[] => Array.from({ length: width }, (_, j) => `column${j + 1}`);

function headerNames(path: string, rows: readonly Record<string, Cell>[], width: number): string[] {
  const names = numbered(width).map((name, j) => String(rows[0]?.[`r${j}`] ?? '').trim() || name);
  const twice = names.find((name, j) => names.indexOf(name) !== j);
  if (twice !== undefined)
    throw new UserError(
      `${path}: two columns are called "${twice}". Give each column its own name in the first line`,
    );
  return names;
}

interface Dialect {
  readonly delimiter: string;
  readonly skip: number;
  readonly header: boolean;
  readonly width: number;
}

async function sniff(db: Database, path: string, delimiter: string): Promise<Dialect> {
  const ask = (more: string) =>
    db.query(
      `SELECT Delimiter AS d, SkipRows::DOUBLE AS skip, HasHeader AS header, len(Columns)::DOUBLE AS width
       FROM sniff_csv(${pathLiteral(path)}, ignore_errors=true${more})`,
    );
  const [found] = await ask('').catch(() => ask(`, delim=${literal(delimiter)}, quote='"', escape='"'`));
  const { d, skip, header, width } = found!;
  return {
    delimiter: String(d) || delimiter,
    skip: Number(skip),
    header: header === true,
    width: Number(width),
  };
}

async function rejects(db: Database, path: string): Promise<Relation['rejected']> {
  const bad = await db.query(
    `SELECT line::DOUBLE AS line, any_value(error_message) AS why
     FROM reject_errors GROUP BY line ORDER BY line`,
  );
  if (bad.length === 0) return { count: 0, notes: [] };
  const [errors] = await db.query('SELECT count(*)::DOUBLE AS n FROM reject_errors');
  const atLeast = Number(errors!.n) >= REJECTS ? 'at least ' : '';
  const shown = bad.slice(0, 3).map(({ line, why }) => `line ${line}: ${inWords(String(why))}`);
  const lines =
    bad.length === 1 ? '1 line cannot be read and is' : `${bad.length} lines cannot be read and are`;
  const note = `${path}: ${atLeast}${lines} left out (${shown.join('; ')}${bad.length > 3 ? '; …' : ''}).`;
  return { count: bad.length, notes: [note] };
}

function inWords(why: string): string {
  const widths = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(why);
  if (widths) return `${widths[2]} values instead of ${widths[1]}`;
  return why.includes('utf-8') ? 'not UTF-8 text' : why.split('\n')[0]!;
}
