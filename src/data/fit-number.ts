/**
 * From the values of a numeric column to its field: range, decimal grid and the constants of its transform.
 */

import { UserError } from '../errors.ts';
import type { FieldEdit } from './edits.ts';
import { asChoice, lawOf, misfit, transformTo, turnOf } from './laws.ts';
import type { Settings } from './options.ts';
import { fitQuantile, MAX_KNOTS } from './quantile.ts';
import type { LawChoice, NumericField, Transform } from './schema.ts';

export type TransformKind = Transform['kind'];

/** What is known of a numeric column before its values are read. */
export type NumericDraft = Pick<NumericField, 'name' | 'missing' | 'missingShare'> &
  ({ type: 'number' | 'integer' } | { type: 'date'; unit: 'day' | 'second'; format: string });

export interface FitOptions {
  /** The column's own law. */
  readonly likelihood?: LawChoice;
  /** A law for every column whose values are in its set; the others keep the usual one. */
  readonly everywhere?: LawChoice;
  /** Without it, what the law needs. */
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
  const { knots = MAX_KNOTS, range } = options;
  const present = values.filter((v) => !Number.isNaN(v));
  const sorted = withRange(present, range).sort();
  const decimals = draft.type === 'number' ? decimalsIn(sorted) : 0;
  const facts = { min: sorted[0]!, max: sorted.at(-1)!, isWhole: decimals === 0 };
  const { likelihood, kind } = lawFor(draft, facts, options);
  const fitted = {
    ...draft,
    role: 'model' as const,
    likelihood,
    min: facts.min,
    max: facts.max,
    distinct: distinctOf(sorted, options.distinct),
    transform: fits[kind](sorted, decimals !== null, knots),
  };
  return (draft.type === 'number' ? { ...fitted, decimals } : fitted) as NumericField;
}

type Facts = Parameters<typeof misfit>[1];

/** The law of a column and the transform for it. */
function lawFor(draft: NumericDraft, facts: Facts, { likelihood, everywhere, transform }: FitOptions) {
  const fits = (law: LawChoice) => draft.type !== 'date' && misfit(lawOf(law), facts) === undefined;
  const law = likelihood ?? (everywhere !== undefined && fits(everywhere) ? everywhere : 'gaussian');
  const chosen = lawOf(law);
  const { support } = chosen;
  const why =
    misfit(chosen, facts) ??
    (draft.type === 'date' && support !== 'real' ? 'it is not for dates' : undefined);
  if (why)
    throw new UserError(
      `column "${draft.name}", from ${facts.min} to ${facts.max}: likelihood ${JSON.stringify(law)}: ${why}`,
    );
  const kind = transform ?? transformTo(support, asChoice(law).kind)!;
  return { likelihood: law, kind };
}

/** Sorted values → the constants of a transform. */
const fits: Readonly<
  Record<TransformKind, (sorted: Float64Array, onGrid: boolean, knots: number) => Transform>
> = {
  quantile: fitQuantile,
  standard: fitStandard,
  scale: (sorted) => ({ kind: 'scale', scale: sorted[Math.floor(sorted.length / 2)]! }),
  count: () => ({ kind: 'count' }),
  range: (sorted) => rangeOf(sorted[0]!, sorted.at(-1)!),
  turn: (sorted) => ({ kind: 'turn', period: turnOf(sorted[0]!, sorted.at(-1)!)! }),
};

/** Shares are kept as they are; other values take their own range. */
const rangeOf = (min: number, max: number): Transform =>
  min >= 0 && max <= 1
    ? { kind: 'range', low: 0, high: 1 }
    : { kind: 'range', low: min, high: max > min ? max : min + 1 };

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

/** What an edit of a column and the settings of all say of its law. */
export function lawOptions(
  edit: FieldEdit | undefined,
  { likelihood: everywhere }: Pick<Settings, 'likelihood'>,
): Pick<FitOptions, 'likelihood' | 'everywhere' | 'transform'> {
  const { transform, likelihood, role } = edit ?? {};
  return {
    ...(everywhere !== undefined && role !== 'condition' && { everywhere }),
    ...(likelihood !== undefined && { likelihood }),
    ...(typeof transform === 'string' && { transform }),
  };
}
