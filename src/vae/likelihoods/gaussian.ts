/** Gaussians, by where their variance comes from. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  mean as average,
  concat,
  constant,
  dimAt,
  div,
  exp,
  expand,
  fixed,
  greater,
  log,
  maximum,
  mul,
  neg,
  reshape,
  split,
  square,
  sub,
  sum,
  type Tensor,
  where,
} from '../../graph/index.ts';
import { constantly } from '../../nn/index.ts';
import { each, type Law, type Likelihood, type LikelihoodField } from '../likelihood.ts';
import { floored, learned } from './spread.ts';

const LOG_2PI = Math.log(2 * Math.PI);

/** N(mean, exp(logVar)): −½ (log 2π + log σ² + (x − μ)²/σ²). `logVar` broadcasts over `mean`. */
export const gaussian = (mean: Tensor, logVar: Tensor): Likelihood => ({
  mean,
  deviation: exp(mul(0.5, logVar)),
  values: { mean, logVar },
  logProbs: (x) => mul(-0.5, add(mul(square(sub(x, mean)), exp(neg(logVar))), add(logVar, LOG_2PI))),
});

const LEAST_LOG_VAR = -12; // a standard deviation of 0.0025: below the step of 8-bit pixels

export const heldLogVar = (logVar: Tensor): Tensor => floored(logVar, LEAST_LOG_VAR);

export const drawGaussian: Law['draw'] = each(
  (value, { normal }) => value('mean') + Math.exp(value('logVar') / 2) * normal(),
);

const real = { support: 'real', discrete: false, parameters: ['mean'], draw: drawGaussian } as const;

/** Part of the running mean of squares that a step keeps: it follows training within some ten steps. */
const KEPT = 0.9;

/**
 * One log σ² a field. The likelihood is greatest where σ² is the mean square of x − μ (Rybkin et al. 2021);
 * theirs is that of the batch at hand, of which nothing is left when x is to be evaluated or drawn. Here it is a parameter
 * that a running mean moves: training, evaluation and draws use the same number.
 */
function optimal(fields: readonly LikelihoodField[], mean: Tensor): Likelihood {
  const own = fields.map(({ scope }) => scope.parameter('logVar', [1], constantly(0)));
  const sizes = fields.map(({ size }) => size);
  const whole = () =>
    concat(
      own.map((v, i) => expand(v, [sizes[i]!])),
      0,
    );
  return {
    ...gaussian(mean, own.length === 1 ? own[0]! : whole()),
    updates: (x, there) => {
      const squares = split(square(sub(x, mean)), -1, sizes);
      const seen = there && split(there, -1, sizes);
      return Object.fromEntries(own.map((v, i) => [v.name!, moved(v, squares[i]!, seen?.[i])]));
    },
  };
}

/** log σ² one step on: σ² is a running mean of squares [K, B, d], of those that are there. */
function moved(logVar: Tensor, squares: Tensor, there?: Tensor): Tensor {
  const one = (t: Tensor) => reshape(t, [1]);
  const next = (value: Tensor) =>
    log(maximum(add(mul(KEPT, exp(logVar)), mul(1 - KEPT, value)), Math.exp(LEAST_LOG_VAR)));
  if (!there) return next(one(average(squares)));
  const count = mul(one(sum(there)), fixed(dimAt(squares.shape, 0), 'samples'));
  return where(greater(count, 0), next(div(one(sum(mul(squares, there))), maximum(count, 1))), logVar);
}

export const gaussians = {
  gaussian: choice({
    doc: 'Gaussian with one learned variance a feature, shared by all examples.',
    options: {},
    build: (): Law => ({
      ...real,
      build: (fields, [mean]) => gaussian(mean!, heldLogVar(learned(fields, 'logVar'))),
    }),
  }),
  gaussianShared: choice({
    doc: 'Gaussian with one learned variance for all features (σ-VAE, Rybkin et al. 2021).',
    options: {},
    build: (): Law => ({
      ...real,
      shared: true,
      build: ([field], [mean]) =>
        gaussian(mean!, heldLogVar(learned([{ ...field!, size: 1 }], 'logVar', -3))),
    }),
  }),
  gaussianOptimal: choice({
    doc: 'Gaussian with the best variance for each field, a running mean squared error (optimal σ-VAE, Rybkin et al. 2021).',
    options: {},
    build: (): Law => ({ ...real, build: (fields, [mean]) => optimal(fields, mean!) }),
  }),
  gaussianFixed: choice({
    doc: 'Gaussian with a given standard deviation: squared error, weighed against the KL.',
    options: {
      sigma: z
        .number()
        .positive()
        .max(1000)
        .default(0.1)
        .describe('standard deviation, in units of the model'),
    },
    build: ({ sigma }): Law => ({
      ...real,
      build: (_, [mean]) => gaussian(mean!, constant([2 * Math.log(sigma)], [1])),
    }),
  }),
  gaussianPredicted: choice({
    doc: 'Gaussian whose mean and variance are both decoded.',
    options: {},
    build: (): Law => ({
      ...real,
      parameters: ['mean', 'logVar'],
      build: (_, [mean, logVar]) => gaussian(mean!, heldLogVar(logVar!)),
    }),
  }),
};
