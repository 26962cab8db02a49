/** Factors of variation from a table beside the data: a row for each row of the data, in its order. */
import { extname } from 'node:path';
import { UserError } from '../errors.ts';
import { type Database, literal, openDatabase } from './duckdb.ts';
import type { Factor } from './rows.ts';
import { DEFAULT_MISSING, MAX_CATEGORIES } from './schema.ts';
import { numberExpression } from './table-infer.ts';
import { openRelation, type Relation, type TableFormat, textExpression } from './table-source.ts';

const FORMATS: Readonly<Record<string, TableFormat>> = {
  '.csv': 'csv',
  '.tsv': 'tsv',
  '.parquet': 'parquet',
  '.json': 'json',
  '.jsonl': 'json',
};

/**
 * Every column that varies: numbers as amounts, texts as names. What only says which row it is, not what made it, is left
 * out: texts and whole numbers of which no two are the same, texts with more values than a category may have.
 */
export async function readFactors(path: string, rows: number): Promise<Factor[]> {
  const format = FORMATS[extname(path).toLowerCase()];
  if (!format) throw new UserError(`${path}: factors are read from ${Object.keys(FORMATS).join(' ')} files`);
  const db = await openDatabase();
  try {
    const relation = await openRelation(db, path, format, { missing: DEFAULT_MISSING });
    if (relation.rows !== rows)
      throw new UserError(
        `${path}: ${relation.rows.toLocaleString('en')} rows of factors for ${rows.toLocaleString('en')} rows of data: ` +
          'one for each is needed, in the same order',
      );
    const found: Factor[] = [];
    for (const j of relation.columns.keys()) {
      const factor = await factorOf(db, relation, j);
      if (factor) found.push(factor);
    }
    if (found.length === 0)
      throw new UserError(`${path}: no column of factors: none varies, or none repeats`);
    return found;
  } finally {
    db.close();
  }
}

type Counted = 'there' | 'numbers' | 'distincts' | 'whole';

async function factorOf(db: Database, relation: Relation, j: number): Promise<Factor | undefined> {
  const { name } = relation.columns[j]!;
  const [number, text] = [numberExpression(relation, j), textExpression(relation, j)];
  const [seen] = await db.query(
    `SELECT count(${text})::DOUBLE AS there, count(${number})::DOUBLE AS numbers, count(DISTINCT ${text})::DOUBLE AS distincts,
     count_if(${number} = trunc(${number}))::DOUBLE AS whole FROM ${relation.from}`,
  );
  const { there, numbers, distincts, whole } = seen as Record<Counted, number>;
  const ordered = numbers === there;
  const single = distincts === there;
  const identifies = ordered ? single && whole === there : single || distincts > MAX_CATEGORIES;
  if (distincts < 2 || identifies) return undefined;
  const values = ordered ? number : await codes(db, relation, text);
  return { name, ordered, values: await column(db, relation, values) };
}

/** The place of a text among the column's texts in order. */
async function codes(db: Database, relation: Relation, text: string): Promise<string> {
  const found = await db.query(
    `SELECT DISTINCT ${text} AS v FROM ${relation.from} WHERE ${text} IS NOT NULL ORDER BY v`,
  );
  const list = found.map(({ v }) => literal(String(v))).join(', ');
  return `list_position([${list}], ${text}) - 1`;
}

async function column(db: Database, relation: Relation, expression: string): Promise<Float64Array> {
  const out = new Float64Array(relation.rows);
  let at = 0;
  const query = `SELECT coalesce((${expression})::DOUBLE, 'nan'::DOUBLE) FROM ${relation.from}`;
  for await (const [values] of db.chunks(query)) {
    for (let i = 0; i < values!.length; i++) out[at + i] = values![i]!;
    at += values!.length;
  }
  return out;
}
