/** Rows of a table as a report shows them: as texts, and column by column beside other rows. */
import { type Column, type ModelField, modelFields, type Rows, type Schema } from '../data/index.ts';
import { decimalsOf, type FieldOf, isNumeric, type NumericField } from '../data/schema.ts';
import type { ColumnComparison, TableRows } from './data.ts';

type Words = FieldOf<'category' | 'boolean'>;
const wordsOf = (field: Words): readonly string[] =>
  field.type === 'category' ? field.categories : field.words;

/** The first `most` rows as texts. Pictures have no text and are left out. */
export function tableRows(schema: Schema, rows: Rows, most = 12): TableRows {
  const shown = modelFields(schema).flatMap((field, j) =>
    field.type === 'image' ? [] : [{ field, text: textOf(field), column: rows.columns[j]! }],
  );
  return {
    kind: 'table',
    columns: shown.map(({ field }) => ({
      name: field.name,
      numeric: isNumeric(field) && field.type !== 'date',
    })),
    rows: Array.from({ length: Math.min(most, rows.count) }, (_, i) =>
      shown.map(({ text, column }) => text(column[i]!)),
    ),
  };
}

function textOf(field: Exclude<ModelField, { type: 'image' }>): (value: number) => string {
  if (field.type === 'date') return (v) => (Number.isNaN(v) ? '' : isoDate(field, v));
  if (!isNumeric(field)) return (code) => (code < 0 ? '' : wordsOf(field)[code]!);
  const decimals = decimalsOf(field);
  const text = (v: number) => (decimals === null ? String(Number(v.toPrecision(6))) : v.toFixed(decimals));
  return (v) => (Number.isNaN(v) ? '' : text(v));
}

const milliseconds = (field: FieldOf<'date'>): number => (field.unit === 'day' ? 86_400_000 : 1000);

function isoDate(field: FieldOf<'date'>, value: number): string {
  const iso = new Date(value * milliseconds(field)).toISOString();
  return field.unit === 'day' ? iso.slice(0, 10) : iso.slice(0, 19).replace('T', ' ');
}

/** Every column in `data` beside `samples`, with how alike they are. */
export function compareColumns(schema: Schema, data: Rows, samples: Rows): ColumnComparison[] {
  return modelFields(schema).flatMap((field, j): ColumnComparison[] => {
    if (field.type === 'image') return [];
    const [a, b] = [data.columns[j]!, samples.columns[j]!];
    return [isNumeric(field) ? compareNumbers(field, a, b) : compareWords(field, a, b)];
  });
}

function compareNumbers(field: NumericField, data: Column, samples: Column): ColumnComparison {
  const [a, b] = [present(data), present(samples)];
  const edges = binEdges(field);
  const scale = field.type === 'date' ? milliseconds(field) : 1;
  return {
    kind: 'number',
    name: field.name,
    similarity: 1 - kolmogorovSmirnov(a, b),
    edges: edges.map((edge) => edge * scale),
    dates: field.type === 'date',
    data: histogram(a, edges),
    samples: histogram(b, edges),
  };
}

/** Without the missing ones, ascending. */
const present = (column: Column): Float64Array =>
  Float64Array.from(column as Float64Array)
    .filter((v) => !Number.isNaN(v))
    .sort();

/** At most 30 equal bins; whole numbers share bins evenly, so that no bin is empty by arithmetic alone. */
function binEdges(field: NumericField): number[] {
  const { min } = field;
  const whole = decimalsOf(field) === 0;
  const span = whole ? field.max - min + 1 : field.max - min || 1;
  const width = whole ? Math.ceil(span / 30) : span / 30;
  const bins = whole ? Math.ceil(span / width) : 30;
  return Array.from({ length: bins + 1 }, (_, i) => min + i * width);
}

/** Shares of ascending `values` in each bin; what lies outside belongs to the first or last. */
function histogram(values: Float64Array, edges: readonly number[]): number[] {
  const bins = edges.length - 1;
  const width = edges[1]! - edges[0]!;
  const shares = new Array<number>(bins).fill(0);
  for (const v of values) {
    const bin = Math.min(bins - 1, Math.max(0, Math.floor((v - edges[0]!) / width)));
    shares[bin]! += 1 / values.length;
  }
  return shares;
}

/** Largest difference of the two empirical distribution functions; both ascending. */
export function kolmogorovSmirnov(a: Float64Array, b: Float64Array): number {
  if (a.length === 0 || b.length === 0) return a.length === b.length ? 0 : 1;
  let [i, j, largest] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const value = Math.min(a[i]!, b[j]!);
    while (a[i] === value) i++;
    while (b[j] === value) j++;
    largest = Math.max(largest, Math.abs(i / a.length - j / b.length));
  }
  return largest;
}

const SHOWN = 12; // categories; the rest are shown together

function compareWords(field: Words, data: Column, samples: Column): ColumnComparison {
  const words = wordsOf(field);
  const [a, b] = [shares(data, words.length), shares(samples, words.length)];
  const similarity = 1 - a.reduce((sum, share, i) => sum + Math.abs(share - b[i]!), 0) / 2;
  const order = a.map((_, i) => i).sort((i, j) => a[j]! - a[i]! || i - j);
  const used = order.filter((i) => a[i]! + b[i]! > 0);
  const single = used.slice(0, used.length > SHOWN ? SHOWN - 1 : SHOWN);
  const rest = used.slice(single.length);
  const total = (of: readonly number[]) => rest.reduce((sum, i) => sum + of[i]!, 0);
  const name = (i: number) => (i === words.length ? 'missing' : words[i]!);
  const more = rest.length > 0;
  return {
    kind: 'category',
    name: field.name,
    similarity,
    names: [...single.map(name), ...(more ? [`${rest.length} others`] : [])],
    data: [...single.map((i) => a[i]!), ...(more ? [total(a)] : [])],
    samples: [...single.map((i) => b[i]!), ...(more ? [total(b)] : [])],
  };
}

/** Of each code, missing last. */
function shares(column: Column, size: number): number[] {
  const out = new Array<number>(size + 1).fill(0);
  for (const code of column) out[code < 0 ? size : code]! += 1 / column.length;
  return out;
}
