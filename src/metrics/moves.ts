/** How far a response of many entries moves between two ends, and how steeply: means over rows, entry by entry. */
import type { Points } from './points.ts';

/** [width] each. */
export interface Move {
  /** Means at both ends; of what has a period, mean directions. */
  readonly low: Float64Array;
  readonly high: Float64Array;
  /** Of high − low: its mean, of the absolute value, of the square. Of what has a period the shorter way round. */
  readonly change: Float64Array;
  readonly absolute: Float64Array;
  readonly square: Float64Array;
}

/** `low` and `high` are of the same rows; an entry's `period` is undefined where it has none. */
export function moveBetween(low: Points, high: Points, period: (entry: number) => number | undefined): Move {
  const difference = (i: number, entry: number) => {
    const plain = high.data[i]! - low.data[i]!;
    const turn = period(entry);
    return turn === undefined ? plain : plain - turn * Math.round(plain / turn);
  };
  return {
    low: directions(low, period),
    high: directions(high, period),
    change: meanBy(low, difference),
    absolute: meanBy(low, (i, entry) => Math.abs(difference(i, entry))),
    square: meanBy(low, (i, entry) => difference(i, entry) ** 2),
  };
}

/** √(1/N Σ v²) of each entry. */
export const rootMeanSquare = (points: Points): Float64Array =>
  meanBy(points, (i) => points.data[i]! ** 2).map(Math.sqrt);

function directions(points: Points, period: (entry: number) => number | undefined): Float64Array {
  const plain = meanBy(points, (i) => points.data[i]!);
  return plain.map((mean, entry) => {
    const turn = period(entry);
    return turn === undefined ? mean : meanDirection(points, entry, turn);
  });
}

function meanDirection({ count, width, data }: Points, entry: number, turn: number): number {
  let [sine, cosine] = [0, 0];
  for (let i = entry; i < count * width; i += width) {
    const angle = (2 * Math.PI * data[i]!) / turn;
    sine += Math.sin(angle);
    cosine += Math.cos(angle);
  }
  const mean = (Math.atan2(sine, cosine) * turn) / (2 * Math.PI);
  return mean < 0 ? mean + turn : mean;
}

function meanBy({ count, width }: Points, value: (i: number, entry: number) => number): Float64Array {
  const sums = new Float64Array(width);
  for (let i = 0; i < count * width; i++) sums[i % width]! += value(i, i % width);
  return sums.map((sum) => sum / count);
}
