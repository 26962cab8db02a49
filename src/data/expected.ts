/** The mean of a field in its own units, from the mean and the standard deviation of its law in model space. */
import { normalCdf, normalQuantile } from './normal.ts';
import { numberScale } from './number-codec.ts';
import { isNumeric, type ModelField, type QuantileTransform } from './schema.ts';

export interface Expected {
  /** E[v] */
  readonly value: (mean: number, deviation: number) => number;
  /** ∂E[v]/∂mean and ∂E[v]/∂deviation */
  readonly slopes: (mean: number, deviation: number) => readonly [number, number];
}

/** Grey levels or levels of a colour, 0 to 255. */
const LEVELS = 255;

/** Of one feature: categories are probabilities and stay so, pixels become levels. Nothing is rounded or held within a range. */
export function expectedOf(field: ModelField): Expected {
  if (field.type === 'image') return straight(0, LEVELS);
  if (!isNumeric(field)) return straight(0, 1);
  if (field.transform.kind === 'quantile') return throughQuantiles(field.transform);
  const { fromModel } = numberScale(field);
  if (field.transform.kind === 'turn') return { ...straight(0, fromModel(1)), value: fromModel };
  return straight(fromModel(0), fromModel(1) - fromModel(0));
}

const straight = (zero: number, unit: number): Expected => ({
  value: (mean) => zero + unit * mean,
  slopes: () => [unit, 0],
});

const LEAST = 1e-6; // of a deviation

/**
 * x ~ N(mean, deviation²) through the quantile function: E[v] = v₀ + ∫ P(v > t) dt, a sum of (vᵢ₊₁ − vᵢ) Φ((mean − xᵢ)/deviation)
 * over the places xᵢ where x goes from one knot to the next. It is smooth where the function itself is made of steps.
 */
function throughQuantiles({ values, atoms, between }: QuantileTransform): Expected {
  const rows = atoms.reduce((a, b) => a + b, 0) + (between ?? []).reduce((a, b) => a + b, 0);
  const rises = values.slice(1).map((v, i) => v - values[i]!);
  let below = 0;
  const places = rises.map((_, i) => {
    const gap = between?.[i] ?? 0;
    below += atoms[i]!;
    const middle = normalQuantile((below + gap / 2) / rows);
    below += gap;
    return middle;
  });
  const each = (mean: number, deviation: number) => {
    const scale = Math.max(LEAST, deviation);
    return { scale, at: (i: number) => (mean - places[i]!) / scale };
  };
  return {
    value: (mean, deviation) => {
      const { at } = each(mean, deviation);
      return rises.reduce((sum, rise, i) => sum + rise * normalCdf(at(i)), values[0]!);
    },
    slopes: (mean, deviation) => {
      const { scale, at } = each(mean, deviation);
      let [byMean, byDeviation] = [0, 0];
      rises.forEach((rise, i) => {
        const density = (rise * normalDensity(at(i))) / scale;
        byMean += density;
        byDeviation -= density * at(i);
      });
      return [byMean, byDeviation];
    },
  };
}

const normalDensity = (u: number): number => Math.exp(-0.5 * u * u) / Math.sqrt(2 * Math.PI);
