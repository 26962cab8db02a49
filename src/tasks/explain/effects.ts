/** What moving one dimension of z does to each field, in the field's own units. */
import { type Column, type ModelField, modelFields, type Rows, type Schema } from '../../data/index.ts';
import { wordsOf } from '../../data/one-hot-codec.ts';
import { type Move, type Points, pointsOf, variances } from '../../metrics/index.ts';
import type { View } from './response.ts';

/** The probability of a category, or of a yes. */
export interface WordEffect {
  readonly word: string;
  readonly low: number;
  readonly high: number;
  readonly sensitivity: number;
}

export interface Effect {
  readonly field: string;
  /** Of `low`, `high`, `change` and `sensitivity`: `days`, `probability`, `/ 255`, or '' for the field's own. */
  readonly unit: string;
  /** The mean at both ends of the move; of a date in units since 1970. Absent for categories and pictures. */
  readonly low?: number;
  readonly high?: number;
  /** Of the mean; of categories the probability that goes from some words to others; of pictures the mean absolute change of a pixel. */
  readonly change: number;
  /** The size of the change beside the standard deviation of the field in the data. */
  readonly strength: number;
  /** σ · the root mean square of ∂E[field]/∂z over rows; of categories of the whole vector, of pictures over pixels too. */
  readonly sensitivity: number;
  /** Of a category or a boolean, the one that changes most first. */
  readonly words?: readonly WordEffect[];
}

/** Total variance of each field of `rows`, in the unit of its response squared: of pictures that of a pixel. */
export function totalVariances(views: readonly View[], schema: Schema, rows: Rows): number[] {
  const fields = modelFields(schema);
  return views.map((view) => {
    const column = rows.columns[fields.findIndex(({ name }) => name === view.field.name)]!;
    const each = variances(valuesOf(view, column), () => view.period);
    const total = each.reduce((a, b) => a + b, 0);
    return view.field.type === 'image' ? total / each.length : total;
  });
}

/** The values of a field as points: categories one-hot, those that are missing left out. */
function valuesOf({ field, size }: View, column: Column): Points {
  if (field.type === 'image') return pointsOf(Float32Array.from(column), size);
  if (field.type !== 'category' && field.type !== 'boolean') return pointsOf(Float64Array.from(column), 1);
  const there = Array.from(column).filter((code) => code >= 0);
  const out = new Float32Array(there.length * size);
  for (const [i, code] of there.entries()) out[i * size + code] = 1;
  return pointsOf(out, size);
}

export interface Found {
  readonly move: Move;
  /** σ · root mean square of the slopes, entry by entry. */
  readonly steepness: Float64Array;
}

/** The fields that change most first. */
export const effectsOf = (views: readonly View[], totals: readonly number[], found: Found): Effect[] =>
  views.map((view, i) => effectOf(view, totals[i]!, found)).sort((a, b) => b.strength - a.strength);

function effectOf(view: View, total: number, { move, steepness }: Found): Effect {
  const { field, start, size } = view;
  const own = (all: Float64Array) => all.subarray(start, start + size);
  const norm = (all: Float64Array) => Math.hypot(...own(all));
  const beside = (change: number) => (total > 0 ? change / Math.sqrt(total) : 0);
  const common = { field: field.name, unit: unitOf(field) };
  if (field.type === 'image') {
    const overPixels = (all: Float64Array) => own(all).reduce((a, b) => a + b, 0) / size;
    return {
      ...common,
      change: overPixels(move.absolute),
      strength: beside(Math.sqrt(overPixels(move.square))),
      sensitivity: Math.sqrt(overPixels(steepness.map((v) => v * v))),
    };
  }
  if (field.type === 'category' || field.type === 'boolean')
    return {
      ...common,
      change: own(move.change).reduce((sum, v) => sum + Math.abs(v) / 2, 0),
      strength: beside(norm(move.change)),
      sensitivity: norm(steepness),
      words: wordEffects(wordsOf(field), start, { move, steepness }),
    };
  const change = move.change[start]!;
  return {
    ...common,
    low: move.low[start]!,
    high: move.high[start]!,
    change,
    strength: beside(Math.abs(change)),
    sensitivity: steepness[start]!,
  };
}

function unitOf(field: ModelField): string {
  if (field.type === 'image') return '/ 255';
  if (field.type === 'date') return `${field.unit}s`;
  return field.type === 'category' || field.type === 'boolean' ? 'probability' : '';
}

const wordEffects = (words: readonly string[], start: number, { move, steepness }: Found): WordEffect[] =>
  words
    .map((word, c) => ({
      word,
      low: move.low[start + c]!,
      high: move.high[start + c]!,
      sensitivity: steepness[start + c]!,
    }))
    .sort((a, b) => Math.abs(b.high - b.low) - Math.abs(a.high - a.low));
