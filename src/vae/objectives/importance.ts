/** Bounds from K weighted samples: wₖ = p(x, zₖ) / q(zₖ|x), in whose log the two logs of the KL weigh β. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { UserError } from '../../errors.ts';
import {
  add,
  argMax,
  dimAt,
  fixed,
  logSumExp,
  max,
  mean,
  mul,
  multiply,
  neg,
  oneHot,
  reshape,
  softmax,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  transpose,
  withGradient,
} from '../../graph/index.ts';
import { noise } from '../../nn/index.ts';
import {
  batchMean,
  type Knobs,
  type Losses,
  type Objective,
  type ObjectiveContext,
  penalised,
} from '../objective.ts';
import { dataTerms, type Level, type Terms } from '../terms.ts';
import { samplesOption } from './options.ts';
import { annealedWeights, type Logs, throughZ } from './weights.ts';

type WeightKnobs = Pick<Knobs, 'scale' | 'beta'>;

/** log (1/K) Σₖ exp tₖ over axis 0: [K, …] → [1, …]. */
function logMeanExp(t: Tensor): Tensor {
  const samples = fixed(dimAt(t.shape, 0), 'samples');
  return sub(logSumExp(t, 0, { keepDims: true }), Math.log(samples));
}

/** log (1/k) Σ w within each of M groups of k samples, the mean over the groups and the batch; w [M·k, B] in logs. */
function groupedBound(weights: Tensor, groups: number, scale: Tensor): Tensor {
  const [samples, batch] = [fixed(dimAt(weights.shape, 0), 'samples'), dimAt(weights.shape, 1)];
  return batchMean(logMeanExp(reshape(weights, [samples / groups, groups, batch])), mul(scale, 1 / groups));
}

/** −log (1/K) Σₖ wₖ, the importance-weighted bound (Burda et al. 2016, eq. 8); K = 1 is the ELBO. */
export const negativeIwae = (terms: Terms, knobs: WeightKnobs): Losses => negativeMiwae(terms, knobs, 1);

/** For each of `count` draws which of the K samples it is, by their weights in logs [K, B]: ones and zeros [count, K, B]. */
function drawnByWeight(weights: Tensor, count: number): Tensor {
  const [samples, batch] = [fixed(dimAt(weights.shape, 0), 'samples'), dimAt(weights.shape, 1)];
  const gumbel = reshape(noise('noise.chosen', 'gumbel', [multiply(count, batch), samples]), [
    count,
    batch,
    samples,
  ]);
  return transpose(oneHot(argMax(add(transpose(weights, [1, 0]), gumbel)), samples), [0, 2, 1]);
}

/**
 * −IWAE with the gradient of −log wₖ of a few samples, drawn with the probabilities w̃ₖ: its mean is the gradient of −IWAE, and
 * all other samples are decoded forwards only, a third of the work (Burda et al. 2016, section 3).
 */
export const negativeIwaeOfFew = (terms: Terms, context: ObjectiveContext, count: number): Losses => {
  const { z, logPx, each, lossBy } = fewOf(terms, context, count);
  const levels = terms.levels.map((level) => ({
    ...level,
    logPz: each(level.logPz),
    logQz: each(level.logQz),
  }));
  return lossBy({ logPx: logPx(z), levels });
};

/** `count` of the K draws, by their weights [K, B] in logs; `each` takes theirs from [K, B] to [count, B]. */
function fewOf(terms: Terms, { vae, observed, scale, beta }: ObjectiveContext, count: number) {
  const given = terms.copies?.observed ?? observed;
  const weights = stopGradient(annealedWeights(terms, beta));
  const chosen = stopGradient(drawnByWeight(weights, count));
  const bound = groupedBound(weights, 1, scale);
  return {
    weights,
    each: (t: Tensor) => sum(mul(chosen, t), [1]),
    z: sum(mul(reshape(chosen, [...chosen.shape, 1]), terms.z), [1]), // [count, B, d]
    logPx: (z: Tensor) => dataTerms(vae, given, vae.decode(z, given.condition), false).logPx,
    /** −IWAE of all, with the gradient of these draws. */
    lossBy: (few: Logs): Losses => {
      const own = batchMean(annealedWeights(few, beta), scale);
      return { loss: penalised(neg(add(bound, sub(own, stopGradient(own)))), terms) };
    },
  };
}

/** The mean of such bounds over groups of samples (MIWAE: Rainforth et al. 2018, section 5). */
export const negativeMiwae = (terms: Terms, { scale, beta }: WeightKnobs, groups: number): Losses => ({
  loss: penalised(neg(groupedBound(annealedWeights(terms, beta), groups, scale)), terms),
});

/** The tight bound for the decoder, the one with the better gradient for the encoder (PIWAE: Rainforth et al. 2018, section 5). */
export const negativePiwae = (terms: Terms, knobs: WeightKnobs, groups: number): Losses => {
  const inference = negativeMiwae(terms, knobs, groups).loss;
  return { ...negativeIwae(terms, knobs), inference, report: { miwae: neg(inference) } };
};

/** The share of the ELBO, the rest of the IWAE (CIWAE: Rainforth et al. 2018, section 5). */
export const negativeCiwae = (terms: Terms, { scale, beta }: WeightKnobs, share: number): Losses => {
  const weights = annealedWeights(terms, beta);
  const elbo = batchMean(weights, scale);
  const iwae = groupedBound(weights, 1, scale);
  return { loss: penalised(neg(add(mul(share, elbo), mul(1 - share, iwae))), terms), report: { elbo, iwae } };
};

/** What multiplies w̃ₖ below: w̃ₖ itself, and 1 − β + β w̃ₖ where the two logs of the KL weigh β, by the same steps. */
const secondShare = (share: Tensor, beta: Tensor): Tensor => add(sub(1, beta), mul(beta, share));

/**
 * −IWAE, and for the encoder its doubly reparameterised gradient Σ w̃ₖ² ∂log wₖ/∂zₖ · ∂zₖ/∂φ with w̃ the normalised weights
 * (IWAE-DReG: Tucker et al. 2019).
 */
export const doublyReparameterised = (terms: Terms, knobs: WeightKnobs): Losses => {
  const { scale, beta } = knobs;
  const share = stopGradient(softmax(annealedWeights(terms, beta), 0)); // [K, B]
  const factor = mul(share, secondShare(share, beta));
  const surrogate = neg(mul(sum(mul(factor, annealedWeights(throughZ(terms), beta))), scale));
  return { ...negativeIwae(terms, knobs), inference: penalised(surrogate, terms) };
};

/**
 * The same of a few samples, drawn with the probabilities w̃ₖ; the other w̃ₖ multiplies the gradient where it leaves z, so that
 * one way back through the decoder serves both.
 */
export const doublyReparameterisedOfFew = (
  terms: Terms,
  context: ObjectiveContext,
  count: number,
): Losses => {
  const { weights, z, logPx, each, lossBy } = fewOf(terms, context, count);
  const share = stopGradient(each(secondShare(softmax(weights, 0), context.beta))); // [count, B]
  const own = withGradient([z], z, (dy) => [mul(dy, reshape(share, [...share.shape, 1]))]);
  const [level] = terms.levels as [Level];
  const levels = [{ ...level, z: own, logPz: level.prior.logProb(own) }];
  return lossBy(throughZ({ logPx: logPx(own), levels }));
};

/** 1/t · log (1/K) Σₖ exp(t wₖ) for small t, by its cumulants: mean + t/2 · variance; w [K, B] in logs → [1, B]. */
function nearMean(weights: Tensor, t: number): Tensor {
  const centre = mean(weights, [0], { keepDims: true });
  return add(centre, mul(t / 2, mean(square(sub(weights, centre)), [0], { keepDims: true })));
}

const NEAR = 1e-3; // to 1: nearer, rounding in float32 shows more than what the series leaves out

/** −1/(1 − α) · log (1/K) Σₖ wₖ^(1 − α) (the VR bound of Li & Turner 2016); α = 1 is the ELBO, α = 0 the IWAE. */
export const negativeRenyi = (terms: Terms, { scale, beta }: WeightKnobs, alpha: number): Losses => {
  const weights = annealedWeights(terms, beta);
  const order = 1 - alpha;
  const bound =
    Math.abs(order) < NEAR ? nearMean(weights, order) : mul(logMeanExp(mul(weights, order)), 1 / order);
  return { loss: penalised(neg(batchMean(bound, scale)), terms) };
};

/** −max log wₖ, where α goes to −∞ (VR-max: Li & Turner 2016). */
export const negativeMaximum = (terms: Terms, { scale, beta }: WeightKnobs): Losses => {
  const largest = max(annealedWeights(terms, beta), [0], { keepDims: true });
  return { loss: penalised(neg(batchMean(largest, scale)), terms) };
};

const ofWeights = { beta: 1, random: true, weighs: true } as const;

const groupsOption = z.int().min(1).max(10_000).default(4).describe('groups that the draws are parted into');

const backwardSamplesOption = z
  .int()
  .min(1)
  .max(10_000)
  .optional()
  .describe('draws that the gradient goes through, chosen by weight; without it all of them');

function checkFew(samples: number, few: number): void {
  if (few >= samples)
    throw new UserError(`${few} backward samples of ${samples} spare nothing: leave them out, or give fewer`);
}

function checkGroups(samples: number, groups: number): void {
  if (samples % groups !== 0)
    throw new UserError(`${samples} samples do not part into ${groups} groups of one size`);
}

export const weighted = {
  iwae: choice({
    doc: 'Importance-weighted bound, tighter than the ELBO (Burda et al. 2016).',
    options: { samples: samplesOption(5), backwardSamples: backwardSamplesOption },
    build: ({ samples, backwardSamples: few }): Objective => {
      if (few === undefined) return { ...ofWeights, samples, losses: negativeIwae };
      checkFew(samples, few);
      return { ...ofWeights, samples, losses: (terms, context) => negativeIwaeOfFew(terms, context, few) };
    },
  }),
  miwae: choice({
    doc: 'Mean of importance-weighted bounds over groups of draws (Rainforth et al. 2018).',
    options: { samples: samplesOption(16), groups: groupsOption },
    build: ({ samples, groups }): Objective => {
      checkGroups(samples, groups);
      return { ...ofWeights, samples, losses: (terms, context) => negativeMiwae(terms, context, groups) };
    },
  }),
  piwae: choice({
    doc: 'One importance-weighted bound for the decoder, the mean over groups for the encoder (Rainforth et al. 2018).',
    options: { samples: samplesOption(16), groups: groupsOption },
    build: ({ samples, groups }): Objective => {
      checkGroups(samples, groups);
      return { ...ofWeights, samples, losses: (terms, context) => negativePiwae(terms, context, groups) };
    },
  }),
  ciwae: choice({
    doc: 'Between the ELBO and the importance-weighted bound (Rainforth et al. 2018).',
    options: {
      samples: samplesOption(5),
      elboShare: z.number().min(0).max(1).default(0.05).describe('share of the ELBO'),
    },
    build: ({ samples, elboShare }): Objective => ({
      ...ofWeights,
      samples,
      losses: (terms, context) => negativeCiwae(terms, context, elboShare),
    }),
  }),
  dreg: choice({
    doc: 'Importance-weighted bound whose gradient for the encoder has less noise (Tucker et al. 2019).',
    options: { samples: samplesOption(5), backwardSamples: backwardSamplesOption },
    build: ({ samples, backwardSamples: few }): Objective => {
      const common = { ...ofWeights, samples, density: true, apart: true } as const;
      if (few === undefined) return { ...common, losses: doublyReparameterised };
      checkFew(samples, few);
      return {
        ...common,
        losses: (terms, context) => doublyReparameterisedOfFew(terms, context, few),
      };
    },
  }),
  renyi: choice({
    doc: "Variational bound from Rényi's divergence (Li & Turner 2016).",
    options: {
      samples: samplesOption(5),
      alpha: z
        .number()
        .min(-100)
        .max(100)
        .default(0.5)
        .describe('order of the divergence: 1 is the ELBO, 0 the importance-weighted bound'),
    },
    build: ({ samples, alpha }): Objective => ({
      ...ofWeights,
      samples,
      losses: (terms, context) => negativeRenyi(terms, context, alpha),
    }),
  }),
  vrMax: choice({
    doc: 'The best of the draws alone: the Rényi bound of order minus infinity (Li & Turner 2016).',
    options: { samples: samplesOption(5) },
    build: ({ samples }): Objective => ({ ...ofWeights, samples, losses: negativeMaximum }),
  }),
};
