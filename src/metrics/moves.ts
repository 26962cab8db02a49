/** How far a response of many entries moves between two ends, and how steeply: means over rows, entry by entry. */
import type { Points } from './points.ts';

/** Length of the turn that an entry is a part of; undefined where it is a plain number. */
export type PeriodOf = (entry: number) => number | undefined;

/** [width] each. */
export interface Move {
  /** Means at both ends; of angles, mean directions. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Of high − low, the shorter way round of angles: its mean, and the means of its absolute value and of its square. */
  readonly change: Float64Array;
  readonly absolute: Float64Array;
  readonly square: Float64Array;
}

/** `low` and `high` are of the same rows. */
export function moveBetween(low: Points, high: Points, periodOf: PeriodOf): Move {
  const change = (i: number, entry: number) => shorterWay(high.data[i]! - low.data[i]!, periodOf(entry));
  return {
    low: centres(low, periodOf),
    high: centres(high, periodOf),
    change: meanBy(low, change),
    absolute: meanBy(low, (i, entry) => Math.abs(change(i, entry))),
    square: meanBy(low, (i, entry) => change(i, entry) ** 2),
  };
}

/** A difference; of angles the shorter way round. */
export const shorterWay = (difference: number, period: number | undefined): number =>
  period === undefined ? difference : difference - period * Math.round(difference / period);

/** √(1/N Σ v²) of each entry. */
export const rootMeanSquare = (points: Points): Float64Array =>
  meanBy(points, (i) => points.data[i]! ** 2).map(Math.sqrt);

/** Mean square of the way from the mean, entry by entry; NaN is left out. */
export function variances({ count, width, data }: Points, periodOf: PeriodOf): Float64Array {
  return Float64Array.from({ length: width }, (_, entry) => {
    const own = Float64Array.from({ length: count }, (__, i) => data[i * width + entry]!).filter(
      (v) => !Number.isNaN(v),
    );
    const period = periodOf(entry);
    const centre = centreOf(own, period);
    return own.reduce((sum, v) => sum + shorterWay(v - centre, period) ** 2, 0) / own.length;
  });
}

const centres = ({ count, width, data }: Points, periodOf: PeriodOf): Float64Array =>
  Float64Array.from({ length: width }, (_, entry) =>
    centreOf(
      Float64Array.from({ length: count }, (__, i) => data[i * width + entry]!),
      periodOf(entry),
    ),
  );

/** The mean; of angles the mean direction. */
function centreOf(values: Float64Array, period: number | undefined): number {
  if (period === undefined) return values.reduce((a, b) => a + b, 0) / values.length;
  const turn = (2 * Math.PI) / period;
  const [sine, cosine] = [Math.sin, Math.cos].map((f) => values.reduce((sum, v) => sum + f(v * turn), 0));
  const mean = Math.atan2(sine!, cosine!) / turn;
  return mean < 0 ? mean + period : mean;
}

function meanBy({ count, width }: Points, value: (i: number, entry: number) => number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < count * width; i++) sums[i % width]! += value(i, i % width);
  return sums.map((sum) => sum / count);
}
