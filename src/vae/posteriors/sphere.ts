/** Posteriors on the unit sphere. */

import { choice } from '../../choice.ts';
import { UserError } from '../../errors.ts';
import {
  add,
  dimAt,
  minimum,
  mul,
  multiply,
  neg,
  reshape,
  softplus,
  split,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
} from '../../graph/index.ts';
import { linear, noise } from '../../nn/index.ts';
import { angleLaw, atAngle, logSphereArea, unit } from '../geometry/sphere.ts';
import type { Posterior, PosteriorFamily } from '../posterior.ts';
import { normalNoise } from './gaussian.ts';

/**
 * q ∝ e^(κ μᵀz) on Sᶻ⁻¹, |μ| = 1 and κ ≥ 0 [B, 1] (Davidson et al. 2018, section 3). In place of their rejection sampler the
 * angle to μ is a quantile of uniform noise. κ (μᵀz − 1) is −½ κ |z − μ|², in which nothing cancels where κ is large.
 */
export function vonMisesFisher(
  mean: Tensor,
  kappa: Tensor,
): Posterior & Required<Pick<Posterior, 'logProb' | 'entropy'>> {
  const latent = Number(dimAt(mean.shape, -1));
  const { logNormaliser, energy, quantile } = angleLaw(kappa, latent);
  const logConstant = add(logNormaliser, logSphereArea(latent - 1)); // [B, 1]
  const logProb = (z: Tensor, fixed = false): Tensor => {
    const [centre, k, c] = fixed ? [mean, kappa, logConstant].map(stopGradient) : [mean, kappa, logConstant];
    const distance = sum(square(sub(z, centre!)), [-1]); // [K, B]
    const flat = (t: Tensor) => reshape(t, [dimAt(t.shape, 0)]);
    return neg(add(mul(mul(0.5, flat(k!)), distance), flat(c!)));
  };
  return {
    mean,
    entropy: add(energy, logConstant),
    draw: (samples, name = 'noise') => {
      const batch = dimAt(mean.shape, 0);
      const epsilon = normalNoise(samples, mean, name);
      const u = noise(`${name}.angle`, 'uniform', [multiply(samples, batch), 1]);
      const z = atAngle(mean, quantile(reshape(u, [samples, batch, 1])), epsilon);
      return { z, logQz: logProb(z) };
    },
    logProb,
  };
}

const MOST_KAPPA = 1e8; // float32 tells no closer directions apart

export const spherePosteriors = {
  vonMisesFisher: choice({
    doc: 'Von Mises-Fisher on the unit sphere (Davidson et al. 2018).',
    options: {},
    build: (): PosteriorFamily => ({
      space: 'sphere',
      random: true,
      density: true,
      build: (features, latent, { scope }) => {
        if (latent < 2)
          throw new UserError(
            `latent ${latent}: on the unit sphere of a single dimension are but two points; give 2 or more`,
          );
        const [way, raw] = split(linear(scope, features, latent + 1), -1, [latent, 1]);
        // at 0 no gradient would reach μ, and collapse would be for ever; what is concentrated grows with the dimension
        const kappa = minimum(add(1, mul(latent, softplus(raw!))), MOST_KAPPA);
        return vonMisesFisher(unit(way!), kappa);
      },
    }),
  }),
};
