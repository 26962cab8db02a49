/** Laws of one of several classes, one-hot. */

import { choice } from '../../choice.ts';
import {
  add,
  affine,
  concat,
  constant,
  cumulativeSum,
  exp,
  expand,
  log1mExp,
  logSigmoid,
  logSoftmax,
  mul,
  neg,
  pad,
  softmax,
  split,
  sub,
  sum,
  type Tensor,
  transpose,
  withGradient,
} from '../../graph/index.ts';
import type { Law, Likelihood, LikelihoodField } from '../likelihood.ts';
import { between, learned } from './spread.ts';

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

const drawClass: Law['draw'] = ({ logits }, { categorical: pick }, out) => {
  out.fill(0);
  out[pick(logits!)] = 1;
};

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

/**
 * Classes in an order by cumulative logits (McCullagh 1980): P(class ≤ j) = σ(θⱼ − location), θ rising. What lies between
 * two thresholds is log σ(a) + log σ(−b) + log(1 − e^(b − a)) for a = θⱼ − location, b = θⱼ₋₁ − location.
 * location [..., 1], thresholds and the gaps between them [classes − 1] and [classes − 2] → [..., classes].
 */
function ordinalLogits(location: Tensor, lowest: Tensor, gaps: Tensor | undefined): Tensor {
  const thresholds = gaps ? concat([lowest, add(lowest, cumulativeSum(gaps, 0))], 0) : lowest;
  const distance = sub(thresholds, location);
  const below = pad(logSigmoid(distance), -1, 0, 1);
  const above = pad(logSigmoid(neg(distance)), -1, 1, 0);
  const sides = add(below, above);
  return gaps ? add(sides, pad(log1mExp(gaps), 0, 1, 1)) : sides;
}

/** Thresholds learned for a field of so many classes: at first even, with a gap of 1. */
function ordinalField(field: LikelihoodField, location: Tensor): Tensor {
  const gaps = field.size - 2;
  if (gaps < 0) throw new Error(`an order of ${field.size} class: expected two or more`);
  const lowest = learned([{ ...field, size: 1 }], 'threshold', -gaps / 2);
  const apart = gaps > 0 ? exp(between(learned([{ ...field, size: gaps }], 'gap'), -12, 4)) : undefined;
  return ordinalLogits(location, lowest, apart);
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
      draw: drawClass,
    }),
  }),
  ordinal: choice({
    doc: 'Ordinal, for one of several classes in an order: one number decoded, thresholds learned (McCullagh 1980).',
    options: {},
    build: (): Law => ({
      support: 'order',
      discrete: true,
      vanishes: true,
      parameters: ['location'],
      width: () => 1,
      build: (fields, [location]) => {
        const own = split(
          location!,
          -1,
          fields.map(() => 1),
        );
        const logP = concat(
          own.map((l, i) => ordinalField(fields[i]!, l)),
          -1,
        );
        return { mean: exp(logP), values: { logits: logP }, logProbs: (x) => mul(x, logP) };
      },
      draw: drawClass,
    }),
  }),
};
