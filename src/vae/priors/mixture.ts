/** A mixture of Gaussians with learned weights. */
import * as zod from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  cumulativeSum,
  dimAt,
  exp,
  gather,
  greater,
  logSoftmax,
  logSumExp,
  mul,
  multiply,
  reshape,
  type Shape,
  softmax,
  sub,
  sum,
  type Tensor,
  toFloat,
  toInteger,
} from '../../graph/index.ts';
import { constantly, type Initialiser, noise, normally, type Scope } from '../../nn/index.ts';
import { boundedLogVar } from '../bounded.ts';
import { pairLogProbs } from '../gaussian-pairs.ts';
import type { Prior, PriorFamily } from '../prior.ts';

/** log Σₘ wₘ pₘ(z) for each sample, from log (wₘ pₘ) of samples [K·B, Z] → [K·B, M]. */
export function mixed(z: Tensor, logProbs: (rows: Tensor) => Tensor): Tensor {
  const [samples, batch, latent] = z.shape as Shape & [number, 'B', number];
  const each = logProbs(reshape(z, [multiply(samples, batch), latent]));
  return reshape(logSumExp(each, -1), [samples, batch]);
}

/** p = Σₘ wₘ N(μₘ, diag σₘ²), from log weights [M] that need not add up, `mean` and `logVar` [M, Z]. */
export const gaussianMixture = (logits: Tensor, mean: Tensor, logVar: Tensor): Prior => ({
  logProb: (z) => mixed(z, (rows) => add(pairLogProbs(rows, mean, logVar), logSoftmax(logits))),
  draw: (name) => {
    const own = componentOf(noise(`${name}.component`, 'uniform', ['B', 1]), softmax(logits));
    const epsilon = noise(name, 'normal', ['B', Number(dimAt(mean.shape, 1))]);
    return add(gather(mean, own), mul(exp(mul(0.5, gather(logVar, own))), epsilon));
  },
});

/** The component that u [B, 1] in (0, 1) falls to, by the running sum of weights [M]; int64 [B]. */
function componentOf(u: Tensor, weights: Tensor): Tensor {
  const before = cumulativeSum(weights, 0, { exclusive: true });
  return toInteger(sub(sum(toFloat(greater(u, before)), [1]), 1));
}

/** A parameter of any shape that is no matrix to weight decay: it is declared with one axis. */
export const learnedRows = (
  scope: Scope,
  name: string,
  shape: readonly number[],
  initialise: Initialiser,
): Tensor => reshape(scope.parameter(name, [shape.reduce((a, b) => a * b)], initialise), shape);

export const componentsOption = (value: number, what: string) =>
  zod.int().min(1).max(10_000).default(value).describe(what);

export const mixtures = {
  mixture: choice({
    doc: 'Mixture of Gaussians with learned weights, means and variances.',
    options: { components: componentsOption(10, 'components of the mixture') },
    build: ({ components }): PriorFamily => ({
      space: 'real',
      build: (latent, { scope }) => {
        const logits = scope.parameter('logits', [components], constantly(0));
        const mean = learnedRows(scope, 'mean', [components, latent], normally);
        const logVar = learnedRows(scope, 'logVar', [components, latent], constantly(0));
        return gaussianMixture(logits, mean, boundedLogVar(logVar));
      },
    }),
  }),
};
