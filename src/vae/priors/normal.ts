/** Normal priors. */

import { choice } from '../../choice.ts';
import { add, exp, mul, neg, square, sub, sum, type Tensor } from '../../graph/index.ts';
import { constantly, noise } from '../../nn/index.ts';
import { boundedLogVar } from '../bounded.ts';
import type { GaussianMoments, Posterior } from '../posterior.ts';
import { diagonalGaussian } from '../posteriors/gaussian.ts';
import type { Prior, PriorFamily } from '../prior.ts';

const LOG_2PI = Math.log(2 * Math.PI);

/** The moments of a Gaussian q, whatever its covariance. */
const momentsOf = ({ mean, logVar, moments }: Posterior): GaussianMoments | undefined =>
  moments ?? (logVar && { mean, variance: exp(logVar), logVar });

/** N(0, I); KL = ½ (μ² + σ² − log σ² − 1) a dimension (Kingma & Welling 2014, appendix B). No rotation changes it. */
export const standardNormal = (latent: number): Prior => ({
  logProb: (z) => mul(-0.5, sum(add(square(z), LOG_2PI), [-1])),
  draw: (name) => noise(name, 'normal', ['B', latent]),
  kl: (q) => {
    const own = momentsOf(q);
    return own && mul(0.5, sub(add(square(own.mean), sub(own.variance, own.logVar)), 1));
  },
});

/** N(m, diag s); KL = ½ (log s − log σ² − 1 + (σ² + (μ − m)²) / s) a dimension. `mean` and `logVar` are [Z]. */
export const diagonalNormal = (mean: Tensor, logVar: Tensor, latent: number): Prior => ({
  logProb: diagonalGaussian(mean, logVar).logProb,
  draw: (name) => add(mean, mul(exp(mul(0.5, logVar)), noise(name, 'normal', ['B', latent]))),
  kl: (q) => {
    const own = momentsOf(q);
    if (!own || own.rotated) return undefined;
    const distance = mul(add(own.variance, square(sub(own.mean, mean))), exp(neg(logVar)));
    return mul(0.5, add(distance, sub(sub(logVar, own.logVar), 1)));
  },
});

export const normals = {
  normal: choice({
    doc: 'Standard normal.',
    options: {},
    build: (): PriorFamily => ({ space: 'real', conditional: true, build: standardNormal }),
  }),
  learnedNormal: choice({
    doc: 'Normal with a mean and a variance learned for each dimension.',
    options: {},
    build: (): PriorFamily => ({
      space: 'real',
      build: (latent, { scope }) => {
        const mean = scope.parameter('mean', [latent], constantly(0));
        const logVar = scope.parameter('logVar', [latent], constantly(0));
        return diagonalNormal(mean, boundedLogVar(logVar), latent);
      },
    }),
  }),
};
