/**
 * From the values of a numeric column to its field: range, decimal grid and the constants of its transform.
 */
import { fitQuantile, MAX_KNOTS } from './quantile.ts';
import type { NumericField, Transform } from './schema.ts';

export type TransformKind = Transform['kind'];

/** What is known of a numeric column before its values are read. */
export type NumericDraft = Pick<NumericField, 'name' | 'missing' | 'missingShare'> &
  ({ type: 'number' | 'integer' } | { type: 'date'; unit: 'day' | 'second'; format: string });

export interface FitOptions {
  readonly transform?: TransformKind;
  readonly knots?: number;
  /** Exact range, where `values` are only a sample. */
  readonly range?: readonly [number, number];
  /** … and about how many different values there are in all. */
  readonly distinct?: number;
}

/** `values` may hold NaN (missing) and are not changed; at least one must be a number. */
export function fitNumeric(
  draft: NumericDraft,
  values: Float64Array,
  options: FitOptions = {},
): NumericField {
  const { transform = 'quantile', knots = MAX_KNOTS, range } = options;
  const present = values.filter((v) => !Number.isNaN(v));
  const sorted = withRange(present, range).sort();
  const decimals = draft.type === 'number' ? decimalsIn(sorted) : 0;
  const fitted = {
    ...draft,
    role: 'model' as const,
    likelihood: 'gaussian' as const,
    min: sorted[0]!,
    max: sorted.at(-1)!,
    distinct: distinctOf(sorted, options.distinct),
    transform: transform === 'quantile' ? fitQuantile(sorted, decimals !== null, knots) : fitStandard(sorted),
  };
  return (draft.type === 'number' ? { ...fitted, decimals } : fitted) as NumericField;
}

function withRange(values: Float64Array, range?: readonly [number, number]): Float64Array {
  if (!range) return values;
  const out = new Float64Array(values.length + 2);
  out.set(range);
  out.set(values, 2);
  return out;
}

/** A sample that repeats its values has seen nearly all of them. */
function distinctOf(sorted: Float64Array, about = 0): number {
  const seen = countDistinct(sorted);
  return seen < sorted.length / 10 ? seen : Math.max(seen, about);
}

function countDistinct(sorted: Float64Array): number {
  let distinct = 0;
  for (let i = 0; i < sorted.length; i++) if (i === 0 || sorted[i] !== sorted[i - 1]) distinct++;
  return distinct;
}

function fitStandard(values: Float64Array): Transform {
  let mean = 0;
  for (const v of values) mean += v / values.length;
  let variance = 0;
  for (const v of values) variance += (v - mean) ** 2 / values.length;
  return { kind: 'standard', mean, sd: Math.sqrt(variance) || 1 };
}

const MAX_DECIMALS = 6;

/** Digits after the point that hold every value, or null if six are not enough. */
function decimalsIn(values: Float64Array): number | null {
  let decimals = 0;
  for (const v of values) {
    while (decimals <= MAX_DECIMALS && Math.round(v * 10 ** decimals) / 10 ** decimals !== v) decimals++;
    if (decimals > MAX_DECIMALS) return null;
  }
  return decimals;
}

/** Knots a column may have, so that a schema of very many columns stays of readable size. */
export const knotsFor = (columns: number): number =>
  Math.max(32, Math.min(MAX_KNOTS, Math.floor(100_000 / Math.max(1, columns))));
