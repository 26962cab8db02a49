/** Objectives that see x as a picture. */
import { choice } from '../../choice.ts';
import { add, concat, mul, reshape, sub, sum, type Tensor } from '../../graph/index.ts';
import {
  expectedLogPx,
  type Losses,
  type Objective,
  type ObjectiveContext,
  penalised,
  totalKl,
} from '../objective.ts';
import type { Terms } from '../terms.ts';
import { betaOption, weightOption } from './options.ts';
import { pyramidDistance } from './pyramid.ts';
import { multiScaleSimilarity } from './ssim.ts';

/** The means of p(x|z) as pictures [B, H, W, C], where one z is drawn for each example. */
export function meanPicture(decoded: Terms['decoded'], { vae }: Pick<ObjectiveContext, 'vae'>): Tensor {
  const space = vae.spec.shape.slice(0, -1);
  const parts = decoded.map(({ likelihood, size }) => reshape(likelihood.mean, ['B', ...space, size]));
  return concat(parts, -1);
}

export interface SimilarityOptions {
  readonly pixels: number;
  readonly ssim: number;
}

/**
 * β·KL − E_q[log p(x|z)] + λ·(1 − MS-SSIM(x, E[x|z])), the similarity of pictures by Wang et al. 2003, as what is
 * reconstructed by Snell et al. 2017.
 */
export function similar(
  terms: Terms,
  context: ObjectiveContext,
  { pixels, ssim: weight }: SimilarityOptions,
): Losses {
  const { scale, beta, observed } = context;
  const each = multiScaleSimilarity(observed.x, meanPicture(terms.decoded, context));
  const msSsim = mul(sum(each), scale);
  const elbo = sub(mul(beta, totalKl(terms, context)), mul(pixels, expectedLogPx(terms, context)));
  return { loss: penalised(add(elbo, mul(weight, sub(1, msSsim))), terms), report: { msSsim } };
}

/**
 * β·KL − E_q[log p(x|z)] and the distance of the Laplacian pyramids of x and E[x|z]: a loss that sees edges and details as
 * well as grey levels, and needs no other network (Bojanowski et al. 2018, section 3.2).
 */
export function perceived(
  terms: Terms,
  context: ObjectiveContext,
  { pixels, pyramid: weight }: { readonly pixels: number; readonly pyramid: number },
): Losses {
  const { scale, beta, observed } = context;
  const pyramid = pyramidDistance(observed.x, meanPicture(terms.decoded, context), scale);
  const elbo = sub(mul(beta, totalKl(terms, context)), mul(pixels, expectedLogPx(terms, context)));
  return { loss: penalised(add(elbo, mul(weight, pyramid)), terms), report: { pyramid } };
}

export const ofPictures = {
  msSsim: choice({
    doc: 'The ELBO and how unlike each picture its reconstruction looks, on several scales (Wang et al. 2003).',
    options: {
      beta: betaOption(1),
      pixels: weightOption(1, 'log p(x|z)'),
      ssim: weightOption(100, '1 less the multi-scale structural similarity'),
    },
    build: ({ beta, ...options }): Objective => ({
      samples: 1,
      beta,
      pictures: true,
      losses: (terms, context) => similar(terms, context, options),
    }),
  }),
  perceptual: choice({
    doc: 'The ELBO and how far each picture is from its reconstruction at every size of detail (Bojanowski et al. 2018).',
    options: {
      beta: betaOption(1),
      pixels: weightOption(1, 'log p(x|z)'),
      pyramid: weightOption(1, 'the distance of Laplacian pyramids'),
    },
    build: ({ beta, ...options }): Objective => ({
      samples: 1,
      beta,
      pictures: true,
      losses: (terms, context) => perceived(terms, context, options),
    }),
  }),
};
