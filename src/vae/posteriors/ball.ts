/** Posteriors on the Poincaré ball. */
import { choice } from '../../choice.ts';
import { dimAt, mul, reshape, split, stopGradient, sub, type Tensor } from '../../graph/index.ts';
import { linear } from '../../nn/index.ts';
import { fromCentre, fromPoint, logStretch, norm, toPoint } from '../geometry/ball.ts';
import type { Posterior, PosteriorFamily } from '../posterior.ts';
import { diagonalGaussian } from './gaussian.ts';

/**
 * The wrapped normal around μ: v ~ N(0, diag σ²) in the tangent space at μ, z along it at its length (Nagano et al. 2019;
 * Mathieu et al. 2019). Densities are those by hyperbolic area: log q(z) = log N(v; 0, σ²) − (Z − 1) log (sinh r / r).
 */
export function wrappedNormal(
  mean: Tensor,
  logVar: Tensor,
): Posterior & Required<Pick<Posterior, 'logProb'>> {
  const latent = Number(dimAt(mean.shape, -1));
  const stretch = (v: Tensor): Tensor => {
    const all = logStretch(norm(v), latent);
    return reshape(all, all.shape.slice(0, -1));
  };
  const tangent = diagonalGaussian(mul(logVar, 0), logVar);
  return {
    mean,
    draw: (samples, name) => {
      const { z: v, logQz } = tangent.draw(samples, name);
      return { z: fromPoint(mean, v), logQz: sub(logQz, stretch(v)) };
    },
    logProb: (z, fixed) => {
      const v = toPoint(fixed ? stopGradient(mean) : mean, z);
      return sub(tangent.logProb(v, fixed), stretch(v));
    },
  };
}

export const ballPosteriors = {
  wrappedNormal: choice({
    doc: 'Wrapped normal on the Poincaré ball (Nagano et al. 2019, Mathieu et al. 2019).',
    options: {},
    build: (): PosteriorFamily => ({
      space: 'ball',
      random: true,
      density: true,
      build: (features, latent, { scope }) => {
        const [way, logVar] = split(linear(scope, features, 2 * latent), -1, [latent, latent]);
        return wrappedNormal(fromCentre(way!), logVar!);
      },
    }),
  }),
};
