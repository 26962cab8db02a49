/** Laws of a yes or no, and of what is between. */

import { choice } from '../../choice.ts';
import {
  add,
  maximum,
  mul,
  relu,
  sigmoid,
  softplus,
  sub,
  sum,
  sumLog,
  type Tensor,
  unsqueeze,
  withGradient,
} from '../../graph/index.ts';
import { each, type Law, type Likelihood } from '../likelihood.ts';

/**
 * x ∈ [0, 1]: x·l − log(1 + eˡ) = x·l − max(l, 0) + log max(σ(l), 1 − σ(l)) with logits l, stable at any l. Fractions are weighted (a
 * bound, not a density). Its gradient, x − σ(l), is written out: the mechanical one takes one more pass over the largest tensors
 * of the graph.
 */
export const bernoulli = (logits: Tensor): Likelihood => {
  const mean = sigmoid(logits);
  const slopes = (x: Tensor, dy: Tensor) => [mul(dy, logits), mul(dy, sub(x, mean))];
  return {
    mean,
    values: { logits },
    logProbs: (x) =>
      withGradient([x, logits], sub(mul(x, logits), softplus(logits)), (dy) => slopes(x, dy), true),
    logProb: (x) => {
      const linear = sub(sum(mul(x, logits), [-1]), sum(relu(logits), [-1])); // two sums read less than a difference writes
      const value = add(linear, sumLog(maximum(mean, sub(1, mean))));
      return withGradient([x, logits], value, (dy) => slopes(x, unsqueeze(dy, [-1])), true);
    },
  };
};

export const binary = {
  bernoulli: choice({
    doc: 'Bernoulli, for binary values and binarised pixels.',
    options: {},
    build: (): Law => ({
      support: 'binary',
      discrete: true,
      parameters: ['logits'],
      build: (_, [logits]) => bernoulli(logits!),
      draw: each((value, { uniform }) => Number(uniform() < 1 / (1 + Math.exp(-value('logits'))))),
    }),
  }),
};
