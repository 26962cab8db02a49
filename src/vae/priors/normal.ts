/** Normal priors. */

import { choice } from '../../choice.ts';
import { add, exp, mul, square, sub, sum } from '../../graph/index.ts';
import { noise } from '../noise.ts';
import type { Prior, PriorFamily } from '../prior.ts';

const LOG_2PI = Math.log(2 * Math.PI);

/** N(0, I); KL = ½ (μ² + σ² − log σ² − 1) a dimension (Kingma & Welling 2014, appendix B). */
export const standardNormal = (latent: number): Prior => ({
  logProb: (z) => mul(-0.5, sum(add(square(z), LOG_2PI), [-1])),
  draw: (name) => noise(name, 'normal', ['B', latent]),
  kl: ({ mean, logVar }) => logVar && mul(0.5, sub(add(square(mean), sub(exp(logVar), logVar)), 1)),
});

export const normals = {
  normal: choice({
    doc: 'Standard normal.',
    options: {},
    build: (): PriorFamily => ({ space: 'real', conditional: true, build: standardNormal }),
  }),
};
