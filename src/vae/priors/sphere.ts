/** Priors on the unit sphere. */
import { choice } from '../../choice.ts';
import { mul, sub, sum } from '../../graph/index.ts';
import { noise } from '../../nn/index.ts';
import { logSphereArea, unit } from '../geometry/sphere.ts';
import type { Prior, PriorFamily } from '../prior.ts';

/** Uniform on Sᶻ⁻¹; KL = log area − H(q), whatever q is (for von Mises–Fisher: Davidson et al. 2018, section 3). */
export const uniformSphere = (latent: number): Prior => {
  const logArea = logSphereArea(latent);
  return {
    logProb: (z) => sub(mul(0, sum(z, [-1])), logArea),
    draw: (name) => unit(noise(name, 'normal', ['B', latent])),
    kl: ({ entropy }) => entropy && sub(logArea, entropy),
  };
};

export const spherePriors = {
  uniformSphere: choice({
    doc: 'Uniform on the unit sphere.',
    options: {},
    build: (): PriorFamily => ({ space: 'sphere', uniform: true, build: uniformSphere }),
  }),
};
