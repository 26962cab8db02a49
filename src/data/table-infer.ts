/** What kind of field each column of a relation is, from counts that DuckDB makes over all rows. */
import { UserError } from '../errors.ts';
import { likelyFormats, unitOf } from './dates.ts';
import { type Database, literal } from './duckdb.ts';
import type { FieldEdit } from './edits.ts';
import type { NumericDraft } from './fit-number.ts';
import { type FieldOf, type IgnoredField, MAX_CATEGORIES } from './schema.ts';
import { type Relation, textExpression } from './table-source.ts';

/** A field, complete but for the constants that need a numeric column's values. */
export type Draft =
  | { readonly kind: 'whole'; readonly field: IgnoredField | FieldOf<'category' | 'boolean'> }
  | {
      readonly kind: 'numeric';
      readonly field: NumericDraft;
      readonly range: readonly [number, number];
      readonly distinct: number;
    };

/** Counts over the rows of one column. */
interface Stats {
  readonly name: string;
  readonly column: number;
  readonly rows: number;
  readonly present: number;
  readonly distinct: number;
  /** Values that are finite numbers; of those, whole ones and texts like 007. */
  readonly numbers: number;
  readonly whole: number;
  readonly padded: number;
  readonly min: number;
  readonly max: number;
}

const EXACT_DISTINCT_ROWS = 1_000_000;
const FORCED_CATEGORIES = 4096;
/** A column with fewer numbers than this share is not a numeric column with mistakes in it. */
const NUMERIC_SHARE = 0.9;
const WORDS: readonly (readonly [string, string])[] = [
  ['0', '1'],
  ['false', 'true'],
  ['no', 'yes'],
  ['f', 't'],
  ['n', 'y'],
  ['off', 'on'],
];

/** cJ as a finite double, NULL if it is not one. */
export function numberExpression(relation: Relation, column: number): string {
  if (relation.columns[column]!.kind === 'number')
    return `CASE WHEN isfinite(c${column}) THEN c${column} END`;
  const value = `TRY_CAST(c${column} AS DOUBLE)`;
  return `CASE WHEN isfinite(${value}) AND NOT contains(c${column}, '_') THEN ${value} END`;
}

export async function inferDrafts(
  db: Database,
  relation: Relation,
  edits: ReadonlyMap<string, FieldEdit>,
): Promise<Draft[]> {
  const drafts: Draft[] = [];
  for (const stats of await columnStats(db, relation)) {
    drafts.push(await inferColumn({ db, relation, stats, edit: edits.get(stats.name) }));
  }
  return drafts;
}

const AT_ONCE = 50; // columns a query: wide tables would make plans of thousands of aggregates
const LEAST_AT_ONCE = 8;
/** Different values that DuckDB's memory holds, over the columns of a query. */
const DISTINCT_AT_ONCE = 2_000_000;

/** An exact count keeps every different value of each column in memory, an approximate one almost nothing. */
const atOnce = (rows: number): number =>
  rows > EXACT_DISTINCT_ROWS
    ? AT_ONCE
    : Math.max(LEAST_AT_ONCE, Math.min(AT_ONCE, Math.floor(DISTINCT_AT_ONCE / rows)));

async function columnStats(db: Database, relation: Relation): Promise<Stats[]> {
  const stats: Stats[] = [];
  const most = atOnce(relation.rows);
  for (let from = 0; from < relation.columns.length; from += most) {
    const columns = relation.columns.slice(from, from + most).map((_, i) => from + i);
    const aggregates = columns.map((j) => aggregate(relation, j)).join(', ');
    const [row] = await db.query(`SELECT ${aggregates} FROM ${relation.from}`);
    for (const j of columns) {
      const of = (key: string) => Number(row![`${key}${j}`] ?? Number.NaN);
      const counts = {
        present: of('p'),
        distinct: of('d'),
        numbers: of('n'),
        whole: of('w'),
        padded: of('z'),
      };
      stats.push({
        name: relation.columns[j]!.name,
        column: j,
        rows: relation.rows,
        ...counts,
        min: of('lo'),
        max: of('hi'),
      });
    }
  }
  return stats;
}

function aggregate(relation: Relation, j: number): string {
  const number = numberExpression(relation, j);
  const text = relation.columns[j]!.kind === 'text';
  const distinct =
    relation.rows <= EXACT_DISTINCT_ROWS
      ? `count(DISTINCT c${j})`
      : `least(approx_count_distinct(c${j}), count(c${j}))`;
  return [
    `count(c${j})::DOUBLE AS p${j}`,
    `${distinct}::DOUBLE AS d${j}`,
    `count(${number})::DOUBLE AS n${j}`,
    `count_if(${number} = trunc(${number}))::DOUBLE AS w${j}`,
    `${text ? `count_if(regexp_matches(c${j}, '^[+-]?0[0-9]'))::DOUBLE` : '0::DOUBLE'} AS z${j}`,
    `min(${number}) AS lo${j}`,
    `max(${number}) AS hi${j}`,
  ].join(', ');
}

interface Column {
  readonly db: Database;
  readonly relation: Relation;
  readonly stats: Stats;
  readonly edit: FieldEdit | undefined;
}

async function inferColumn(column: Column): Promise<Draft> {
  const { relation, stats, edit } = column;
  if (edit?.role === 'ignored') return ignored(stats, typeOf(stats), edit.reason ?? 'set by hand');
  if (relation.columns[stats.column]!.kind === 'nested') return ignored(stats, 'text', 'nested values');
  if (stats.present === 0) return ignored(stats, 'text', 'no value at all');
  const type = edit?.type ?? (edit?.role === 'predicted' ? 'category' : undefined);
  if (type) return asAsked(column, type);
  if (stats.distinct === 1) return ignored(stats, typeOf(stats), await constant(column));
  const insisted = edit?.role === 'model';
  if (!insisted && isIdentifier(stats)) return ignored(stats, typeOf(stats), await whyDiffering(column));
  if (!insisted && isNumeric(stats) && !safe(stats) && (await isInDigits(column)))
    return ignored(stats, 'integer', 'whole numbers beyond 2^53, which would not be told apart');
  return (
    (await asBoolean(column)) ??
    asNumber(stats) ??
    (await asDate(column)) ??
    (await asCategory(column, insisted ? FORCED_CATEGORIES : limitOf(stats))) ??
    notModelled(column)
  );
}

const ignored = ({ name }: Stats, type: IgnoredField['type'], reason: string): Draft => ({
  kind: 'whole',
  field: { name, role: 'ignored', type, reason },
});

const isNumeric = ({ numbers, present, padded }: Stats): boolean =>
  padded === 0 && numbers >= NUMERIC_SHARE * present;
const isWhole = ({ whole, numbers, min, max }: Stats): boolean =>
  whole === numbers && Math.max(-min, max) <= Number.MAX_SAFE_INTEGER;
const typeOf = (stats: Stats): IgnoredField['type'] =>
  !isNumeric(stats) ? 'text' : isWhole(stats) ? 'integer' : 'number';

/** Few enough values, each seen often enough, to be a set of categories. */
const limitOf = ({ present }: Stats): number =>
  Math.min(MAX_CATEGORIES, Math.max(2, Math.floor(present / 2)));

async function constant({ db, relation, stats }: Column): Promise<string> {
  const value = shortText(await firstValue(db, relation, stats));
  return `constant: ${stats.present === stats.rows ? 'every value' : 'every value given'} is ${value}`;
}

async function firstValue(db: Database, relation: Relation, { column }: Stats): Promise<string> {
  const c = `c${column}`;
  const [row] = await db.query(
    `SELECT ${textExpression(relation, column)} AS v FROM ${relation.from} WHERE ${c} IS NOT NULL LIMIT 1`,
  );
  return String(row?.v);
}

export const shortText = (value: unknown): string => {
  const text = String(value);
  return `"${text.length > 40 ? `${text.slice(0, 37)}…` : text}"`;
};

const IDENTIFIER = 'identifier, every value differs';
export const WRITTEN = 'numbers are read with a point and without separators or signs, as in 1234.5';

/** Whether a text is a number as people write one: in groups of three, with a comma for a point, a currency or a percent sign. */
export const isWrittenNumber = (text: string): boolean =>
  /^[-+]?[$€£¥]? ?(\d{1,3}([ ,.'’]\d{3})+([.,]\d+)?|\d+([.,]\d+)?)( ?[%$€£¥])?$/.test(text) &&
  !/^[-+]?\d+(\.\d+)?$/.test(text);

/** Whether values are whole numbers digit by digit, not magnitudes such as 1.5e30. */
const isInDigits = async ({ db, relation, stats }: Column): Promise<boolean> =>
  /INT/.test(relation.raw.types[stats.column]!) || /^[+-]?\d+$/.test(await firstValue(db, relation, stats));

/** Why a column of which every value differs is left out. */
async function whyDiffering({ db, relation, stats }: Omit<Column, 'edit'>): Promise<string> {
  if (typeOf(stats) !== 'text') return IDENTIFIER;
  const first = await firstValue(db, relation, stats);
  return isWrittenNumber(first) ? `${shortText(first)} is no number here: ${WRITTEN}` : IDENTIFIER;
}

const allDiffer = ({ present, distinct, rows }: Stats): boolean =>
  present >= 3 && (rows <= EXACT_DISTINCT_ROWS ? distinct === present : distinct > 0.97 * present);

/**
 * Every number differs, and nothing says that they measure something: 1 … n, a name that says so, or too
 * many digits.
 */
function isIdentifier(stats: Stats): boolean {
  const { name, present, min, max } = stats;
  if (!allDiffer(stats)) return false;
  const counts = isWhole(stats) && max - min + 1 === present && present >= 20;
  return counts || (isWhole(stats) && /(^|[^a-z])(id|key|uuid|index|row|no|nr)$/i.test(name)) || !safe(stats);
}

const safe = ({ whole, numbers, min, max }: Stats): boolean =>
  whole !== numbers || Math.max(-min, max) <= Number.MAX_SAFE_INTEGER;

async function asAsked(column: Column, type: NonNullable<FieldEdit['type']>): Promise<Draft> {
  const { stats, edit } = column;
  const impossible = (why: string) =>
    new UserError(`schema, field "${stats.name}": cannot be ${type}: ${why}`);
  if (type === 'text') return ignored(stats, 'text', edit?.reason ?? 'set by hand');
  if (type === 'image') throw impossible('it is a column of a table');
  if (type === 'category') {
    const draft = await asCategory(column, FORCED_CATEGORIES);
    if (draft) return draft;
    throw impossible(`it has ${stats.distinct} different values, expected 2 to ${FORCED_CATEGORIES}`);
  }
  if (type === 'boolean') {
    const draft = await asBoolean(column, true);
    if (draft) return draft;
    throw impossible(`it has ${stats.distinct} different values, expected 2`);
  }
  if (type === 'date') {
    const draft = await asDate(column, edit?.format);
    if (draft) return draft;
    throw impossible(
      'its values are not all in one known way of writing dates; give its "format", as "%d.%m.%Y"',
    );
  }
  if (stats.numbers === 0) throw impossible('no value is a number');
  return numeric(stats, type);
}

const share = ({ rows }: Stats, present: number) => ({
  missing: present < rows,
  missingShare: 1 - present / rows,
});

const numeric = (stats: Stats, type: 'number' | 'integer'): Draft => ({
  kind: 'numeric',
  field: { name: stats.name, type, ...share(stats, stats.numbers) },
  range: [stats.min, stats.max],
  distinct: stats.distinct,
});

const asNumber = (stats: Stats): Draft | undefined =>
  isNumeric(stats) ? numeric(stats, isWhole(stats) ? 'integer' : 'number') : undefined;

/** The most frequent values, at most `limit` + 1. */
async function frequent(
  { db, relation, stats }: Column,
  limit: number,
): Promise<{ value: string; count: number }[]> {
  const c = `c${stats.column}`;
  const rows = await db.query(
    `SELECT ${textExpression(relation, stats.column)} AS value, count(*)::DOUBLE AS n
     FROM ${relation.from} WHERE ${c} IS NOT NULL GROUP BY 1 ORDER BY n DESC, value LIMIT ${limit + 1}`,
  );
  return rows.map(({ value, n }) => ({ value: String(value), count: Number(n) }));
}

async function asBoolean(column: Column, asked = false): Promise<Draft | undefined> {
  const { stats } = column;
  if (stats.distinct !== 2) return undefined;
  const values = await frequent(column, 2);
  const [low, high] = values.sort((a, b) => (a.value < b.value ? -1 : 1));
  const is = (pair: readonly [string, string]) =>
    pair[0] === low!.value.toLowerCase() && pair[1] === high!.value.toLowerCase();
  if (!asked && !WORDS.some((pair) => is(pair))) return undefined;
  const kind = { type: 'boolean' as const, role: 'model' as const, likelihood: 'categorical' as const };
  return {
    kind: 'whole',
    field: {
      name: stats.name,
      ...kind,
      ...share(stats, stats.present),
      words: [low!.value, high!.value],
      counts: [low!.count, high!.count],
    },
  };
}

async function asCategory(column: Column, limit: number): Promise<Draft | undefined> {
  const { stats } = column;
  if (stats.distinct < 2 || stats.distinct > limit * 1.1) return undefined; // the count may be approximate
  const values = await frequent(column, limit);
  if (values.length > limit) return undefined;
  const kind = { type: 'category' as const, role: 'model' as const, likelihood: 'categorical' as const };
  const table = { categories: values.map(({ value }) => value), counts: values.map(({ count }) => count) };
  return { kind: 'whole', field: { name: stats.name, ...kind, ...share(stats, stats.present), ...table } };
}

/** A date format must give back every value as it was written. */
async function asDate({ db, relation, stats }: Column, asked?: string): Promise<Draft | undefined> {
  const c = `c${stats.column}`;
  const text = textExpression(relation, stats.column);
  const sample = await db.query(`SELECT ${text} AS v FROM ${relation.from} WHERE ${c} IS NOT NULL LIMIT 200`);
  const formats = asked
    ? [asked]
    : likelyFormats(sample.map(({ v }) => String(v))).map(({ format }) => format);
  for (const format of formats) {
    const time = `try_strptime(${text}, ${literal(format)})`;
    const [row] = await db.query(
      `SELECT count_if(strftime(${time}, ${literal(format)}) = ${text})::DOUBLE AS same,
              epoch(min(${time})) AS lo, epoch(max(${time})) AS hi FROM ${relation.from}`,
    );
    if (Number(row!.same) < (asked ? 1 : stats.present)) continue;
    const unit = unitOf(format);
    const scale = unit === 'day' ? 86_400 : 1;
    const field = {
      name: stats.name,
      type: 'date' as const,
      unit,
      format,
      ...share(stats, Number(row!.same)),
    };
    return {
      kind: 'numeric',
      field,
      range: [Number(row!.lo) / scale, Number(row!.hi) / scale],
      distinct: stats.distinct,
    };
  }
  return undefined;
}

async function notModelled({ db, relation, stats }: Column): Promise<Draft> {
  const { numbers, present, padded } = stats;
  if (padded === 0 && numbers > present / 2) {
    const number = numberExpression(relation, stats.column);
    const [row] = await db.query(
      `SELECT n, v FROM (SELECT (row_number() OVER ())::DOUBLE AS n, c${stats.column} AS v, ${number} AS x
        FROM ${relation.from})
       WHERE v IS NOT NULL AND x IS NULL LIMIT 1`,
    );
    const mend = isWrittenNumber(String(row!.v))
      ? `(${WRITTEN}.) Write them so`
      : `If they mean "missing", add --missing ${shortText(row!.v)}`;
    throw new UserError(
      `${relation.path}, column "${stats.name}": ${numbers} of ${present} values are numbers, ` +
        `the others are not, such as ${shortText(row!.v)} in row ${row!.n}. ${mend}; ` +
        `otherwise set the column's role to "ignored" in a schema file`,
    );
  }
  if (/^[{[]/.test(await firstValue(db, relation, stats))) return ignored(stats, 'text', 'nested values');
  if (allDiffer(stats)) return ignored(stats, 'text', await whyDiffering({ db, relation, stats }));
  return ignored(stats, 'text', `text with ${stats.distinct} different values in ${present} rows`);
}
