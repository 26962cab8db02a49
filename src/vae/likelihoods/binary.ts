/** Laws of a yes or no, and of what is between. */

import { choice } from '../../choice.ts';
import { mul, sigmoid, softplus, sub, type Tensor, withGradient } from '../../graph/index.ts';
import { each, type Law, type Likelihood } from '../likelihood.ts';

/**
 * x ∈ [0, 1]: x·l − log(1 + eˡ) with logits l, stable at any l. Fractions are weighted (a bound, not a density). Its
 * gradient, x − σ(l), is written out: the mechanical one takes one more pass over the largest tensors of the graph.
 */
export const bernoulli = (logits: Tensor): Likelihood => {
  const mean = sigmoid(logits);
  return {
    mean,
    values: { logits },
    logProbs: (x) =>
      withGradient(
        [x, logits],
        sub(mul(x, logits), softplus(logits)),
        (dy) => [mul(dy, logits), mul(dy, sub(x, mean))],
        true,
      ),
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
