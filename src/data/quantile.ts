/**
 * Randomised normal scores: a number of any distribution to N(0, 1) and back. A repeated value owns an
 * interval of probability and is drawn uniformly in it (the distributional transform, Rüschendorf 2009;
 * uniform dequantisation, Theis et al. 2016).
 */
import { normalCdf, normalQuantile } from './normal.ts';
import type { QuantileTransform } from './schema.ts';

/** Most knots a column gets. */
export const MAX_KNOTS = 1000;
const FARTHEST = 12; // model space: how far an unseen extreme may lie from 0

interface Runs {
  /** Different values, ascending, and how often each occurs. */
  readonly values: Float64Array;
  readonly counts: Float64Array;
}

/** Different values and their counts; `sorted` is ascending, without NaN. */
export function countValues(sorted: Float64Array): Runs {
  const values = new Float64Array(sorted.length);
  const counts = new Float64Array(sorted.length);
  let k = -1;
  for (const v of sorted) {
    if (k < 0 || v !== values[k]) values[++k] = v + 0; // −0 becomes 0
    counts[k]!++;
  }
  return { values: values.slice(0, k + 1), counts: counts.slice(0, k + 1) };
}

/**
 * The quantile function of `sorted` on at most about `knots` knots. `grid`: the values are rounded, so that
 * if they repeat each is an atom; otherwise only heavy values are atoms and what lies between is
 * continuous.
 */
export function fitQuantile(sorted: Float64Array, grid: boolean, knots = MAX_KNOTS): QuantileTransform {
  const { values, counts } = countValues(sorted);
  const allAtoms =
    values.length === 1 || (grid && values.length <= knots && sorted.length >= 1.5 * values.length);
  if (allAtoms) return { kind: 'quantile', values: [...values], atoms: [...counts] };
  const heavy = Math.max(2.5, (2 * sorted.length) / knots);
  const build = { values: [] as number[], atoms: [] as number[], between: [] as number[] };
  for (let i = 0; i < values.length; ) {
    let end = i + 1;
    if (counts[i]! < heavy) while (end < values.length && counts[end]! < heavy) end++;
    addRun(
      build,
      { values: values.subarray(i, end), counts: counts.subarray(i, end) },
      sorted.length / (knots / 2),
    );
    i = end;
  }
  build.between.pop();
  return { kind: 'quantile', ...build };
}

/**
 * One atom, or a stretch of light values as a continuous piece whose two ends keep half of their own mass
 * as atoms.
 */
function addRun(
  build: { values: number[]; atoms: number[]; between: number[] },
  run: Runs,
  step: number,
): void {
  const last = run.values.length - 1;
  const mass = (i: number) => run.counts[i]! / 2;
  let held = 0; // mass since the last knot
  let next = 0; // knots are `step` apart, and denser towards both ends
  for (let i = 0; i <= last; i++) {
    const alone = last === 0;
    const end = i === 0 || i === last;
    const rank = Math.min(i, last - i);
    held += i === 0 ? 0 : mass(i - 1) + mass(i);
    const dense = (rank & (rank - 1)) === 0;
    if (!end && !dense && (next += run.counts[i]!) < step) continue;
    if (i > 0) build.between[build.between.length - 1] = held;
    build.values.push(run.values[i]!);
    build.atoms.push(alone ? run.counts[i]! : end ? mass(i) : 0);
    build.between.push(0);
    held = 0;
    next = 0;
  }
}

/** Encoder and decoder of one transform; both work on single values. */
export interface QuantileCodec {
  /** v → z; `u` in [0, 1) places it in its interval of probability (0.5 = the middle). */
  encode(v: number, u: number): number;
  /** z → v within the range seen. */
  decode(z: number): number;
}

export function quantileCodec({ values, atoms, between }: QuantileTransform): QuantileCodec {
  const v = Float64Array.from(values);
  const k = v.length;
  const low = new Float64Array(k); // rows before atom i
  const high = new Float64Array(k); // … and with it
  for (let i = 0; i < k; i++) {
    low[i] = i === 0 ? 0 : high[i - 1]! + (between?.[i - 1] ?? 0);
    high[i] = low[i]! + atoms[i]!;
  }
  const n = high[k - 1]!;
  const first = v[0]!;
  const final = v[k - 1]!;
  const zFirst = normalQuantile(atoms[0]! / 2 / n);
  const zFinal = normalQuantile(1 - atoms[k - 1]! / 2 / n);
  const indexOf = guided(v);
  const knotAt = guided(low);
  const slope = k > 1 ? (zFinal - zFirst) / (final - first) : 1;
  return {
    encode: (x, u) => {
      if (x < first) return Math.max(-FARTHEST, Math.min(zFirst, 0) - (first - x) * slope);
      if (x > final) return Math.min(FARTHEST, Math.max(zFinal, 0) + (x - final) * slope);
      const i = indexOf(x);
      if (x === v[i]) return normalQuantile(inside((low[i]! + u * atoms[i]!) / n));
      const t = (x - v[i]!) / (v[i + 1]! - v[i]!);
      return normalQuantile(inside((high[i]! + t * (low[i + 1]! - high[i]!)) / n));
    },
    decode: (z) => {
      const at = normalCdf(z) * n;
      const i = knotAt(Math.min(at, low[k - 1]!));
      if (at <= high[i]! || i === k - 1) return v[i]!;
      return v[i]! + ((at - high[i]!) / (low[i + 1]! - high[i]!)) * (v[i + 1]! - v[i]!);
    },
  };
}

const EDGE = 2 ** -40;
const inside = (p: number): number => Math.min(1 - EDGE, Math.max(EDGE, p));

/**
 * x → largest i with sorted[i] ≤ x (0 if none), for x between the ends: a table over equal stretches says
 * where to look (Chen & Asau 1974). A stretch holds values of one bucket number, which never decreases with
 * x, so the bounds are exact.
 */
function guided(sorted: Float64Array): (x: number) => number {
  const buckets = 2 * sorted.length;
  const first = sorted[0]!;
  const scale = (buckets - 1) / (sorted.at(-1)! - first);
  const guide = new Int32Array(buckets + 1); // values in earlier buckets
  for (const v of sorted) guide[(((v - first) * scale) | 0) + 1]!++;
  for (let b = 0; b < buckets; b++) guide[b + 1]! += guide[b]!;
  return (x) => {
    const b = ((x - first) * scale) | 0;
    let lo = Math.max(0, guide[b]! - 1);
    let hi = guide[b + 1]! - 1;
    while (lo < hi) {
      const mid = (lo + hi + 1) >> 1;
      if (sorted[mid]! <= x) lo = mid;
      else hi = mid - 1;
    }
    return lo;
  };
}
