/** Autoencoders: reconstruction, with what keeps it from copying. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  dimAt,
  gradients,
  greaterOrEqual,
  mul,
  neg,
  reshape,
  square,
  sum,
  type Tensor,
  toFloat,
  withGradient,
} from '../../graph/index.ts';
import { noise } from '../../nn/index.ts';
import {
  batchMean,
  expectedLogPx,
  type Losses,
  type Objective,
  type ObjectiveContext,
  penalised,
} from '../objective.ts';
import { isPoint } from '../posterior.ts';
import type { Terms } from '../terms.ts';
import { negativeElbo } from './bounds.ts';
import { betaOption, weightOption } from './options.ts';

/** −E_q[log p(x|z)] alone. */
export const reconstruction = (terms: Terms, context: Pick<ObjectiveContext, 'scale'>): Losses => ({
  loss: penalised(neg(expectedLogPx(terms, context)), terms),
});

const corruptions = {
  /** x + s·ε, ε ~ N(0, 1) for each feature. */
  gaussian: (x: Tensor, level: number): Tensor =>
    add(x, mul(level, noise('noise.corruption', 'normal', x.shape))),
  /** Each feature is 0 with probability s (masking noise: Vincent et al. 2008). */
  masking: (x: Tensor, level: number): Tensor =>
    mul(x, toFloat(greaterOrEqual(noise('noise.corruption', 'uniform', x.shape), level))),
};
type CorruptionName = keyof typeof corruptions;

export interface RegularisedOptions {
  /** Of ½|z|². */
  readonly codeWeight: number;
  readonly decoderWeight: number;
  readonly smoothness: 'weights' | 'gradient';
}

/** Σ θ² over all parameters of the decoder. */
const weightPenalty = ({ vae }: Pick<ObjectiveContext, 'vae'>): Tensor =>
  vae.parameters
    .filter(({ name }) => name.startsWith('decoder.'))
    .map(({ tensor }) => sum(square(tensor)))
    .reduce((a, b) => add(a, b));

/**
 * |∂E[x|z]/∂z|², the squared Frobenius norm of the decoder's Jacobian, a mean over the batch, estimated without bias by
 * |Jᵀv|² with v ~ N(0, I) (Hutchinson 1990): one backward pass instead of one for each feature.
 */
function gradientPenalty(
  { z, levels, decoded }: Pick<Terms, 'z' | 'levels' | 'decoded'>,
  { vae, scale }: Pick<ObjectiveContext, 'vae' | 'scale'>,
): Tensor {
  const isMean = isPoint(vae.spec.posterior); // then what is decoded is a function of it
  const own = isMean ? levels[0]!.posterior.mean : withGradient([z], z, (dy) => [dy]);
  const along = (isMean ? decoded : vae.decode(own)).map(({ likelihood: { mean } }, i) => {
    const direction = noise(`noise.direction.${i}`, 'normal', ['B', dimAt(mean.shape, -1)]);
    return sum(mul(mean, direction));
  });
  const [slope] = gradients(
    along.reduce((a, b) => add(a, b)),
    [own],
  );
  return batchMean(square(reshape(slope!, z.shape)), scale);
}

/** −log p(x|z) + β·½|z|² + λ·R with R of the decoder (RAE: Ghosh et al. 2020, section 3). */
export function regularised(
  terms: Terms,
  context: ObjectiveContext,
  { codeWeight, decoderWeight, smoothness }: RegularisedOptions,
): Losses {
  const code = mul(0.5, batchMean(square(terms.z), context.scale));
  const decoder = smoothness === 'weights' ? weightPenalty(context) : gradientPenalty(terms, context);
  const penalty = add(mul(codeWeight, code), mul(decoderWeight, decoder));
  return { loss: add(reconstruction(terms, context).loss, penalty), report: { code, decoder } };
}

export const autoencoders = {
  autoencoder: choice({
    doc: 'Reconstruction alone: the plain autoencoder, with a point for each example.',
    options: {},
    build: (): Objective => ({ samples: 1, beta: 0, point: true, losses: reconstruction }),
  }),
  denoising: choice({
    doc: 'The ELBO from a corrupted view of x (Im et al. 2017); of a point, the denoising autoencoder (Vincent et al. 2008).',
    options: {
      beta: betaOption(1),
      corruption: z
        .enum(Object.keys(corruptions) as [CorruptionName, ...CorruptionName[]])
        .default('gaussian')
        .describe('noise that is added, or features that are set to 0'),
      corruptionLevel: z
        .number()
        .positive()
        .max(1)
        .default(0.25)
        .describe('standard deviation of the noise, or share of the features'),
    },
    build: ({ beta, corruption, corruptionLevel }): Objective => ({
      samples: 1,
      beta,
      ofMeans: true,
      corrupt: (seen) => corruptions[corruption](seen, corruptionLevel),
      losses: (terms, context) => negativeElbo(terms, context),
    }),
  }),
  rae: choice({
    doc: 'Autoencoder with a penalty on its codes and a smooth decoder (Ghosh et al. 2020).',
    options: {
      codeWeight: weightOption(0.1, 'half the squared length of z'),
      decoderWeight: weightOption(0.001, "the decoder's penalty"),
      smoothness: z
        .enum(['weights', 'gradient'])
        .default('weights')
        .describe("what is penalised: the decoder's squared weights, or its squared gradient by z"),
    },
    build: (options): Objective => ({
      samples: 1,
      beta: 0,
      point: true,
      once: true,
      losses: (terms, context) => regularised(terms, context, options),
    }),
  }),
};
