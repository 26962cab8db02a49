/** A prior that knows what is given. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { split } from '../../graph/index.ts';
import { activations, constantly, linear } from '../../nn/index.ts';
import { boundedLogVar } from '../bounded.ts';
import type { Prior, PriorContext, PriorFamily } from '../prior.ts';
import { diagonalNormal } from './normal.ts';

/** p(z|c) = N(μ(c), diag σ²(c)) (Sohn et al. 2015); it begins as N(0, I). */
function conditionalNormal(latent: number, { scope, condition }: PriorContext, width: number): Prior {
  if (!condition) throw new Error('a conditional prior needs a condition');
  const hidden = activations.relu(linear(scope.at('hidden'), condition, width));
  const both = linear(scope.at('output'), hidden, 2 * latent, { weight: constantly(0) });
  const [mean, logVar] = split(both, -1, [latent, latent]);
  return diagonalNormal(mean!, boundedLogVar(logVar!), latent);
}

export const conditionalPriors = {
  conditional: choice({
    doc: 'Normal whose mean and variance follow from what is given (Sohn et al. 2015); needs --condition.',
    options: { width: z.int().min(1).max(65_536).default(64).describe('width of the hidden layer') },
    build: ({ width }): PriorFamily => ({
      space: 'real',
      given: true,
      build: (latent, context) => conditionalNormal(latent, context, width),
    }),
  }),
};
