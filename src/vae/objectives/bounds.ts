/** The evidence lower bound, whole and with its gradient by another road. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { dimAt, fixed, maximum, mul, neg, sub, sum, type Tensor } from '../../graph/index.ts';
import {
  batchMean,
  expectedLogPx,
  type Knobs,
  type Losses,
  type Objective,
  penalised,
  totalKl,
  withLabelKl,
} from '../objective.ts';
import type { Terms } from '../terms.ts';
import { betaOption, samplesOption } from './options.ts';
import { annealedWeights, throughZ } from './weights.ts';

/**
 * −ELBO = β·KL − E_q[log p(x|z)] (Kingma & Welling 2014, eq. 3; β: Higgins et al. 2017). With free bits the
 * KL is Σⱼ max(λ, mean over the batch of KLⱼ) (Kingma et al. 2016, appendix C), λ nats a dimension.
 */
export const negativeElbo = (terms: Terms, knobs: Pick<Knobs, 'scale' | 'beta'>, freeBits = 0): Losses => {
  const kl = freeBits > 0 ? freeKl(terms, knobs, freeBits) : totalKl(terms, knobs);
  return { loss: penalised(sub(mul(knobs.beta, kl), expectedLogPx(terms, knobs)), terms) };
};

function freeKl(terms: Terms, { scale }: Pick<Knobs, 'scale'>, freeBits: number): Tensor {
  const each = terms.levels.map(({ kl }) => {
    const perDimension = mul(sum(kl, [0, 1]), mul(scale, 1 / fixed(dimAt(kl.shape, 0), 'samples')));
    return sum(maximum(perDimension, freeBits));
  });
  return withLabelKl(each, terms, scale);
}

/**
 * −ELBO of the samples, with q(z|x) held fixed where its density is taken: what is left out of the gradient,
 * ∂ log q(z|x)/∂φ at fixed z, is 0 on average, and the rest is 0 throughout at the exact posterior (the path
 * derivative of Roeder et al. 2017).
 */
export const stickTheLanding = (terms: Terms, { scale, beta }: Pick<Knobs, 'scale' | 'beta'>): Losses => ({
  loss: penalised(neg(batchMean(annealedWeights(throughZ(terms), beta), scale)), terms),
});

export const bounds = {
  elbo: choice({
    doc: 'Evidence lower bound (Kingma & Welling 2014); beta other than 1 is the β-VAE (Higgins et al. 2017).',
    options: {
      beta: betaOption(1),
      freeBits: z.number().min(0).default(0).describe('nats that each latent dimension may use at no cost'),
      samples: samplesOption(1),
    },
    build: ({ beta, freeBits, samples }): Objective => ({
      samples,
      beta,
      random: true,
      ofMeans: true,
      losses: (terms, context) => negativeElbo(terms, context, freeBits),
    }),
  }),
  stl: choice({
    doc: 'The same bound with a gradient that ends in less noise: sticking the landing (Roeder et al. 2017).',
    options: { beta: betaOption(1), samples: samplesOption(1) },
    build: ({ beta, samples }): Objective => ({
      samples,
      beta,
      random: true,
      density: true,
      losses: stickTheLanding,
    }),
  }),
};
