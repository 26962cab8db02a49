/** A mixture of Gaussians, fitted by expectation and maximisation (Dempster et al. 1977; Bishop 2006, section 9.2). */
import type { Variates } from '../random/index.ts';
import { type Covariance, covariances } from './covariance.ts';

/** K components over D dimensions. */
export interface Mixture {
  readonly dimensions: number;
  readonly covariance: Covariance;
  readonly logWeights: Float64Array; // [K]
  readonly means: Float64Array; // [K, D]
  /** L of each Σ = L Lᵀ, packed. */
  readonly roots: Float64Array; // [K, size]
}

const LOG_2PI = Math.log(2 * Math.PI);

/** log πₖ N(x; μₖ, Σₖ) for each component, into `out` [K]; x is the row of `rows` that starts at `at`. */
function logJoint({ dimensions: d, covariance, logWeights, means, roots }: Mixture) {
  const form = covariances[covariance];
  const size = form.size(d);
  const v = new Float64Array(d);
  const constants = logWeights.map((w, k) => {
    let logDeterminant = 0; // of L
    for (let i = 0; i < d; i++) logDeterminant += Math.log(roots[k * size + form.diagonal(i)]!);
    return w - 0.5 * d * LOG_2PI - logDeterminant;
  });
  return (rows: Float32Array, at: number, out: Float64Array): void => {
    for (let k = 0; k < out.length; k++) {
      for (let i = 0; i < d; i++) v[i] = rows[at + i]! - means[k * d + i]!;
      form.solve(roots, k * size, v);
      let squares = 0;
      for (let i = 0; i < d; i++) squares += v[i]! ** 2;
      out[k] = constants[k]! - 0.5 * squares;
    }
  };
}

function logSumExp(x: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const v of x) largest = Math.max(largest, v);
  let sum = 0;
  for (const v of x) sum += Math.exp(v - largest);
  return largest + Math.log(sum);
}

/** log p(x) of each row. */
export function mixtureLogProbs(mixture: Mixture, rows: Float32Array): Float64Array {
  const joint = logJoint(mixture);
  const each = new Float64Array(mixture.logWeights.length);
  return new Float64Array(rows.length / mixture.dimensions).map((_, n) => {
    joint(rows, n * mixture.dimensions, each);
    return logSumExp(each);
  });
}

/** Rows [count, D]: a component by its weight, then μ + T · L ε. */
export function drawMixture(
  mixture: Mixture,
  count: number,
  random: Variates,
  temperature: number,
): Float32Array {
  const { dimensions: d, covariance, logWeights, means, roots } = mixture;
  const form = covariances[covariance];
  const out = new Float32Array(count * d);
  const v = new Float64Array(d);
  for (let n = 0; n < count; n++) {
    const k = random.categorical(logWeights);
    for (let i = 0; i < d; i++) v[i] = temperature * random.normal();
    form.apply(roots, k * form.size(d), v);
    for (let i = 0; i < d; i++) out[n * d + i] = means[k * d + i]! + v[i]!;
  }
  return out;
}

/** Weighted counts, sums and squares of rows about a centre for each component, which keeps differences small. */
interface Moments {
  readonly centres: Float64Array; // [K, D]
  readonly counts: Float64Array; // [K]
  readonly sums: Float64Array; // [K, D]
  readonly squares: Float64Array; // [K, size]
}

interface Problem {
  readonly rows: Float32Array; // [N, D]
  readonly dimensions: number;
  readonly components: number;
  readonly covariance: Covariance;
  readonly random: Variates;
  /** Added to every variance, so that no component shrinks onto a point. */
  readonly floor: number;
}

function momentsAbout(centres: Float64Array, { dimensions: d, components, covariance }: Problem) {
  const form = covariances[covariance];
  const size = form.size(d);
  const moments: Moments = {
    centres,
    counts: new Float64Array(components),
    sums: new Float64Array(components * d),
    squares: new Float64Array(components * size),
  };
  const v = new Float64Array(d);
  const add = (rows: Float32Array, at: number, k: number, weight: number): void => {
    for (let i = 0; i < d; i++) {
      v[i] = rows[at + i]! - centres[k * d + i]!;
      moments.sums[k * d + i]! += weight * v[i]!;
    }
    moments.counts[k]! += weight;
    form.addSquare(moments.squares, k * size, v, weight);
  };
  return { moments, add };
}

const LEAST = 1e-3; // rows, below which a component has none of its own

/** π = Nₖ / N, μ and Σ of the rows of each component (Bishop 2006, eq. 9.24 to 9.26); one without rows stays where it is, as wide as all. */
function maximise(
  { centres, counts, sums, squares }: Moments,
  problem: Problem,
  whole: Float64Array,
): Mixture {
  const { dimensions: d, components, covariance, rows } = problem;
  const form = covariances[covariance];
  const size = form.size(d);
  const shifts = sums.map((v, i) => v / Math.max(counts[Math.floor(i / d)]!, LEAST));
  const roots = new Float64Array(components * size);
  for (let k = 0; k < components; k++) {
    const sigma = squares.slice(k * size, (k + 1) * size).map((v) => v / counts[k]!);
    form.addSquare(sigma, 0, shifts.subarray(k * d, (k + 1) * d), -1);
    roots.set(raisedRoot(counts[k]! > LEAST ? sigma : whole, problem, problem.floor), k * size);
  }
  const total = rows.length / d;
  return {
    dimensions: d,
    covariance,
    logWeights: counts.map((n) => Math.log(Math.max(n, LEAST) / total)),
    means: centres.map((centre, i) => centre + shifts[i]!),
    roots,
  };
}

/** The root of Σ with `added` on its diagonal, or with as many times ten of it as it takes. */
function raisedRoot(sigma: Float64Array, problem: Problem, added: number): Float64Array {
  const form = covariances[problem.covariance];
  const raised = sigma.slice();
  for (let i = 0; i < problem.dimensions; i++) raised[form.diagonal(i)]! += added;
  return form.root(raised, problem.dimensions) ?? raisedRoot(sigma, problem, added * 10);
}

/** Rows picked one after the other, each with a probability ∝ its squared distance to those before (Arthur & Vassilvitskii 2007). */
function spreadOut({ rows, dimensions: d, components, random }: Problem): Float64Array {
  const n = rows.length / d;
  const centres = new Float64Array(components * d);
  const distances = new Float64Array(n).fill(Number.POSITIVE_INFINITY);
  let chosen = Math.floor(random.uniform() * n);
  for (let k = 0; k < components; k++) {
    for (let i = 0; i < d; i++) centres[k * d + i] = rows[chosen * d + i]!;
    let total = 0;
    for (let row = 0; row < n; row++) {
      distances[row] = Math.min(distances[row]!, squaredDistance(rows, row * d, centres, k * d, d));
      total += distances[row]!;
    }
    let left = random.uniform() * total;
    chosen = distances.findIndex((v) => (left -= v) < 0);
    if (chosen < 0) chosen = Math.floor(random.uniform() * n); // all rows are where a centre is
  }
  return centres;
}

function squaredDistance(a: Float32Array, at: number, b: Float64Array, from: number, d: number): number {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += (a[at + i]! - b[from + i]!) ** 2;
  return sum;
}

/** Each row counted to the nearest centre. */
function assign(centres: Float64Array, problem: Problem): Moments {
  const { rows, dimensions: d, components } = problem;
  const { moments, add } = momentsAbout(centres, problem);
  for (let at = 0; at < rows.length; at += d) {
    let [best, least] = [0, Number.POSITIVE_INFINITY];
    for (let k = 0; k < components; k++) {
      const distance = squaredDistance(rows, at, centres, k * d, d);
      if (distance < least) [best, least] = [k, distance];
    }
    add(rows, at, best, 1);
  }
  return moments;
}

/** Each row counted to every component by its responsibility (Bishop 2006, eq. 9.23); and the mean log p(x). */
function expect(mixture: Mixture, problem: Problem): { moments: Moments; logProb: number } {
  const { rows, dimensions: d, components } = problem;
  const { moments, add } = momentsAbout(mixture.means, problem);
  const joint = logJoint(mixture);
  const each = new Float64Array(components);
  let total = 0;
  for (let at = 0; at < rows.length; at += d) {
    joint(rows, at, each);
    const logProb = logSumExp(each);
    total += logProb;
    for (let k = 0; k < components; k++) {
      const part = Math.exp(each[k]! - logProb);
      if (part > NOTHING) add(rows, at, k, part);
    }
  }
  return { moments, logProb: total / (rows.length / d) };
}

const NOTHING = 1e-10;
const FLOOR = 1e-6; // of the mean variance
const LEAST_VARIANCE = 1e-12; // also where all rows are the same
const SETTLED = 1e-4; // nats a row
const MOVES = 10; // of the centres, before there are variances

export interface MixtureOptions extends Omit<Problem, 'floor'> {
  /** Iterations at most. */
  readonly rounds: number;
  readonly signal?: { readonly aborted: boolean } | undefined;
}

/** Yields the mean log p(x) of the rows in each iteration, until it no longer grows. */
export function* fitMixture({ rounds, signal, ...given }: MixtureOptions): Generator<number, Mixture> {
  const { dimensions: d, covariance, rows } = given;
  const one = { ...given, components: 1, floor: 0 };
  const all = assign(new Float64Array(d), one);
  const centre = all.sums.map((v) => v / (rows.length / d));
  const whole = assign(centre, one).squares.map((v) => v / (rows.length / d));
  const form = covariances[covariance];
  const variance = centre.reduce((sum, _, i) => sum + whole[form.diagonal(i)]! / d, 0);
  const problem = { ...given, floor: FLOOR * variance + LEAST_VARIANCE };
  let centres = spreadOut(problem);
  for (let i = 0; i < MOVES; i++) {
    const { counts, sums } = assign(centres, problem);
    centres = centres.map((v, j) => v + sums[j]! / Math.max(1, counts[Math.floor(j / d)]!));
  }
  let mixture = maximise(assign(centres, problem), problem, whole);
  let before = Number.NEGATIVE_INFINITY;
  for (let round = 0; round < rounds; round++) {
    const { moments, logProb } = expect(mixture, problem);
    yield logProb;
    if (logProb - before < SETTLED || signal?.aborted) break;
    before = logProb;
    mixture = maximise(moments, problem, whole);
  }
  return mixture;
}
