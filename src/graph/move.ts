/** Ops that move values without changing them: reshape, transpose, concat, slice, pad, expand. */
import { toFloat } from './elementwise.ts';
import {
  axisOf,
  broadcastShapes,
  type Dim,
  dimAt,
  fixed,
  isSingle,
  multiply,
  type Shape,
  sameShape,
  showShape,
  sizeOf,
  withDim,
} from './shape.ts';
import { constant, describe, integers, node, scalar, type Tensor } from './tensor.ts';

/**
 * The same values in row-major order under another shape. At most one dimension may hold the batch size, except
 * where axes of size 1 alone come or go.
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  if (!sameShape(withoutOnes(x.shape), withoutOnes(shape)) && sizeOf(x.shape) !== sizeOf(shape))
    throw new Error(`reshape of ${describe(x)} to ${showShape(shape)}: sizes differ`);
  if (x.op === 'Reshape') return reshape(x.inputs[0]!, shape);
  const twice = shape.filter((d) => typeof d !== 'number').length > 1;
  const target = twice ? onesMoved(x, shape) : integers(shape.map((d) => (typeof d === 'number' ? d : -1)));
  return node('Reshape', [x, target], shape, (dy, { inputs: [before] }) => [
    reshape(dy, isSingle(dy.shape) ? before!.shape.map(() => 1) : before!.shape),
  ]);
}

/** [N, …] → [N, all the rest]. */
export const flatten = (x: Tensor): Tensor => reshape(x, [dimAt(x.shape, 0), multiply(...x.shape.slice(1))]);

const withoutOnes = (shape: Shape): Shape => shape.filter((d) => d !== 1);

/** `shape` as an int64 tensor: the sizes of x other than 1 in their order, read when the graph runs, and ones. */
function onesMoved(x: Tensor, shape: Shape): Tensor {
  const axes = [...x.shape.keys()].filter((i) => x.shape[i] !== 1).values();
  const at = shape.map((d) => (d === 1 ? x.shape.length : axes.next().value!));
  const sizes = concat([runtimeShape(x), integers([1])], 0);
  return node('Gather', [sizes, integers(at)], [shape.length], null);
}

/** Axes in a new order; without one, reversed. */
export function transpose(
  x: Tensor,
  order: readonly number[] = x.shape.map((_, i) => x.shape.length - 1 - i),
): Tensor {
  if (order.length !== x.shape.length || x.shape.some((_, i) => !order.includes(i)))
    throw new Error(`transpose of ${describe(x)}: [${order}] is not an order of its axes`);
  if (order.every((axis, i) => axis === i)) return x;
  const inverse = order.map((_, i) => order.indexOf(i));
  const shape = order.map((axis) => dimAt(x.shape, axis));
  return node('Transpose', [x], shape, (dy) => [transpose(dy, inverse)], { attributes: { perm: order } });
}

/** The last two axes exchanged. */
export function transposeLast(x: Tensor): Tensor {
  const n = x.shape.length;
  return transpose(x, [...Array(n - 2).keys(), n - 1, n - 2]);
}

/** Inserts axes of size 1 at the given places of the result. */
export function unsqueeze(x: Tensor, axes: readonly number[]): Tensor {
  const result = Array<Dim>(x.shape.length + axes.length).fill(1);
  const ones = new Set(axes.map((axis) => axisOf(result, axis)));
  const rest = x.shape.values();
  return reshape(
    x,
    result.map((_, i) => (ones.has(i) ? 1 : rest.next().value!)),
  );
}

/** x[…, start:end, …] along one axis. */
export function slice(x: Tensor, axis: number, start: number, end: number): Tensor {
  const k = axisOf(x.shape, axis);
  const size = x.shape[k]!;
  if (typeof size === 'number' && (start < 0 || end > size || start >= end)) {
    throw new Error(`slice ${start}:${end} along axis ${k} of ${describe(x)}: outside`);
  }
  if (start === 0 && end === size) return x;
  const rule = (dy: Tensor) => [pad(dy, k, start, fixed(size, 'gradient of slice') - end)];
  const inputs = [x, integers([start]), integers([end]), integers([k])];
  return node('Slice', inputs, withDim(x.shape, k, end - start), rule);
}

/** Consecutive pieces of the given sizes along an axis. */
export function split(x: Tensor, axis: number, sizes: readonly number[]): Tensor[] {
  const total = sizes.reduce((a, b) => a + b, 0);
  if (total !== dimAt(x.shape, axis))
    throw new Error(`split of ${describe(x)} into ${sizes}: sizes do not add up`);
  let start = 0;
  return sizes.map((size) => slice(x, axis, start, (start += size)));
}

export function concat(xs: readonly Tensor[], axis: number): Tensor {
  const first = xs[0]!;
  if (xs.length === 1) return first;
  const k = axisOf(first.shape, axis);
  for (const x of xs) {
    if (!sameShape(withDim(x.shape, k, 1), withDim(first.shape, k, 1))) {
      throw new Error(`concat along axis ${k}: ${describe(first)} and ${describe(x)} differ elsewhere`);
    }
  }
  const sizes = xs.map((x) => x.shape[k]!);
  const size = sizes.reduce<Dim>((a, b) => sumDims(a, b), 0);
  const rule = (dy: Tensor) =>
    split(
      dy,
      k,
      sizes.map((n) => fixed(n, 'gradient of concat')),
    );
  return node('Concat', xs, withDim(first.shape, k, size), rule, { attributes: { axis: k } });
}

const sumDims = (a: Dim, b: Dim): Dim =>
  typeof a === 'number' && typeof b === 'number' ? a + b : a === 0 ? b : multiply('B', factor(a) + factor(b));
function factor(dim: Dim): number {
  if (typeof dim === 'number') throw new Error(`concat: a fixed size ${dim} cannot be joined to a batch`);
  return dim === 'B' ? 1 : Number(dim.slice(0, -2));
}

/** Zeros (or `value`) added before and after along one axis. */
export function pad(x: Tensor, axis: number, before: number, after: number, value = 0): Tensor {
  if (before === 0 && after === 0) return x;
  const k = axisOf(x.shape, axis);
  const size = fixed(x.shape[k], `pad axis ${k} of ${describe(x)}`);
  const rank = x.shape.length;
  const pads = Array<number>(2 * rank).fill(0);
  pads[k] = before;
  pads[rank + k] = after;
  const inputs = value === 0 ? [x, integers(pads)] : [x, integers(pads), scalar(value)];
  const shape = withDim(x.shape, k, size + before + after);
  return node('Pad', inputs, shape, (dy) => [slice(dy, k, before, before + size)]);
}

/** x broadcast to `shape`. Where x lacks the batch size, a tensor `like` of that shape gives it when the graph runs. */
export function expand(x: Tensor, shape: Shape, like?: Tensor): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const what = `expand of ${describe(x)} to ${showShape(shape)}`;
  if (!sameShape(broadcastShapes(x.shape, shape, what), shape)) throw new Error(`${what}: it is larger`);
  const has = (i: number) => x.shape[i - shape.length + x.shape.length] === shape[i];
  if (shape.every((d, i) => typeof d === 'number' || has(i))) {
    return expandTo(x, shape, integers(shape.map((d) => (typeof d === 'number' ? d : 1))));
  }
  if (!like || !sameShape(like.shape, shape)) {
    throw new Error(`${what}: a tensor of that shape is needed`);
  }
  return expandTo(x, shape, runtimeShape(like));
}

const expandTo = (x: Tensor, shape: Shape, target: Tensor): Tensor =>
  node('Expand', [x, target], shape, (dy) => [dy], { elementwise: true });

/** The sizes of the axes `start` to `end` as an int64 tensor, read when the graph runs. */
export const runtimeShape = (x: Tensor, start = 0, end = x.shape.length): Tensor =>
  node('Shape', [x], [end - start], null, { dtype: 'int64', attributes: { start, end } });

/** The size of an axis as a float scalar, read when the graph runs. */
export function runtimeSize(x: Tensor, axis: number): Tensor {
  const size = x.shape[axisOf(x.shape, axis)]!;
  if (typeof size === 'number') return scalar(size);
  const k = axisOf(x.shape, axis);
  return reshape(toFloat(runtimeShape(x, k, k + 1)), []);
}

/** Ones, as many as x has rows, whatever the batch size: [1, M] for x [M, N]. */
export function onesRow(x: Tensor): Tensor {
  const rows = dimAt(x.shape, 0);
  if (typeof rows === 'number') return constant(Array<number>(rows).fill(1), [1, rows]);
  const ones = node('Expand', [scalar(1, 1), runtimeShape(x, 0, 1)], [rows], null);
  return reshape(ones, [1, rows]);
}
