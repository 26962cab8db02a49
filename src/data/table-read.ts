/** Typed columns out of a relation: one expression a field, read chunk by chunk. */
import { UserError } from '../errors.ts';
import { stream } from '../random/stream.ts';
import { secondsPer } from './dates.ts';
import { type Database, literal } from './duckdb.ts';
import { type Column, newColumn, type Rows } from './rows.ts';
import type { FieldOf, ModelField, NumericField } from './schema.ts';
import { isWrittenNumber, numberExpression, shortText, WRITTEN } from './table-infer.ts';
import { type Relation, textExpression } from './table-source.ts';

/** What reading needs to know of a field. */
export type Readable =
  | Pick<NumericField, 'name' | 'type'>
  | Pick<FieldOf<'date'>, 'name' | 'type' | 'unit' | 'format'>
  | FieldOf<'category' | 'boolean'>;

export const readable = (field: ModelField): Readable => {
  if (field.type === 'image') throw new UserError('the schema is of pictures, the data is a table');
  return field;
};

/** Makes an enumeration type for each category field, so that values become codes inside DuckDB. */
export async function declareCategories(db: Database, fields: readonly Readable[]): Promise<void> {
  for (const [j, field] of fields.entries()) {
    if (field.type !== 'category') continue;
    await db.query(`DROP TYPE IF EXISTS category_${j}`);
    await db.query(`CREATE TYPE category_${j} AS ENUM (${field.categories.map(literal).join(', ')})`);
  }
}

/** The value of field `j` from its column, NULL where it is missing or not understood. */
function expression(relation: Relation, field: Readable, j: number): string {
  const column = relation.columns.findIndex(({ name }) => name === field.name);
  const text = textExpression(relation, column);
  switch (field.type) {
    case 'category':
      return `enum_code(TRY_CAST(${text} AS category_${j}))::INTEGER`;
    case 'boolean':
      return booleanExpression(text, field.words);
    case 'date': {
      const { format, unit } = field as FieldOf<'date'>;
      // A file with a type for dates gives them in ISO form, however the first file wrote them.
      const time = `coalesce(try_strptime(${text}, ${literal(format)}), TRY_CAST(${text} AS TIMESTAMP))`;
      return `epoch(${time}) / ${secondsPer(unit)}`;
    }
    default:
      return numberExpression(relation, column);
  }
}

/**
 * 'FALSE' in a CSV file is 'false' in a JSON file: the case of the words matters only where nothing else
 * differs.
 */
function booleanExpression(text: string, [no, yes]: readonly [string, string]): string {
  const same = no.toLowerCase() === yes.toLowerCase();
  const word = (w: string) => literal(same ? w : w.toLowerCase());
  return `CASE ${same ? text : `lower(${text})`} WHEN ${word(no)} THEN 0 WHEN ${word(yes)} THEN 1 END`;
}

const isCode = ({ type }: Readable): boolean => type === 'category' || type === 'boolean';

/** SELECT with one typed column a field and no NULLs. */
export function selectFields(relation: Relation, fields: readonly Readable[]): string {
  const cells = fields.map((field, j) => {
    const value = expression(relation, field, j);
    return isCode(field) ? `coalesce(${value}, -1)::INTEGER` : `coalesce(${value}, 'nan'::DOUBLE)::DOUBLE`;
  });
  return `SELECT ${cells.join(', ')} FROM ${relation.from}`;
}

/** The whole relation in memory. */
export async function readRows(db: Database, relation: Relation, fields: readonly Readable[]): Promise<Rows> {
  const columns: Column[] = fields.map((field) => newColumn(field as ModelField, relation.rows));
  let at = 0;
  if (fields.length > 0) {
    for await (const chunk of db.chunks(selectFields(relation, fields))) {
      for (const [j, items] of chunk.entries()) columns[j]!.set(items, at);
      at += chunk[0]!.length;
    }
  }
  return { count: relation.rows, columns };
}

/** Values that are there but not understood, how many of each field and in words: they count as missing. `mends` says what could be done. */
export async function misread(
  db: Database,
  relation: Relation,
  fields: readonly Readable[],
  mends: boolean,
): Promise<{ readonly counts: readonly number[]; readonly notes: readonly string[] }> {
  if (fields.length === 0) return { counts: [], notes: [] };
  const place = ({ name }: Readable) => relation.columns.findIndex((column) => column.name === name);
  const bad = fields.map(
    (field, j) => `c${place(field)} IS NOT NULL AND (${expression(relation, field, j)}) IS NULL`,
  );
  const counts = bad.map((condition, j) => `count_if(${condition})::DOUBLE AS n${j}`);
  const [row] = await db.query(`SELECT ${counts.join(', ')} FROM ${relation.from}`);
  const notes: string[] = [];
  const all = fields.map((_, j) => Number(row![`n${j}`]));
  for (const [j, field] of fields.entries()) {
    const count = all[j]!;
    const where = { source: textExpression(relation, place(field)), condition: bad[j]! };
    if (count > 0) notes.push(await misreadNote(db, relation, field, { ...where, count, mends }));
  }
  return { counts: all, notes };
}

interface Misread {
  readonly source: string;
  readonly condition: string;
  readonly count: number;
  readonly mends: boolean;
}

async function misreadNote(
  db: Database,
  relation: Relation,
  field: Readable,
  { source, condition, count, mends }: Misread,
): Promise<string> {
  const examples = await db.query(
    `SELECT n, v FROM (SELECT (row_number() OVER ())::DOUBLE AS n, ${source} AS v, ${condition} AS bad
     FROM ${relation.from}) WHERE bad LIMIT 3`,
  );
  const shown = examples.map(({ n, v }) => `row ${n}: ${shortText(v)}`).join(', ');
  const what = isCode(field)
    ? 'not among the known values'
    : `not ${field.type === 'date' ? 'a date' : 'a number'}`;
  const values = count === 1 ? '1 value is' : `${count} values are`;
  const mend = isCode(field) || !mends ? '' : `; ${mendOf(field, examples[0]?.v)}`;
  const counted = `${count === 1 ? 'counts' : 'count'} as missing`;
  return `column "${field.name}": ${values} ${what} (${shown}) and ${counted}${mend}.`;
}

const mendOf = (field: Readable, example: unknown): string =>
  field.type !== 'date' && isWrittenNumber(String(example))
    ? `${WRITTEN}: write them so`
    : `if it means "missing", add --missing ${shortText(example)}`;

/** About `wanted` rows spread over the whole relation, always the same ones. */
export async function sampleRows(
  db: Database,
  relation: Relation,
  fields: readonly Readable[],
  wanted: number,
): Promise<Rows> {
  const step = Math.max(1, relation.rows / wanted);
  const count = Math.floor((relation.rows - 1) / step) + 1;
  const columns: Column[] = fields.map((field) => newColumn(field as ModelField, count));
  const random = new Float32Array(count);
  stream(0, 'sample').uniform(random);
  let row = 0;
  let taken = 0;
  const place = () => Math.floor((taken + random[taken]!) * step); // one row of each `step`
  for await (const chunk of db.chunks(selectFields(relation, fields))) {
    const end = row + chunk[0]!.length;
    for (; taken < count && Math.min(place(), relation.rows - 1) < end; taken++) {
      const i = Math.max(0, Math.min(place(), relation.rows - 1) - row);
      for (const [j, items] of chunk.entries()) columns[j]![taken] = items[i]!;
    }
    row = end;
  }
  return { count: taken, columns };
}
