/** The aggregated posterior q(z) = 1/N Σₙ q(z|xₙ) of diagonal Gaussians: what the KL is made of, and where the prior has holes. */
import { around, type Estimate, meanOf, moments, shareOf } from './estimate.ts';
import type { Points } from './points.ts';

/** q(z|xₙ) of N rows, [count, width] each. */
export interface Gaussians {
  readonly count: number;
  readonly width: number;
  readonly mean: Float32Array;
  readonly logVar: Float32Array;
}

/** Log densities of one draw z of each row, nats. */
export interface Densities {
  /** log q(zᵢ|xᵢ) − log q(zᵢ) */
  readonly information: Float64Array;
  /** The same against the mixture of the other rows alone. */
  readonly informationOfOthers: Float64Array;
  /** log q(zᵢ) under the other rows. */
  readonly logQzOfOthers: Float64Array;
  /** log q(zᵢⱼ|xᵢ) − log q(zᵢⱼ), [count, width] */
  readonly informationByDimension: Float64Array;
}

const LOG_2PI = Math.log(2 * Math.PI);

/** Precisions and constants of the densities, once for all. */
function prepared({ logVar }: Gaussians) {
  const halfPrecision = Float64Array.from(logVar, (v) => 0.5 * Math.exp(-v));
  const constant = Float64Array.from(logVar, (v) => -0.5 * (v + LOG_2PI));
  return { halfPrecision, constant };
}

/** Sums of exponentials without overflow. */
function logSumExp(values: Float64Array, skip = -1): number {
  let [most, sum] = [Number.NEGATIVE_INFINITY, 0];
  for (let i = 0; i < values.length; i++) if (i !== skip && values[i]! > most) most = values[i]!;
  if (most === Number.NEGATIVE_INFINITY) return most;
  for (let i = 0; i < values.length; i++) if (i !== skip) sum += Math.exp(values[i]! - most);
  return most + Math.log(sum);
}

/** One draw z [count, width] of each row against all rows: N² densities. `done` is told after each row. */
export function densities(q: Gaussians, z: Float32Array, done: (row: number) => void = () => {}): Densities {
  const { count, width, mean } = q;
  const { halfPrecision, constant } = prepared(q);
  const information = new Float64Array(count);
  const informationOfOthers = new Float64Array(count);
  const logQzOfOthers = new Float64Array(count);
  const informationByDimension = new Float64Array(count * width);
  const whole = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const sums = new Float64Array(width);
    const own = informationByDimension.subarray(i * width, (i + 1) * width);
    for (let n = 0, at = 0; n < count; n++) {
      let total = 0;
      for (let j = 0; j < width; j++, at++) {
        const d = z[i * width + j]! - mean[at]!;
        const log = constant[at]! - d * d * halfPrecision[at]!;
        sums[j]! += Math.exp(log);
        total += log;
        if (n === i) own[j] = log;
      }
      whole[n] = total;
    }
    for (let j = 0; j < width; j++) own[j]! -= Math.log(sums[j]! / count);
    information[i] = whole[i]! - logSumExp(whole) + Math.log(count);
    logQzOfOthers[i] = logSumExp(whole, i) - Math.log(count - 1);
    informationOfOthers[i] = whole[i]! - logQzOfOthers[i]!;
    done(i);
  }
  return { information, informationOfOthers, logQzOfOthers, informationByDimension };
}

/** log q(z) of points z [n, width]. */
export function logAggregate(q: Gaussians, z: Float32Array): Float64Array {
  const { count, width, mean } = q;
  const { halfPrecision, constant } = prepared(q);
  const whole = new Float64Array(count);
  return Float64Array.from({ length: z.length / width }, (_, i) => {
    for (let n = 0, at = 0; n < count; n++) {
      let total = 0;
      for (let j = 0; j < width; j++, at++) {
        const d = z[i * width + j]! - mean[at]!;
        total += constant[at]! - d * d * halfPrecision[at]!;
      }
      whole[n] = total;
    }
    return logSumExp(whole) - Math.log(count);
  });
}

/** KL = mutual information + total correlation + Σ dimension-wise KL (Chen et al. 2018, eq. 2), nats. */
export interface Decomposition {
  /** I(x; z) under q over these rows, at most log N: the index-code mutual information (Hoffman & Johnson 2016). */
  readonly mutualInformation: Estimate;
  /** The same with each row left out of its own q(z): for all data, I(x; z) is at most this (the leave-one-out bound of Poole et al. 2019). */
  readonly mutualInformationAtMost: Estimate;
  /** KL(q(z) ‖ p(z)): what is left of the KL (Hoffman & Johnson 2016). */
  readonly marginalKl: Estimate;
  /** KL(q(z) ‖ Πⱼ q(zⱼ)). */
  readonly totalCorrelation: Estimate;
  /** Σⱼ KL(q(zⱼ) ‖ p(zⱼ)), where the KL is known by dimension, as for a prior that is a product. */
  readonly dimensionWiseKl?: Estimate;
}

/** `kl` of each row, [count], nats; `byDimension` says that it is a sum over dimensions. */
export function decomposition(d: Densities, kl: Float64Array, byDimension: boolean): Decomposition {
  const width = d.informationByDimension.length / d.information.length;
  const marginals = d.information.map((_, i) => {
    let sum = 0;
    for (let j = 0; j < width; j++) sum += d.informationByDimension[i * width + j]!;
    return sum;
  });
  const mean = (values: Float64Array) => meanOf(moments(values));
  return {
    mutualInformation: mean(d.information),
    mutualInformationAtMost: mean(d.informationOfOthers),
    marginalKl: mean(kl.map((v, i) => v - d.information[i]!)),
    totalCorrelation: mean(marginals.map((v, i) => v - d.information[i]!)),
    ...(byDimension && { dimensionWiseKl: mean(kl.map((v, i) => v - marginals[i]!)) }),
  };
}

/** Of the rows' own draws so many lie where q(z) is thinner. */
export const THIN = 0.05;

/**
 * Share of prior draws that lie where q(z) is thinner than around all but 5 % of the rows' own draws: about 5 % where the
 * prior is what the posteriors add up to, more where it has holes. `atPrior` is log q(z) of draws from the prior.
 */
export function holes({ logQzOfOthers }: Pick<Densities, 'logQzOfOthers'>, atPrior: Float64Array): Estimate {
  const sorted = Float64Array.from(logQzOfOthers).sort();
  const threshold = sorted[Math.floor(THIN * sorted.length)]!;
  const share = atPrior.filter((v) => v < threshold).length / atPrior.length;
  const n = 1 / (1 / atPrior.length + 1 / sorted.length); // the threshold is estimated too
  return shareOf(share * n, n);
}

/** How many dimensions have E_q[z|x] that varies by more than `least` over the rows (Burda et al. 2016). */
export function activeByVariance({ count, width, mean }: Gaussians, least: number): Estimate {
  const all = Array.from({ length: width }, (_, j) => {
    const own = Float64Array.from({ length: count }, (__, i) => mean[i * width + j]!);
    const m = moments(own).mean();
    const squares = moments(own.map((v) => (v - m) ** 2));
    return around(squares.mean(), Math.sqrt(squares.variance() / count));
  });
  return counting(all, least);
}

/** How many of the estimates pass `least`: for sure, by their values, perhaps. */
export function counting(estimates: readonly Estimate[], least: number): Estimate {
  const passing = (end: keyof Estimate) => estimates.filter((e) => e[end] > least).length;
  return { value: passing('value'), low: passing('low'), high: passing('high') };
}

/** Mean and standard deviation of each dimension of q(z), [width]. */
export interface Spread {
  readonly mean: Float64Array;
  readonly deviation: Float64Array;
}

/** Of the mixture of all rows' posteriors: the variance of their means and the mean of their variances; of points without `logVar`. */
export function spread({ count, width, data }: Points, logVar?: Float32Array): Spread {
  const [mean, square, within] = [0, 0, 0].map(() => new Float64Array(width)) as Float64Array[];
  for (let i = 0; i < count * width; i++) mean![i % width]! += data[i]! / count;
  for (let i = 0; i < count * width; i++) {
    square![i % width]! += (data[i]! - mean![i % width]!) ** 2 / count;
    if (logVar) within![i % width]! += Math.exp(logVar[i]!) / count;
  }
  return { mean: mean!, deviation: square!.map((v, j) => Math.sqrt(v + within![j]!)) };
}
