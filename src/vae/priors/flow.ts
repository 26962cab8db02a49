/** Priors that are a standard normal, bent by learned flows. They start as the normal itself. */
import { z } from 'zod';
import { choice } from '../../choice.ts';
import { UserError } from '../../errors.ts';
import { add, reshape } from '../../graph/index.ts';
import type { Scope } from '../../nn/index.ts';
import { coupling, maskedAutoregressive } from '../flows/affine.ts';
import { type Bijection, chainBijections } from '../flows/flow.ts';
import { noise } from '../noise.ts';
import type { Prior, PriorFamily } from '../prior.ts';
import { standardNormal } from './normal.ts';

/** log p(z) = log N(u; 0, I) + log |det du/dz|. */
export const flowPrior = ({ toBase, fromBase }: Bijection, latent: number): Prior => ({
  logProb: (z) => {
    const { z: u, logDet } = toBase(z);
    return add(standardNormal(latent).logProb(u), logDet);
  },
  draw: (name) => {
    const u = reshape(noise(name, 'normal', ['B', latent]), [1, 'B', latent]);
    return reshape(fromBase(u), ['B', latent]);
  },
});

const options = {
  steps: z.int().min(1).max(64).default(4).describe('steps of the flow'),
  width: z.int().min(1).max(65_536).default(64).describe('width of the hidden layers of each step'),
};

const steps = (scope: Scope, count: number, step: (scope: Scope, odd: boolean) => Bijection): Bijection =>
  chainBijections(Array.from({ length: count }, (_, i) => step(scope.at(i), i % 2 === 1)));

export const flowPriors = {
  realNVP: choice({
    doc: 'Normal bent by affine coupling layers (Dinh et al. 2017): fast to draw from.',
    options,
    build: ({ steps: count, width }): PriorFamily => ({
      space: 'real',
      build: (latent, { scope }) => {
        if (latent < 2)
          throw new UserError(
            `prior "realNVP": one half of z changes the other, and ${latent} dimension has no halves; give --latent 2 or more, or --prior maf`,
          );
        const flow = steps(scope, count, (at, swapped) => coupling(at, latent, { width, swapped }));
        return flowPrior(flow, latent);
      },
    }),
  }),
  maf: choice({
    doc: 'Normal bent by masked autoregressive flows (Papamakarios et al. 2017): each dimension by those before it.',
    options,
    build: ({ steps: count, width }): PriorFamily => ({
      space: 'real',
      build: (latent, { scope }) => {
        const hidden = [width, width];
        const flow = steps(scope, count, (at, reversed) =>
          maskedAutoregressive(at, { hidden, activation: 'silu', reversed, zero: true }),
        );
        return flowPrior(flow, latent);
      },
    }),
  }),
};
