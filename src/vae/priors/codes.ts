/** Priors over codes and classes while these are learned; `src/samplers` has what is fitted to them afterwards. */

import { choice } from '../../choice.ts';
import { add, concat, constant, exp, mul, slice, sum, type Tensor } from '../../graph/index.ts';
import { noise } from '../../nn/index.ts';
import { type Codes, entriesOf, lookUp, symbolsOf, uniformIndex } from '../codes.ts';
import type { Posterior } from '../posterior.ts';
import type { Prior, PriorFamily } from '../prior.ts';
import { standardNormal } from './normal.ts';

/** The constant `each` at each of n places for every row of t [B, …]. */
const everywhere = (t: Tensor, each: number, n: number): Tensor =>
  add(mul(slice(t, 1, 0, 1), 0), constant(Array<number>(n).fill(each), [1, n]));

/**
 * p(z) = K⁻ᴺ. KL(q ‖ p) = Σₖ πₖ (log πₖ + log K) for each group of classes, and log K
 * for each symbol of a code that is inferred without doubt (van den Oord et al. 2017, section 3.1).
 */
export function uniformCodes(codes: Codes): Prior {
  const [symbols, nats] = [symbolsOf(codes), Math.log(entriesOf(codes))];
  return {
    logProb: (z) => add(mul(sum(z, [-1]), 0), -symbols * nats),
    draw: (name) => lookUp(codes, uniformIndex(noise(name, 'uniform', ['B', symbols]), entriesOf(codes))),
    kl: ({ mean, logits }) =>
      logits ? sum(mul(exp(logits), add(logits, nats)), [-1]) : everywhere(mean, nats, symbols),
  };
}

/** The last dimensions are classes, under the uniform prior, those before them N(0, I) (Dupont 2018, section 3). */
function mixed(latent: number, codes: Codes): Prior {
  const real = latent - codes.positions * entriesOf(codes);
  const [normal, uniform] = [standardNormal(real), uniformCodes(codes)];
  const first = (t: Tensor) => slice(t, -1, 0, real);
  const kl = ({ parts = [] }: Posterior) => {
    const each = [normal, uniform].map((prior, i) => parts[i] && prior.kl!(parts[i]));
    return each[0] && each[1] && concat([each[0], each[1]], -1);
  };
  return {
    logProb: (z) => add(normal.logProb(first(z)), uniform.logProb(slice(z, -1, real, latent))),
    draw: (name) => concat([normal.draw(name), uniform.draw(`${name}.classes`)], -1),
    kl,
  };
}

export const codePriors = {
  uniform: choice({
    doc: 'Uniform over codes or classes.',
    options: {},
    build: (): PriorFamily => ({
      space: 'codes',
      uniform: true,
      build: (_, { codes }) => uniformCodes(codes!),
    }),
  }),
  mixed: choice({
    doc: 'Standard normal for the real dimensions, uniform for the classes.',
    options: {},
    build: (): PriorFamily => ({ space: 'mixed', build: (latent, { codes }) => mixed(latent, codes!) }),
  }),
};
