/** Bounds on log p(x), and the reconstruction alone. */
import { z } from 'zod';
import { choice } from '../../choice.ts';
import { add, dimAt, fixed, logSumExp, maximum, mul, neg, sub, sum, type Tensor } from '../../graph/index.ts';
import { expectedLogPx, type Knobs, type Losses, type Objective, penalised, totalKl } from '../objective.ts';
import { logWeights, type Terms } from '../terms.ts';

/**
 * −ELBO = β·KL − E_q[log p(x|z)] (Kingma & Welling 2014, eq. 3; β: Higgins et al. 2017, eq. 4). With free bits the
 * KL is Σⱼ max(λ, mean over the batch of KLⱼ) (Kingma et al. 2016, eq. 15), λ nats a dimension.
 */
export const negativeElbo = (terms: Terms, knobs: Pick<Knobs, 'scale' | 'beta'>, freeBits = 0): Losses => {
  const kl = freeBits > 0 ? freeKl(terms, knobs, freeBits) : totalKl(terms, knobs);
  return { loss: penalised(sub(mul(knobs.beta, kl), expectedLogPx(terms, knobs)), terms) };
};

function freeKl({ levels }: Terms, { scale }: Pick<Knobs, 'scale'>, freeBits: number): Tensor {
  const each = levels.map(({ kl }) => {
    const perDimension = mul(sum(kl, [0, 1]), mul(scale, 1 / fixed(dimAt(kl.shape, 0), 'samples')));
    return sum(maximum(perDimension, freeBits));
  });
  return each.reduce((a, b) => add(a, b));
}

/** −log (1/K) Σₖ p(x, zₖ) / q(zₖ|x), the importance-weighted bound (Burda et al. 2016, eq. 8); K = 1 is the ELBO. */
export const negativeIwae = (terms: Terms, { scale }: Pick<Knobs, 'scale'>): Losses => {
  const weights = logWeights(terms);
  const samples = fixed(dimAt(weights.shape, 0), 'samples');
  const bound = sub(mul(sum(logSumExp(weights, 0)), scale), Math.log(samples));
  return { loss: penalised(neg(bound), terms) };
};

export const samplesOption = (value: number) =>
  z.int().min(1).max(10_000).default(value).describe('draws of z for each example');

export const bounds = {
  elbo: choice({
    doc: 'Evidence lower bound (Kingma & Welling 2014); beta other than 1 is the β-VAE (Higgins et al. 2017).',
    options: {
      beta: z.number().positive().default(1).describe('weight of the KL'),
      freeBits: z.number().min(0).default(0).describe('nats that each latent dimension may use at no cost'),
      samples: samplesOption(1),
    },
    build: ({ beta, freeBits, samples }): Objective => ({
      samples,
      beta,
      random: true,
      losses: (terms, context) => negativeElbo(terms, context, freeBits),
    }),
  }),
  iwae: choice({
    doc: 'Importance-weighted bound, tighter than the ELBO (Burda et al. 2016).',
    options: { samples: samplesOption(5) },
    build: ({ samples }): Objective => ({ samples, beta: 1, random: true, losses: negativeIwae }),
  }),
  autoencoder: choice({
    doc: 'Reconstruction alone: the plain autoencoder, with a point for each example.',
    options: {},
    build: (): Objective => ({
      samples: 1,
      beta: 0,
      losses: (terms, context) => ({ loss: penalised(neg(expectedLogPx(terms, context)), terms) }),
    }),
  }),
};
