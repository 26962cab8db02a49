/** Gaussians of one level among several: their moments, draws of them, and rows for each draw. */
import {
  add,
  concat,
  constant,
  dimAt,
  exp,
  mul,
  multiply,
  neg,
  reshape,
  split,
  square,
  sub,
  sum,
  type Tensor,
} from '../graph/index.ts';
import { boundedLogVar } from './bounded.ts';
import type { Flow } from './flows/flow.ts';
import type { Inference } from './model.ts';
import type { Draws } from './posterior.ts';
import { flowed } from './posteriors/flows.ts';
import { diagonalGaussian } from './posteriors/gaussian.ts';
import type { Level } from './terms.ts';

/** μ and log σ² of one level, [N, …, Z]. */
export interface Moments {
  readonly mean: Tensor;
  readonly logVar: Tensor;
}

/** The halves of the last axis, log σ² held within bounds: one runaway of many levels would end a training. */
export function momentsOf(both: Tensor): Moments {
  const half = Number(dimAt(both.shape, -1)) / 2;
  const [mean, logVar] = split(both, -1, [half, half]);
  return { mean: mean!, logVar: boundedLogVar(logVar!) };
}

export const drawFrom = ({ mean, logVar }: Moments, epsilon: Tensor): Tensor =>
  add(mean, mul(exp(mul(0.5, logVar)), epsilon));

/** KL(q ‖ p) of two diagonal Gaussians, element by element (Kingma & Welling 2014, appendix B, for two means and variances). */
export const gaussianKl = (q: Moments, p: Moments): Tensor =>
  mul(
    0.5,
    sub(
      add(sub(p.logVar, q.logVar), mul(add(exp(q.logVar), square(sub(q.mean, p.mean))), exp(neg(p.logVar)))),
      1,
    ),
  );

/** log q(z) − log p(z) of two diagonal Gaussians, element by element: what KL(q ‖ p) is the mean of. */
export const logRatio = (q: Moments, p: Moments, z: Tensor): Tensor =>
  sub(logDensity(q, z), logDensity(p, z));

/** log N(z; μ, σ²) but for the constant. */
const logDensity = ({ mean, logVar }: Moments, z: Tensor): Tensor =>
  mul(-0.5, add(logVar, mul(square(sub(z, mean)), exp(neg(logVar)))));

/** One level, from moments, draws and KL of [K, B, …]. */
export function gaussianLevel(q: Moments, p: Moments, z: Tensor, kl: Tensor): Level {
  const [posterior, prior] = [diagonalGaussian(q.mean, q.logVar), diagonalGaussian(p.mean, p.logVar)];
  return {
    posterior,
    prior,
    z,
    logPz: prior.logProb(z),
    logQz: posterior.logProb(z),
    kl,
  };
}

/**
 * One level whose Gaussian is bent, from moments and its draws z₀ [K, B, Z]. KL(q ‖ p) [K, B, 1] is log q(z) − log p(z), and for
 * each dimension exp(−k) times what k, the KL of the Gaussian in closed form, is more than the same of z₀: the mean of that is 0,
 * and it cancels the noise of dimensions that say nothing (docs/decisions/005-sampled-kl.md).
 */
export function bentLevel(q: Moments, p: Moments, z0: Tensor, flow: Flow): Level {
  const [base, prior] = [diagonalGaussian(q.mean, q.logVar), diagonalGaussian(p.mean, p.logVar)];
  const { z, logDet } = flow(z0);
  const [logPz, logQz] = [prior.logProb(z), sub(base.logProb(z0), logDet)];
  const closed = gaussianKl(q, p);
  const variate = sum(mul(exp(neg(closed)), sub(closed, logRatio(q, p, z0))), [-1]);
  const kl = add(sub(logQz, logPz), variate);
  return { posterior: flowed(base, flow), prior, z, logPz, logQz, kl: reshape(kl, [...kl.shape, 1]) };
}

/** Moments of all levels side by side, each [B, Z of the level]. */
export const joined = (levels: readonly Moments[]): Moments => ({
  mean: concat(
    levels.map(({ mean }) => mean),
    -1,
  ),
  logVar: concat(
    levels.map(({ logVar }) => logVar),
    -1,
  ),
});

/** z of all levels, and its log density. */
export const drawsOf = ({ z, levels }: Inference): Draws => ({
  z,
  logQz: levels.map(({ logQz }) => logQz).reduce((a, b) => add(a, b)),
});

/** Both moments, changed alike. */
export const eachOf = ({ mean, logVar }: Moments, change: (t: Tensor) => Tensor): Moments => ({
  mean: change(mean),
  logVar: change(logVar),
});

/** [B, …] → [K·B, …], each sample whole. */
export function tiled(t: Tensor, samples: number): Tensor {
  const copies = constant(Array<number>(samples).fill(0), [samples, ...t.shape.map(() => 1)]);
  return reshape(add(reshape(t, [1, ...t.shape]), copies), [
    multiply(samples, dimAt(t.shape, 0)),
    ...t.shape.slice(1),
  ]);
}
