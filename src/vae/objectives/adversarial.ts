/** Objectives with an adversary: a network trained beside the model to tell two laws apart. */
import { choice } from '../../choice.ts';
import {
  add,
  argsort,
  gatherElements,
  mul,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
} from '../../graph/index.ts';
import { noise } from '../../nn/index.ts';
import type { Losses, Objective, ObjectiveContext } from '../objective.ts';
import { expectedLogPx, penalised, totalKl } from '../objective.ts';
import type { Terms } from '../terms.ts';
import { negativeElbo } from './bounds.ts';
import {
  denseDiscriminator,
  discriminatorLoss,
  nonSaturatingLoss,
  pictureDiscriminator,
} from './discriminator.ts';
import { drawn } from './matching.ts';
import {
  adversaryChannels,
  adversaryHidden,
  adversaryOf,
  adversaryOptions,
  betaOption,
  weightOption,
} from './options.ts';
import { meanPicture } from './pictures.ts';

interface Hidden {
  readonly adversaryHidden: readonly number[];
}

/** Each column of t [B, Z] in an order of its own: draws from the product of the marginals (Kim & Mnih 2018, algorithm 1). */
export function permutedColumns(t: Tensor): Tensor {
  const order = argsort(noise('noise.permutation', 'uniform', t.shape), 0);
  return gatherElements(t, order, 0);
}

/**
 * −ELBO + γ·TC(z), the total correlation estimated by the log odds that z is of q(z) and not of the product of its
 * marginals (Kim & Mnih 2018, section 3). One batch gives both; algorithm 2 draws a second for the permuted z.
 */
export function factorised(
  terms: Terms,
  context: ObjectiveContext,
  { tcPenalty, adversaryHidden: hidden }: Hidden & { readonly tcPenalty: number },
): Losses {
  const { scale, scope } = context;
  const judge = denseDiscriminator(scope.at('discriminator'), hidden);
  const z = drawn(terms);
  const joint = judge(z);
  const totalCorrelation = mul(sum(joint), scale);
  const discriminator = discriminatorLoss(joint, judge(permutedColumns(z)), scale);
  return {
    loss: add(negativeElbo(terms, context).loss, mul(tcPenalty, totalCorrelation)),
    adversary: discriminator,
    report: { totalCorrelation, discriminator },
  };
}

/**
 * −E_q[log p(x|z)] and an encoder whose z should be taken for the prior's (Makhzani et al. 2015, section 2; with the weight λ the
 * WAE-GAN of Tolstikhin et al. 2018, algorithm 1).
 */
export function adversarialPrior(
  terms: Terms,
  context: ObjectiveContext,
  { adversarial: weight, adversaryHidden: hidden }: Hidden & { readonly adversarial: number },
): Losses {
  const { scale, scope, vae, observed } = context;
  const judge = denseDiscriminator(scope.at('discriminator'), hidden, observed.condition);
  const posterior = judge(drawn(terms));
  const adversarial = nonSaturatingLoss(posterior, scale);
  const discriminator = discriminatorLoss(judge(vae.prior.draw('noise.prior')), posterior, scale);
  return {
    loss: add(negativeElbo(terms, context).loss, mul(weight, adversarial)),
    adversary: discriminator,
    report: { adversarial, discriminator },
  };
}

export interface VaeGanOptions {
  readonly pixels: number;
  readonly features: number;
  readonly adversarial: number;
  readonly adversaryChannels: readonly number[];
}

/**
 * A picture is compared by what the discriminator makes of it, and the decoder should have its means of p(x|z) taken for real
 * ones, of z of the posterior and of the prior alike (Larsen et al. 2016, algorithm 1: there log p(x|z) itself has no
 * weight). The encoder does not see the adversarial term.
 */
export function generative(terms: Terms, context: ObjectiveContext, options: VaeGanOptions): Losses {
  const { scale, beta, scope, vae, observed } = context;
  const judge = pictureDiscriminator(
    scope.at('discriminator'),
    options.adversaryChannels,
    observed.condition,
  );
  const prior = vae.prior.draw('noise.prior');
  const sampled = vae.decode(reshape(prior, [1, ...prior.shape]));
  const [real, rebuilt, made] = [
    judge(observed.x),
    judge(meanPicture(terms.decoded, context)),
    judge(meanPicture(sampled, context)),
  ];
  const half = mul(scale, 0.5);
  const features = mul(sum(square(sub(real.features, rebuilt.features))), half); // −log N(features; …, I) and a constant
  const adversarial = add(nonSaturatingLoss(rebuilt.logit, half), nonSaturatingLoss(made.logit, half));
  const discriminator = add(
    discriminatorLoss(real.logit, rebuilt.logit, half),
    discriminatorLoss(real.logit, made.logit, half),
  );
  const likeness = sub(
    add(mul(beta, totalKl(terms, context)), mul(options.features, features)),
    mul(options.pixels, expectedLogPx(terms, context)),
  );
  const inference = penalised(likeness, terms);
  return {
    loss: add(inference, mul(options.adversarial, adversarial)),
    inference,
    adversary: discriminator,
    report: { features, adversarial, discriminator },
  };
}

export const adversarial = {
  factorVae: choice({
    doc: 'The ELBO and the total correlation, estimated by a discriminator (Kim & Mnih 2018).',
    options: {
      tcPenalty: weightOption(10, 'the total correlation, beside the KL'),
      adversaryHidden,
      ...adversaryOptions(1),
    },
    build: (options): Objective => ({
      samples: 1,
      beta: 1,
      random: true,
      adversary: adversaryOf(options),
      losses: (terms, context) => factorised(terms, context, options),
    }),
  }),
  aae: choice({
    doc: 'Adversarial autoencoder: a discriminator tells z from draws of the prior (Makhzani et al. 2015).',
    options: {
      adversarial: weightOption(3, 'the adversarial loss'),
      adversaryHidden,
      ...adversaryOptions(0.3),
    },
    build: (options): Objective => ({
      samples: 1,
      beta: 0,
      point: true,
      once: true,
      adversary: adversaryOf(options),
      losses: (terms, context) => adversarialPrior(terms, context, options),
    }),
  }),
  vaeGan: choice({
    doc: 'Pictures compared by the features of a discriminator, which the decoder also has to deceive (Larsen et al. 2016).',
    options: {
      beta: betaOption(1),
      pixels: weightOption(1, 'log p(x|z)'),
      features: weightOption(1, 'the distance of features, half its square'),
      adversarial: weightOption(10, 'the adversarial loss'),
      adversaryChannels,
      ...adversaryOptions(0.3),
    },
    build: ({ beta, ...options }): Objective => ({
      samples: 1,
      beta,
      pictures: true,
      adversary: adversaryOf(options),
      losses: (terms, context) => generative(terms, context, options),
    }),
  }),
};
