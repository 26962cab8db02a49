/** Gaussian posteriors. */

import { choice } from '../../choice.ts';
import {
  add,
  concat,
  dimAt,
  exp,
  gatherKnown,
  matmul,
  mul,
  multiply,
  reshape,
  solveLower,
  split,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  transpose,
  unsqueeze,
} from '../../graph/index.ts';
import { linear, noise, type Scope } from '../../nn/index.ts';
import { logProb } from '../likelihood.ts';
import { gaussian } from '../likelihoods/index.ts';
import type { Posterior, PosteriorFamily } from '../posterior.ts';

const LOG_2PI = Math.log(2 * Math.PI);

/** The noise input `name` [K·B, Z] as [K, B, Z]: ε ~ N(0, I), for `like` […, B, Z]. */
export function normalNoise(samples: number, like: Tensor, name = 'noise'): Tensor {
  const [batch, latent] = [dimAt(like.shape, -2), dimAt(like.shape, -1)];
  const rows = noise(name, 'normal', [multiply(samples, batch), latent]);
  return reshape(rows, [samples, batch, latent]);
}

/** log q at the draw that ε [K, B, Z] became: log N(ε; 0, I) − ½ log |Σ|, with log |Σ| the sum of `logVar`. */
export const drawnLogProb = (epsilon: Tensor, logVar: Tensor): Tensor =>
  mul(-0.5, sum(add(square(epsilon), add(logVar, LOG_2PI)), [-1]));

/** q = N(μ, diag σ²): z = μ + σ ⊙ ε (Kingma & Welling 2014, section 2.4). */
export function diagonalGaussian(
  mean: Tensor,
  logVar: Tensor,
): Posterior & Required<Pick<Posterior, 'logProb' | 'logVar'>> {
  return {
    mean,
    logVar,
    draw: (samples, name) => {
      const epsilon = normalNoise(samples, mean, name);
      return { z: add(mean, mul(exp(mul(0.5, logVar)), epsilon)), logQz: drawnLogProb(epsilon, logVar) };
    },
    logProb: (z, fixed = false) =>
      logProb(fixed ? gaussian(stopGradient(mean), stopGradient(logVar)) : gaussian(mean, logVar), z),
  };
}

/** q = N(μ, diag σ²) by a layer: features [B, H] → [B, Z]. */
export function gaussianOf(scope: Scope, features: Tensor, latent: number) {
  const both = linear(scope, features, 2 * latent); // one product for μ and log σ²
  const [mean, logVar] = split(both, -1, [latent, latent]);
  return diagonalGaussian(mean!, logVar!);
}

/** q = N(μ, L Lᵀ) with L [B, Z, Z] lower triangular: z = μ + L ε. `logVar` is 2 log of its diagonal. */
export function fullGaussian(mean: Tensor, logVar: Tensor, factor: Tensor): Posterior {
  const turn = (t: Tensor) => transpose(t, [1, 2, 0]); // [K, B, Z] → [B, Z, K]
  const turnBack = (t: Tensor) => transpose(t, [2, 0, 1]);
  return {
    mean,
    moments: { mean, variance: sum(square(factor), [-1]), logVar },
    draw: (samples, name) => {
      const epsilon = normalNoise(samples, mean, name);
      const z = add(mean, turnBack(matmul(factor, turn(epsilon))));
      return { z, logQz: drawnLogProb(epsilon, logVar) };
    },
    logProb: (z, fixed = false) => {
      const held = (t: Tensor) => (fixed ? stopGradient(t) : t);
      const epsilon = solveLower(held(factor), turn(sub(z, held(mean))));
      return drawnLogProb(turnBack(epsilon), held(logVar));
    },
  };
}

/** The lower triangular matrix [B, Z, Z] with a diagonal [B, Z] and, row by row, what is below it [B, Z (Z − 1)/2]. */
function lowerTriangular(pieces: readonly Tensor[], latent: number): Tensor {
  const all = concat(pieces, -1);
  const places = Array.from({ length: latent ** 2 }, (_, place) => {
    const [row, column] = [Math.floor(place / latent), place % latent];
    if (row === column) return row;
    return row < column ? -1 : latent + (row * (row - 1)) / 2 + column;
  });
  return reshape(gatherKnown(unsqueeze(all, [2]), places), [dimAt(all.shape, 0), latent, latent]);
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
      build: (features, latent, { scope }) => gaussianOf(scope, features, latent),
    }),
  }),
  gaussianFull: choice({
    doc: 'Gaussian with a full covariance, by its Cholesky factor.',
    options: {},
    build: (): PosteriorFamily => ({
      space: 'real',
      random: true,
      density: true,
      build: (features, latent, { scope }) => {
        const sizes = [latent, latent, (latent * (latent - 1)) / 2].filter((size) => size > 0);
        const total = sizes.reduce((a, b) => a + b);
        const [mean, logVar, ...below] = split(linear(scope, features, total), -1, sizes);
        const factor = lowerTriangular([exp(mul(0.5, logVar!)), ...below], latent);
        return fullGaussian(mean!, logVar!, factor);
      },
    }),
  }),
};
