/** Laws of one of several classes, one-hot. */

import { choice } from '../../choice.ts';
import {
  affine,
  concat,
  constant,
  exp,
  expand,
  logSoftmax,
  mul,
  softmax,
  split,
  sub,
  sum,
  type Tensor,
  transpose,
  withGradient,
} from '../../graph/index.ts';
import type { Law, Likelihood } from '../likelihood.ts';

/**
 * One of as many classes as each field has features, x one-hot: Σ x · log softmax(l). The gradient
 * dl = w − softmax(l) · Σ_field w with w = x · dy is written out for all fields at once, with products for the sums:
 * mechanically it is four small ops a field.
 */
export function categorical(logits: Tensor, sizes: readonly number[]): Likelihood {
  const eachField = (t: Tensor, f: (field: Tensor) => Tensor) => concat(split(t, -1, sizes).map(f), -1);
  const logP = eachField(logits, (l) => logSoftmax(l));
  return {
    mean: eachField(logits, (l) => softmax(l)),
    values: { logits },
    logProbs: (x) =>
      withGradient(
        [x, logits],
        mul(x, logP),
        (dy) => {
          const w = mul(x, dy);
          return [mul(dy, logP), sub(w, mul(exp(logP), fieldSums(w, sizes)))];
        },
        true,
      ),
  };
}

const MOST_ONES = 2 ** 16;

/** In place of each feature the sum over its field, [..., D] → [..., D]: by products with zeros and ones while these are few. */
function fieldSums(t: Tensor, sizes: readonly number[]): Tensor {
  const total = (field: Tensor) => sum(field, [-1], { keepDims: true });
  if (sizes.length === 1) return total(t);
  const owners = sizes.flatMap((size, i) => Array<number>(size).fill(i));
  if (owners.length * sizes.length > MOST_ONES)
    return concat(
      split(t, -1, sizes).map((field) => expand(total(field), field.shape, field)),
      -1,
    );
  const ones = owners.flatMap((owner) => sizes.map((_, i) => Number(owner === i)));
  const table = constant(ones, [owners.length, sizes.length]);
  return affine(affine(t, table), transpose(table));
}

export const classes = {
  categorical: choice({
    doc: 'Categorical, for one of several classes.',
    options: {},
    build: (): Law => ({
      support: 'class',
      discrete: true,
      vanishes: true,
      parameters: ['logits'],
      build: (fields, [logits]) =>
        categorical(
          logits!,
          fields.map(({ size }) => size),
        ),
      draw: ({ logits }, { categorical: pick }, out) => {
        out.fill(0);
        out[pick(logits!)] = 1;
      },
    }),
  }),
};
