/** Objectives that ask for latent dimensions independent of each other. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  constant,
  dimAt,
  div,
  exp,
  fixed,
  gemm,
  log,
  logSumExp,
  maximum,
  mul,
  neg,
  reshape,
  runtimeSize,
  square,
  sub,
  sum,
  type Tensor,
  unsqueeze,
  where,
} from '../../graph/index.ts';
import { gaussian } from '../likelihoods/index.ts';
import {
  batchMean,
  expectedLogPx,
  type Losses,
  type Objective,
  type ObjectiveContext,
  penalised,
} from '../objective.ts';
import type { Level, Terms } from '../terms.ts';
import { negativeElbo } from './bounds.ts';
import { weightOption } from './options.ts';
import { beside, neighbours } from './pairs.ts';

/** How q(z) is estimated from a batch: each pair alike, or with weights that make the estimate unbiased. */
export const SAMPLING = ['weighted', 'stratified'] as const;

export interface CorrelationOptions {
  readonly mutualInformation: number;
  readonly tc: number;
  readonly dimensionKl: number;
  readonly sampling: (typeof SAMPLING)[number];
}

type BatchContext = Pick<ObjectiveContext, 'scale' | 'rows'>;

/** The KL of a level in three parts that add up to log q(z|x) − log p(z) of its draws, means over the batch. */
export interface KlParts {
  /** Between z and the number of the example. */
  readonly mutualInformation: Tensor;
  /** Of the latent dimensions. */
  readonly totalCorrelation: Tensor;
  readonly dimensionKl: Tensor;
}

/** The decomposition of Chen et al. 2018, eq. 2, where one z is drawn for each example from a diagonal Gaussian. */
export function klParts(
  { posterior, z: drawn, logPz, logQz }: Level,
  context: BatchContext,
  sampling: CorrelationOptions['sampling'],
): KlParts {
  const { scale } = context;
  const [mean, logVar] = [posterior.mean, posterior.logVar!].map((t) => beside(t)[1]);
  const [own] = beside(reshape(drawn, posterior.mean.shape));
  const each = gaussian(mean!, logVar!).logProbs(own); // log q(zᵢ|xⱼ), [B, B, Z]
  const weight = pairWeights(drawn, context, sampling);
  const logQ = reshape(logSumExp(add(sum(each, [-1]), weight), 1), logQz.shape);
  const marginals = logSumExp(add(each, unsqueeze(weight, [2])), 1); // [B, Z]
  const product = reshape(sum(marginals, [-1]), logQz.shape);
  const over = (t: Tensor) => batchMean(t, scale);
  return {
    mutualInformation: over(sub(logQz, logQ)),
    totalCorrelation: over(sub(logQ, product)),
    dimensionKl: over(sub(product, logPz)),
  };
}

/**
 * Logs of the weights with which q(zᵢ|xⱼ) enter q(zᵢ), of N training rows. Weighted (Chen et al. 2018, eq. 3): 1 / NB for each,
 * which makes the three parts far too large or small and their gradients good ones. Stratified (appendix C, with M = B − 1):
 * 1/N for i's own, (N − M) / NM for the next, 1/M for the others, which is 1 in all.
 */
function pairWeights(
  drawn: Tensor,
  { scale, rows }: BatchContext,
  sampling: CorrelationOptions['sampling'],
): Tensor {
  if (sampling === 'weighted') return reshape(sub(log(scale), Math.log(rows)), [1, 1]);
  const one = reshape(drawn, [dimAt(drawn.shape, 1), dimAt(drawn.shape, 2)]);
  const { own, next } = neighbours(one);
  const others = maximum(sub(runtimeSize(one, 0), 1), 1); // M
  const another = log(div(sub(rows, others), mul(rows, others)));
  return where(own, -Math.log(rows), where(next, another, neg(log(others))));
}

/** E_q[log p(x|z)] less the three parts of the KL, each with its weight (Chen et al. 2018, eq. 4). */
export function correlated(
  terms: Terms,
  context: Pick<ObjectiveContext, 'scale' | 'rows' | 'beta'>,
  { sampling, ...weights }: CorrelationOptions,
): Losses {
  const parts = klParts(terms.levels[0]!, context, sampling);
  const penalty = add(
    mul(weights.mutualInformation, parts.mutualInformation),
    add(mul(weights.tc, parts.totalCorrelation), mul(weights.dimensionKl, parts.dimensionKl)),
  );
  const loss = sub(mul(context.beta, penalty), expectedLogPx(terms, context));
  return { loss: penalised(loss, terms), report: { ...parts } };
}

export interface CovarianceOptions {
  /** Of the means of q(z|x), or of z itself. */
  readonly covariance: 'means' | 'draws';
  readonly offDiagonal: number;
  readonly diagonal: number;
}

/** Covariance of the rows of t [B, Z] → [Z, Z], divided by B. */
function covarianceOf(t: Tensor, scale: Tensor): Tensor {
  const centred = sub(t, mul(sum(t, [0], { keepDims: true }), scale));
  return mul(gemm(centred, centred, undefined, { transA: true }), scale);
}

/**
 * λₒ Σ_{i≠j} Cᵢⱼ² + λ_d Σᵢ (Cᵢᵢ − 1)² with C = Cov μ(x) (DIP-VAE-I: Kumar et al. 2018, eq. 6), or C = Cov μ(x) + E σ²(x), which is
 * that of z (DIP-VAE-II, eq. 7).
 */
export function covariancePenalty(
  { posterior: { mean, logVar } }: Level,
  { scale }: Pick<ObjectiveContext, 'scale'>,
  { covariance, offDiagonal, diagonal }: CovarianceOptions,
): Tensor {
  const size = fixed(dimAt(mean.shape, 1), 'latent');
  const eye = constant(
    Array.from({ length: size * size }, (_, i) => Number(i % (size + 1) === 0)),
    [size, size],
  );
  const ofMeans = covarianceOf(mean, scale);
  const spread = (v: Tensor) => mul(eye, mul(sum(exp(v), [0], { keepDims: true }), scale)); // E σ² on the diagonal
  const c = covariance === 'means' ? ofMeans : add(ofMeans, spread(logVar!));
  const off = sum(square(mul(c, sub(1, eye))));
  const on = sum(square(sub(mul(c, eye), eye)));
  return add(mul(offDiagonal, off), mul(diagonal, on));
}

/** −ELBO with the covariance penalty. */
export function disentangled(
  terms: Terms,
  context: Pick<ObjectiveContext, 'scale' | 'beta'>,
  options: CovarianceOptions,
): Losses {
  const covariance = covariancePenalty(terms.levels[0]!, context, options);
  return { loss: add(negativeElbo(terms, context).loss, covariance), report: { covariance } };
}

export const independent = {
  betaTcvae: choice({
    doc: 'The KL in three parts, of which the total correlation weighs more (Chen et al. 2018).',
    options: {
      tc: weightOption(6, 'the total correlation of the latent dimensions'),
      mutualInformation: weightOption(1, 'the mutual information of z and the example'),
      dimensionKl: weightOption(1, 'the KL of each dimension alone'),
      sampling: z
        .enum(SAMPLING)
        .default('weighted')
        .describe('how q(z) is estimated from a batch; stratified is unbiased'),
    },
    build: (options): Objective => ({
      samples: 1,
      beta: 1,
      random: true,
      diagonal: true,
      losses: (terms, context) => correlated(terms, context, options),
    }),
  }),
  dipVae: choice({
    doc: 'The ELBO and a penalty on the covariance of z: DIP-VAE I of means, II of draws (Kumar et al. 2018).',
    options: {
      covariance: z
        .enum(['means', 'draws'])
        .default('means')
        .describe('of the means of q(z|x), or of z itself'),
      offDiagonal: weightOption(10, 'covariances'),
      diagonal: weightOption(100, 'the distance of variances from 1'),
    },
    build: (options): Objective => ({
      samples: 1,
      beta: 1,
      random: true,
      diagonal: true,
      losses: (terms, context) => disentangled(terms, context, options),
    }),
  }),
};
