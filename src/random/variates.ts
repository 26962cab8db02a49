/** One random number after another from a stream, for laws whose parameters differ from draw to draw. Double precision. */
import type { Stream } from './stream.ts';

export interface Variates {
  /** In the open interval (0, 1). */
  readonly uniform: () => number;
  readonly normal: () => number;
  /** Γ(shape, scale 1), any shape > 0. */
  readonly gamma: (shape: number) => number;
  /** Beta(a, b) in [0, 1], any a, b > 0. */
  readonly beta: (a: number, b: number) => number;
  readonly poisson: (rate: number) => number;
  /** How many of `trials` come out, each with probability `chance`. */
  readonly binomial: (trials: number, chance: number) => number;
  /** Index i with probability ∝ exp(logits[i]). */
  readonly categorical: (logits: ArrayLike<number>) => number;
  /** An angle in (−π, π] around `mean` with concentration κ ≥ 0. */
  readonly vonMises: (mean: number, concentration: number) => number;
}

const BUFFER = 1024;

/** Draws of a kind handed out one by one. */
function oneByOne(fill: (out: Float32Array) => void): () => number {
  const buffer = new Float32Array(BUFFER);
  let used = BUFFER;
  return () => {
    if (used === BUFFER) {
      fill(buffer);
      used = 0;
    }
    return buffer[used++]!;
  };
}

export function variates(stream: Stream): Variates {
  const uniform = oneByOne((out) => stream.uniform(out));
  const normal = oneByOne((out) => stream.normal(out));
  const gamma = (shape: number): number => drawGamma(shape, uniform, normal);
  return {
    uniform,
    normal,
    gamma,
    beta: (a, b) => 1 / (1 + Math.exp(logGamma(b, uniform, normal) - logGamma(a, uniform, normal))),
    poisson: (rate) => drawPoisson(rate, uniform, gamma),
    binomial: (trials, chance) => drawBinomial(trials, chance, uniform, gamma),
    categorical: (logits) => drawCategorical(logits, uniform),
    vonMises: (mean, concentration) => drawVonMises(mean, concentration, uniform, normal),
  };
}

/** Marsaglia & Tsang (2000). */
function drawGamma(shape: number, uniform: () => number, normal: () => number): number {
  if (!(shape > 0)) return Number.NaN;
  if (shape < 1) return Math.exp(logGamma(shape, uniform, normal));
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}

/** The logarithm of a gamma variate, which may itself be below the least number: a shape below 1 by Γ(a) = Γ(a + 1) · U^(1/a). */
const logGamma = (shape: number, uniform: () => number, normal: () => number): number =>
  shape < 1
    ? Math.log(drawGamma(shape + 1, uniform, normal)) + Math.log(uniform()) / shape
    : Math.log(drawGamma(shape, uniform, normal));

const MOST_STEPS = 30;

/** By counting arrivals up to a rate of 30; above, halved by the time of the m-th arrival (Ahrens & Dieter 1974). */
function drawPoisson(rate: number, uniform: () => number, gamma: (shape: number) => number): number {
  if (!(rate >= 0 && rate < Number.POSITIVE_INFINITY)) return Number.NaN;
  let counted = 0;
  let left = rate;
  while (left > MOST_STEPS) {
    const m = Math.floor((7 / 8) * left);
    const time = gamma(m);
    if (time > left) return counted + drawBinomial(m - 1, left / time, uniform, gamma);
    counted += m;
    left -= time;
  }
  const limit = Math.exp(-left);
  for (let product = uniform(); product > limit; product *= uniform()) counted++;
  return counted;
}

/** Of n trials those below p, by halving at the median order statistic, a beta variate (Relles 1972; Ahrens & Dieter 1974). */
function drawBinomial(n: number, p: number, uniform: () => number, gamma: (shape: number) => number): number {
  let [trials, chance, counted] = [n, p, 0];
  while (trials > MOST_STEPS) {
    const i = Math.floor(trials / 2) + 1;
    const a = gamma(i);
    const split = a / (a + gamma(trials + 1 - i));
    if (split <= chance) {
      counted += i;
      chance = (chance - split) / (1 - split);
      trials -= i;
    } else {
      chance /= split;
      trials = i - 1;
    }
  }
  for (let t = 0; t < trials; t++) if (uniform() < chance) counted++;
  return counted;
}

function drawCategorical(logits: ArrayLike<number>, uniform: () => number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < logits.length; i++) largest = Math.max(largest, logits[i]!);
  let total = 0;
  for (let i = 0; i < logits.length; i++) total += Math.exp(logits[i]! - largest);
  let left = uniform() * total;
  for (let i = 0; i < logits.length - 1; i++) {
    left -= Math.exp(logits[i]! - largest);
    if (left < 0) return i;
  }
  return logits.length - 1;
}

/** Beyond, von Mises is a normal of variance 1/κ to seven digits. */
const NORMAL_FROM = 1e6;

/** Best & Fisher (1979), with their ρ in a form that does not cancel. */
function drawVonMises(
  mean: number,
  concentration: number,
  uniform: () => number,
  normal: () => number,
): number {
  const wrap = (angle: number) => angle - 2 * Math.PI * Math.ceil((angle - Math.PI) / (2 * Math.PI));
  if (!(concentration >= 0)) return Number.NaN;
  if (concentration < 1e-9) return wrap(mean + 2 * Math.PI * uniform());
  if (concentration > NORMAL_FROM) return wrap(mean + normal() / Math.sqrt(concentration));
  const tau = 1 + Math.sqrt(1 + 4 * concentration ** 2);
  const rho = (2 * concentration) / (tau + Math.sqrt(2 * tau));
  const r = (1 + rho ** 2) / (2 * rho);
  for (;;) {
    const cosine = Math.cos(Math.PI * uniform());
    const f = Math.min(1, (1 + r * cosine) / (r + cosine));
    const c = concentration * (r - f);
    const u = uniform();
    if (c * (2 - c) > u || Math.log(c / u) + 1 - c >= 0)
      return wrap(mean + (uniform() < 0.5 ? -1 : 1) * Math.acos(f));
  }
}
