/** Gaussian posteriors. */

import { choice } from '../../choice.ts';
import {
  add,
  dimAt,
  exp,
  mul,
  multiply,
  reshape,
  split,
  stopGradient,
  type Tensor,
} from '../../graph/index.ts';
import { linear } from '../../nn/index.ts';
import { logProb } from '../likelihood.ts';
import { gaussian } from '../likelihoods/index.ts';
import { noise } from '../noise.ts';
import type { Posterior, PosteriorFamily } from '../posterior.ts';

/** The input `noise` [K·B, Z] as [K, B, Z]: ε ~ N(0, I). */
export function normalNoise(samples: number, latent: number): Tensor {
  const rows = noise('noise', 'normal', [multiply(samples, 'B'), latent]);
  return reshape(rows, [samples, 'B', latent]);
}

/** q = N(μ, diag σ²): z = μ + σ ⊙ ε (Kingma & Welling 2014, section 2.4). */
export function diagonalGaussian(
  mean: Tensor,
  logVar: Tensor,
): Posterior & Required<Pick<Posterior, 'logProb' | 'logVar'>> {
  const density = (z: Tensor, fixed = false): Tensor =>
    logProb(fixed ? gaussian(stopGradient(mean), stopGradient(logVar)) : gaussian(mean, logVar), z);
  return {
    mean,
    logVar,
    draw: (samples) => {
      const epsilon = normalNoise(samples, Number(dimAt(mean.shape, -1)));
      const z = add(mean, mul(exp(mul(0.5, logVar)), epsilon));
      return { z, logQz: density(z) };
    },
    logProb: density,
  };
}

export const gaussians = {
  gaussian: choice({
    doc: 'Gaussian with a diagonal covariance.',
    options: {},
    build: (): PosteriorFamily => ({
      space: 'real',
      random: true,
      density: true,
      diagonal: true,
      conditional: true,
      build: (features, latent, { scope }) => {
        const both = linear(scope, features, 2 * latent); // one product for μ and log σ²
        const [mean, logVar] = split(both, -1, [latent, latent]);
        return diagonalGaussian(mean!, logVar!);
      },
    }),
  }),
};
