/** Codes beside the factors that generated the rows, and the information between them. */

/** What differs between rows and is known. */
export interface Factor {
  readonly name: string;
  /** Whether its values are amounts; otherwise they are names. */
  readonly ordered: boolean;
  /** One for each row; names as 0, 1, … */
  readonly values: Float64Array;
}

/** Rows with their codes and factors. */
export interface Coded {
  readonly count: number;
  readonly width: number;
  /** [count, width] */
  readonly codes: Float32Array;
  readonly factors: readonly Factor[];
}

/** A column in classes 0 … size − 1. */
export interface Classes {
  readonly size: number;
  readonly of: Int32Array;
}

/** A code or factor in so many classes at most (Locatello et al. 2019). */
export const BINS = 20;
const MOST_LEVELS = 64;
const IDLE = 0.0025; // of the largest variance

export const codeOf = ({ count, width, codes }: Coded, j: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => codes[i * width + j]!);

/** Dimensions that vary: not those whose variance is under 1/400 of the largest. */
export function varyingDimensions(data: Coded): number[] {
  const variances = Array.from({ length: data.width }, (_, j) => varianceOf(codeOf(data, j)));
  const least = IDLE * Math.max(...variances);
  return variances.flatMap((v, j) => (v > 0 && v >= least ? [j] : []));
}

export function meanOf(values: Float64Array): number {
  let sum = 0;
  for (const v of values) sum += v;
  return sum / values.length;
}

export function varianceOf(values: Float64Array): number {
  const mean = meanOf(values);
  let sum = 0;
  for (const v of values) sum += (v - mean) ** 2;
  return sum / values.length;
}

/** Only these dimensions and rows. */
export function select(data: Coded, dimensions: readonly number[], rows?: Int32Array): Coded {
  const at = rows ?? Int32Array.from({ length: data.count }, (_, i) => i);
  const codes = new Float32Array(at.length * dimensions.length);
  at.forEach((row, i) => {
    dimensions.forEach((j, k) => {
      codes[i * dimensions.length + k] = data.codes[row * data.width + j]!;
    });
  });
  const factors = data.factors.map((f) => ({ ...f, values: Float64Array.from(at, (row) => f.values[row]!) }));
  return { count: at.length, width: dimensions.length, codes, factors };
}

/** The values of a factor as classes: each its own, or where they are very many as many rows in each of twenty. */
export function levelsOf({ values }: Pick<Factor, 'values'>): Classes {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  if (distinct.length <= MOST_LEVELS) {
    const place = new Map(distinct.map((v, i) => [v, i]));
    return { size: distinct.length, of: Int32Array.from(values, (v) => place.get(v)!) };
  }
  return byRank(values);
}

function byRank(values: Float64Array): Classes {
  const order = Array.from(values.keys()).sort((a, b) => values[a]! - values[b]!);
  const of = new Int32Array(values.length);
  let first = 0;
  order.forEach((row, rank) => {
    if (rank > 0 && values[row] !== values[order[rank - 1]!]) first = rank;
    of[row] = Math.floor((BINS * first) / values.length);
  });
  return { size: BINS, of };
}

/** A code in twenty classes of one width. */
export function binned(values: Float64Array): Classes {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const v of values) {
    low = Math.min(low, v);
    high = Math.max(high, v);
  }
  const width = (high - low) / BINS || 1;
  return {
    size: BINS,
    of: Int32Array.from(values, (v) => Math.min(BINS - 1, Math.floor((v - low) / width))),
  };
}

/** −Σ p log p + (occupied − 1)/2n nats: the bias of few rows mended (Miller 1955). */
function entropyOf(counts: Float64Array, n: number): number {
  let [sum, occupied] = [0, 0];
  for (const count of counts) {
    if (count === 0) continue;
    sum -= (count / n) * Math.log(count / n);
    occupied++;
  }
  return sum + (occupied - 1) / (2 * n);
}

export function entropy({ size, of }: Classes): number {
  const counts = new Float64Array(size);
  for (const c of of) counts[c]!++;
  return entropyOf(counts, of.length);
}

/** I(a; b) = H(a) + H(b) − H(a, b) ≥ 0, nats. */
export function mutualInformation(a: Classes, b: Classes): number {
  const both = new Float64Array(a.size * b.size);
  for (let i = 0; i < a.of.length; i++) both[a.of[i]! * b.size + b.of[i]!]!++;
  return Math.max(0, entropy(a) + entropy(b) - entropyOf(both, a.of.length));
}

/** I(codeⱼ; factorₖ) by [dimension][factor], and the factors' entropies. */
export function informationTable(data: Coded) {
  const factors = data.factors.map(levelsOf);
  const codes = Array.from({ length: data.width }, (_, j) => binned(codeOf(data, j)));
  return {
    information: codes.map((code) => factors.map((factor) => mutualInformation(code, factor))),
    entropies: factors.map(entropy),
  };
}

/** Largest and second largest. */
export function topTwo(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => b - a);
  return [sorted[0] ?? 0, sorted[1] ?? 0];
}
