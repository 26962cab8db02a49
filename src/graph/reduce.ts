/** Reductions over axes, the stable forms built on them, and running sums. */
import { add, div, equal, exp, log, maximum, mul, stopGradient, sub, toFloat } from './elementwise.ts';
import { reshape, runtimeSize, unsqueeze } from './move.ts';
import { axisOf, type Dim, dimAt, fixed, type Shape } from './shape.ts';
import { type Gradient, integers, node, scalar, type Tensor, withGradient } from './tensor.ts';

export interface ReduceOptions {
  /** Keep the reduced axes with size 1. */
  readonly keepDims?: boolean;
}

const allAxes = (x: Tensor): number[] => [...x.shape.keys()];

function reduce(op: string, x: Tensor, axes: readonly number[], keep: boolean, gradient: Gradient): Tensor {
  const reduced = new Set(axes.map((axis) => axisOf(x.shape, axis)));
  if (reduced.size === 0) return x;
  const shape: Shape = keep
    ? x.shape.map((d, i) => (reduced.has(i) ? 1 : d))
    : x.shape.filter((_, i) => !reduced.has(i));
  const inputs = [x, integers([...reduced].sort((a, b) => a - b))];
  return node(op, inputs, shape, gradient, { attributes: { keepdims: keep ? 1 : 0 }, elementwise: true });
}

/** dy of a reduction with the reduced axes back as size 1: it broadcasts over x and need not be expanded. */
const spread = (dy: Tensor, x: Tensor, axes: readonly number[], keep: boolean): Tensor =>
  keep
    ? dy
    : unsqueeze(
        dy,
        axes.map((axis) => axisOf(x.shape, axis)),
      );

export const sum = (
  x: Tensor,
  axes: readonly number[] = allAxes(x),
  { keepDims = false }: ReduceOptions = {},
): Tensor => reduce('ReduceSum', x, axes, keepDims, (dy) => [spread(dy, x, axes, keepDims)]);

export const mean = (
  x: Tensor,
  axes: readonly number[] = allAxes(x),
  { keepDims = false }: ReduceOptions = {},
): Tensor =>
  reduce('ReduceMean', x, axes, keepDims, (dy) => [spread(div(dy, count(x, axes, dy)), x, axes, keepDims)]);

/** Elements along the axes: a number, or read at run time where the batch is among them. */
function count(x: Tensor, axes: readonly number[], beside: Tensor): Tensor {
  const sizes = axes.map((axis) => runtimeSize(x, axis));
  const total = sizes.reduce((a, b) => mul(a, b), scalar(1));
  return reshape(total, Array<Dim>(beside.shape.length).fill(1));
}

/** The largest value; ties share the gradient. */
export const max = (
  x: Tensor,
  axes: readonly number[] = allAxes(x),
  { keepDims = false }: ReduceOptions = {},
): Tensor =>
  reduce('ReduceMax', x, axes, keepDims, (dy, y) => {
    const isMax = toFloat(equal(x, spread(y, x, axes, keepDims)));
    return [mul(spread(dy, x, axes, keepDims), div(isMax, sum(isMax, axes, { keepDims: true })))];
  });

/** Factors whose product stays a normal number, each at least ½. */
const FACTORS = 112;

/**
 * Σ log x over the last axis, for x from ½ to 1: the logs of products of many, for a log takes seven times as long as a product
 * (docs/decisions/003-speed.md). [..., D] → [...].
 */
export function sumLog(x: Tensor): Tensor {
  const [size, others] = [fixed(dimAt(x.shape, -1), 'features'), x.shape.slice(0, -1)];
  const factors = largestDivisor(size, FACTORS);
  const parted = reshape(x, [...others, size / factors, factors]);
  const axis = integers([others.length + 1]);
  const attributes = { keepdims: 0 };
  const products =
    factors === 1 ? x : node('ReduceProd', [parted, axis], parted.shape.slice(0, -1), null, { attributes });
  return withGradient([x], sum(log(products), [-1]), (dy) => [div(unsqueeze(dy, [-1]), x)], true);
}

const largestDivisor = (n: number, most: number): number => {
  let k = Math.min(n, most);
  while (n % k !== 0) k--;
  return k;
};

/** Where the largest value of an axis is, the first of several: int64, without that axis. No gradient passes. */
export function argMax(x: Tensor, axis = -1): Tensor {
  const k = axisOf(x.shape, axis);
  const shape = x.shape.filter((_, i) => i !== k);
  return node('ArgMax', [x], shape, null, { dtype: 'int64', attributes: { axis: k, keepdims: 0 } });
}

/** log Σ exp x over one axis, exact where exp alone would overflow or vanish. */
export function logSumExp(x: Tensor, axis = -1, options: ReduceOptions = {}): Tensor {
  const largest = stopGradient(maximum(max(x, [axis], { keepDims: true }), -3e38));
  const y = add(log(sum(exp(sub(x, largest)), [axis], { keepDims: true })), largest);
  return options.keepDims
    ? y
    : reshape(
        y,
        x.shape.filter((_, i) => i !== axisOf(x.shape, axis)),
      );
}

/** Softmax over one axis. */
export const softmax = (x: Tensor, axis = -1): Tensor =>
  node('Softmax', [x], x.shape, (dy, y) => [mul(y, sub(dy, sum(mul(dy, y), [axis], { keepDims: true })))], {
    attributes: { axis },
  });

export const logSoftmax = (x: Tensor, axis = -1): Tensor =>
  node('LogSoftmax', [x], x.shape, (dy, y) => [sub(dy, mul(exp(y), sum(dy, [axis], { keepDims: true })))], {
    attributes: { axis },
  });

export interface CumulativeOptions {
  readonly exclusive?: boolean;
  readonly reverse?: boolean;
}

/** Running sum along an axis. */
export const cumulativeSum = (
  x: Tensor,
  axis: number,
  { exclusive = false, reverse = false }: CumulativeOptions = {},
): Tensor =>
  node(
    'CumSum',
    [x, integers([axisOf(x.shape, axis)], [])],
    x.shape,
    (dy) => [cumulativeSum(dy, axis, { exclusive, reverse: !reverse })],
    { attributes: { exclusive: Number(exclusive), reverse: Number(reverse) } },
  );
