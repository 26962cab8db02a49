/** How alike two sets of rows are, column by column: data and samples, for reports and benchmarks. */
import { type Column, type ModelField, modelFields, type Rows, type Schema } from '../data/index.ts';
import type { ColumnComparison } from '../report/index.ts';

const BINS = 30;

/** Every column but pictures and what was given; missing values are left out of numbers and are a category of their own elsewhere. */
export function compareColumns(schema: Schema, data: Rows, samples: Rows): ColumnComparison[] {
  return modelFields(schema).flatMap((field, j) =>
    field.type === 'image' || field.role !== 'model'
      ? []
      : [compare(field, data.columns[j]!, samples.columns[j]!)],
  );
}

function compare(field: ModelField, data: Column, samples: Column): ColumnComparison {
  if (field.type === 'category') return compareCategories(field.name, field.categories, data, samples);
  if (field.type === 'boolean') return compareCategories(field.name, field.words, data, samples);
  const scale = field.type === 'date' ? (field.unit === 'day' ? 86_400_000 : 1000) : 1;
  return {
    ...compareNumbers(field.name, present(data, scale), present(samples, scale)),
    dates: field.type === 'date',
  };
}

const present = (column: Column, scale: number): Float64Array =>
  Float64Array.from(column, (v) => v * scale)
    .filter((v) => !Number.isNaN(v))
    .sort();

/** 1 − the Kolmogorov–Smirnov distance: the largest gap between the two distribution functions. */
function compareNumbers(name: string, data: Float64Array, samples: Float64Array) {
  const low = Math.min(data[0] ?? 0, samples[0] ?? 0);
  const high = Math.max(data.at(-1) ?? 1, samples.at(-1) ?? 1);
  const width = (high - low || 1) / BINS;
  const edges = Array.from({ length: BINS + 1 }, (_, i) => low + i * width);
  const shares = (values: Float64Array) => {
    const counts = Array<number>(BINS).fill(0);
    for (const v of values) counts[Math.min(BINS - 1, Math.floor((v - low) / width))]! += 1 / values.length;
    return counts;
  };
  return {
    kind: 'number' as const,
    name,
    similarity: 1 - ksDistance(data, samples),
    edges,
    data: shares(data),
    samples: shares(samples),
  };
}

/** Of two sorted samples. */
export function ksDistance(a: Float64Array, b: Float64Array): number {
  let [i, j, distance] = [0, 0, 0];
  while (i < a.length && j < b.length) {
    const at = Math.min(a[i]!, b[j]!);
    while (a[i]! <= at) i++;
    while (b[j]! <= at) j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  return distance;
}

/** 1 − the total variation distance: half the sum of the differences of the shares. */
function compareCategories(
  name: string,
  words: readonly string[],
  data: Column,
  samples: Column,
): ColumnComparison {
  const codes = [...words.keys(), -1];
  const shares = (column: Column) => {
    const counts = new Map<number, number>();
    for (const code of column) counts.set(code, (counts.get(code) ?? 0) + 1 / column.length);
    return codes.map((code) => counts.get(code) ?? 0);
  };
  const [a, b] = [shares(data), shares(samples)];
  const distance = a.reduce((sum, share, i) => sum + Math.abs(share - b[i]!) / 2, 0);
  const hasMissing = a.at(-1)! > 0 || b.at(-1)! > 0;
  const names = hasMissing ? [...words, '(missing)'] : [...words];
  return {
    kind: 'category',
    name,
    similarity: 1 - distance,
    names,
    data: a.slice(0, names.length),
    samples: b.slice(0, names.length),
  };
}
