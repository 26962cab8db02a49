/** No distribution: the plain autoencoder. */

import { choice } from '../../choice.ts';
import { concat, mul, reshape, sum, type Tensor } from '../../graph/index.ts';
import { linear } from '../../nn/index.ts';
import type { Posterior, PosteriorFamily } from '../posterior.ts';

/** z = μ in every sample. Its log density is taken as 0. */
export const point = (mean: Tensor): Posterior => ({
  mean,
  draw: (samples) => {
    const one = reshape(mean, [1, ...mean.shape]);
    const z = concat(Array<Tensor>(samples).fill(one), 0);
    return { z, logQz: sum(mul(z, 0), [-1]) };
  },
});

export const points = {
  point: choice({
    doc: 'A single point: the plain autoencoder, as a baseline.',
    options: {},
    build: (): PosteriorFamily => ({
      space: 'real',
      random: false,
      density: false,
      build: (features, latent, { scope }) => point(linear(scope, features, latent)),
    }),
  }),
};
