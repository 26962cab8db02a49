/** Laws of real numbers. */

import { choice } from '../../choice.ts';
import { add, concat, exp, mul, neg, softplus, square, sub, type Tensor } from '../../graph/index.ts';
import { constantly } from '../../nn/index.ts';
import { each, type Law, type Likelihood, type LikelihoodField } from '../likelihood.ts';

const LOG_2PI = Math.log(2 * Math.PI);

/** N(mean, exp(logVar)): −½ (log 2π + log σ² + (x − μ)²/σ²). `logVar` broadcasts over `mean`. */
export const gaussian = (mean: Tensor, logVar: Tensor): Likelihood => ({
  mean,
  values: { mean, logVar },
  logProbs: (x) => mul(-0.5, add(mul(square(sub(x, mean)), exp(neg(logVar))), add(logVar, LOG_2PI))),
});

const LEAST_LOG_VAR = -12; // a standard deviation of 0.0025: below the step of 8-bit pixels
const SPEED = 10;

/** Held above a floor smoothly, so that no density runs to infinity (Rybkin et al. 2021, section 3.3). */
const floored = (logVar: Tensor): Tensor => add(LEAST_LOG_VAR, softplus(sub(logVar, LEAST_LOG_VAR)));

/**
 * A log scale learned for each feature and not decoded. It moves ten times as fast as a weight: it has further to go,
 * and until it arrives the KL weighs too much.
 */
export function learned(fields: readonly LikelihoodField[], name: string, initial = 0): Tensor {
  const all = fields.map(({ scope, size }) => scope.parameter(name, [size], constantly(initial / SPEED)));
  return mul(SPEED, concat(all, 0));
}

const drawGaussian: Law['draw'] = each(
  (value, { normal }) => value('mean') + Math.exp(value('logVar') / 2) * normal(),
);

const real = { support: 'real', discrete: false, parameters: ['mean'] } as const;

export const reals = {
  gaussian: choice({
    doc: 'Gaussian with one learned variance a feature, shared by all examples.',
    options: {},
    build: (): Law => ({
      ...real,
      build: (fields, [mean]) => gaussian(mean!, floored(learned(fields, 'logVar'))),
      draw: drawGaussian,
    }),
  }),
  gaussianShared: choice({
    doc: 'Gaussian with one learned variance for all features (σ-VAE, Rybkin et al. 2021).',
    options: {},
    build: (): Law => ({
      ...real,
      shared: true,
      build: ([field], [mean]) => gaussian(mean!, floored(learned([{ ...field!, size: 1 }], 'logVar', -3))),
      draw: drawGaussian,
    }),
  }),
};
