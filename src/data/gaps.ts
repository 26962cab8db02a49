/** Values that are not there, and what draws of one say of it. */
import { directionIn, rounder } from './number-codec.ts';
import type { Column } from './rows.ts';
import { decimalsOf, isNumeric, type ModelField, type NumericField } from './schema.ts';

/** Whether row `i` of a field's column has no value. */
export const isMissing = (field: ModelField, column: Column, i: number): boolean =>
  isNumeric(field) ? Number.isNaN(column[i]!) : field.type !== 'image' && column[i]! < 0;

/** Whether the expectation of a value is not where the expectation in model space comes back to: normal scores, angles. */
export const isCurved = (field: ModelField): field is NumericField =>
  isNumeric(field) && (field.transform.kind === 'quantile' || field.transform.kind === 'turn');

export interface Moments {
  /** On the grid of the data. */
  readonly mean: number;
  readonly deviation: number;
}

/** Of draws of one value; of angles the direction of their sum, and √(−2 log of its length) (Mardia & Jupp 2000, section 2.3). */
export function momentsOf(field: NumericField, draws: Float64Array): Moments {
  const { transform } = field;
  const { mean, deviation } =
    transform.kind === 'turn' ? angular(draws, transform.period, field) : linear(draws);
  return { mean: rounder(decimalsOf(field))(mean), deviation };
}

function linear(draws: Float64Array): Moments {
  let mean = 0;
  for (const v of draws) mean += v / draws.length;
  let squares = 0;
  for (const v of draws) squares += (v - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / Math.max(1, draws.length - 1)) };
}

function angular(draws: Float64Array, period: number, field: NumericField): Moments {
  let [sine, cosine] = [0, 0];
  for (const v of draws) {
    const angle = (2 * Math.PI * v) / period;
    sine += Math.sin(angle) / draws.length;
    cosine += Math.cos(angle) / draws.length;
  }
  const mean = (period * Math.atan2(sine, cosine)) / (2 * Math.PI);
  const length = Math.min(1, Math.hypot(sine, cosine));
  return {
    mean: directionIn(field, period, mean),
    deviation: (period * Math.sqrt(-2 * Math.log(length))) / (2 * Math.PI),
  };
}
