/** DCI (Eastwood & Williams 2018): which dimensions are used to predict which factor, and how well that goes. */
import { type Classes, type Coded, type Factor, levelsOf, meanOf, varianceOf } from './factors.ts';
import { growForest, type Targets } from './forest.ts';

export interface Dci {
  /** Whether a dimension serves one factor only, dimensions weighted by their use. */
  readonly disentanglement: number;
  /** Whether a factor is served by one dimension only. */
  readonly completeness: number;
  /** How well factors are predicted on the other half of the rows: R² for amounts, accuracy above chance for names. */
  readonly informativeness: number;
}

/** Importances are those of bagged trees, one forest a factor, grown on the even rows and judged on the odd ones. */
export function dci(data: Coded): Dci {
  const half = (odd: number) =>
    Int32Array.from({ length: (data.count + 1 - odd) >> 1 }, (_, i) => 2 * i + odd);
  const [taught, judged] = [half(0), half(1)];
  const served = data.factors.map((factor) => {
    const levels = levelsOf(factor);
    const forest = growForest(data, targetsOf(factor, levels), taught);
    const success = factor.ordered
      ? explained(factor, judged, (row) => forest.predict(row)[0]!)
      : accuracy(levels, judged, (row) => largest(forest.predict(row)));
    return { importance: forest.importance, success };
  });
  const table = Array.from({ length: data.width }, (_, j) => served.map(({ importance }) => importance[j]!));
  const columns = served.map(({ importance }) => Array.from(importance));
  return {
    disentanglement: concentration(table),
    completeness: concentration(columns),
    informativeness: meanOf(Float64Array.from(served, ({ success }) => success)),
  };
}

/** Amounts in units of their standard deviation, names one-hot. */
function targetsOf({ ordered, values }: Factor, { size, of }: Classes): Targets {
  if (ordered) {
    const [mean, scale] = [meanOf(values), Math.sqrt(varianceOf(values)) || 1];
    return { outputs: 1, data: values.map((v) => (v - mean) / scale) };
  }
  const data = new Float64Array(of.length * size);
  of.forEach((c, i) => {
    data[i * size + c] = 1;
  });
  return { outputs: size, data };
}

/** Σᵢ wᵢ (1 − H(rowᵢ)/log n) with the row's shares of its sum, and weights that are the sums' shares; 0 for a table of zeros. */
function concentration(table: readonly (readonly number[])[]): number {
  const n = table[0]?.length ?? 0;
  const sums = table.map((row) => row.reduce((a, b) => a + b, 0));
  const whole = sums.reduce((a, b) => a + b, 0);
  if (whole === 0) return 0;
  if (n === 1) return 1;
  const each = table.map((row, i) => {
    if (sums[i] === 0) return 0;
    const h = row.reduce((sum, v) => (v > 0 ? sum - (v / sums[i]!) * Math.log(v / sums[i]!) : sum), 0);
    return (sums[i]! / whole) * (1 - h / Math.log(n));
  });
  return each.reduce((a, b) => a + b, 0);
}

/** R² of the amounts; predictions are in units of the standard deviation. */
function explained({ values }: Factor, rows: Int32Array, predict: (row: number) => number): number {
  const [mean, variance] = [meanOf(values), varianceOf(values)];
  const errors = Float64Array.from(
    rows,
    (row) => ((values[row]! - mean) / Math.sqrt(variance) - predict(row)) ** 2,
  );
  const spread = varianceOf(Float64Array.from(rows, (row) => values[row]!)) / variance;
  return Math.max(0, 1 - meanOf(errors) / spread);
}

function accuracy({ size, of }: Classes, rows: Int32Array, predict: (row: number) => number): number {
  const hits = rows.filter((row) => predict(row) === of[row]).length / rows.length;
  return Math.max(0, (hits - 1 / size) / (1 - 1 / size));
}

const largest = (values: Float64Array): number => values.indexOf(Math.max(...values));
