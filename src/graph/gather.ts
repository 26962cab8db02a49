/** Reading rows by index and adding to rows by index, each the other's gradient. */
import { equal, toFloat } from './elementwise.ts';
import { expand, pad, reshape, runtimeShape, slice, unsqueeze } from './move.ts';
import { sum } from './reduce.ts';
import { axisOf, type Dim, dimAt, fixed, type Shape, sameShape, sizeOf, withDim } from './shape.ts';
import { describe, integers, node, scalar, type Tensor, withGradient } from './tensor.ts';

const zerosLike = (x: Tensor): Tensor => expand(scalar(0, x.shape.length), x.shape, x);

/**
 * Rows of `x` along `axis` at int64 `indices`, whose shape takes the axis' place. The gradient is a scatter-add:
 * exact and the same on every run.
 */
export function gather(x: Tensor, indices: Tensor, axis = 0): Tensor {
  const k = axisOf(x.shape, axis);
  const shape = [...x.shape.slice(0, k), ...indices.shape, ...x.shape.slice(k + 1)];
  return node('Gather', [x, indices], shape, (dy) => [scatter(zerosLike(x), indices, dy, k)], {
    attributes: { axis: k },
  });
}

/** Each place reads along its own line: along axis 0 of a matrix, y[i, j] = x[indices[i, j], j]. */
export function gatherElements(x: Tensor, indices: Tensor, axis: number): Tensor {
  const k = axisOf(x.shape, axis);
  if (!sameShape(withDim(x.shape, k, 1), withDim(indices.shape, k, 1)))
    throw new Error(`gatherElements of ${describe(x)} at ${describe(indices)}: they differ off axis ${k}`);
  const rule = (dy: Tensor) => [scatterElements(zerosLike(x), indices, dy, k)];
  return node('GatherElements', [x, indices], indices.shape, rule, { attributes: { axis: k } });
}

/** `zeros` with each update added along its own line. */
const scatterElements = (zeros: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor =>
  node(
    'ScatterElements',
    [zeros, indices, updates],
    zeros.shape,
    (dy) => [null, null, gatherElements(dy, indices, axis)],
    { attributes: { axis, reduction: 'add' } },
  );

/** Where along an axis the smallest value is, then the next, and so on; equal ones keep their order. int64, as x. */
export function argsort(x: Tensor, axis: number): Tensor {
  const k = axisOf(x.shape, axis);
  const inputs = [x, runtimeShape(x, k, k + 1)];
  return node('TopK', inputs, x.shape, null, {
    dtype: 'int64',
    attributes: { axis: k, largest: 0, sorted: 1 },
  });
}

/** x in rising order along an axis. */
export const sort = (x: Tensor, axis: number): Tensor => gatherElements(x, argsort(x, axis), axis);

/**
 * Zeros of `shape` to which updates are added at `indices` along `axis`: the transpose of `gather`, for
 * embeddings.
 */
export function scatterAdd(shape: Shape, indices: Tensor, updates: Tensor, axis = 0): Tensor {
  const k = axisOf(shape, axis);
  const flat = updatesByRow(shape, indices, updates, k);
  const row = slice(flat, k, 0, 1); // has the batch size where the result has it
  const zeros = expand(expand(scalar(0, shape.length), row.shape, row), shape, flat);
  return scatter(zeros, indices, updates, k);
}

const updatesByRow = (shape: Shape, indices: Tensor, updates: Tensor, axis: number): Tensor =>
  reshape(updates, withDim(shape, axis, sizeOf(indices.shape)));

/** ScatterElements, because ScatterND races on repeated indices. */
function scatter(zeros: Tensor, indices: Tensor, updates: Tensor, axis: number): Tensor {
  const flat = updatesByRow(zeros.shape, indices, updates, axis);
  const ones = zeros.shape.map(() => 1);
  const index = reshape(indices, withDim(ones, axis, sizeOf(indices.shape)));
  const inputs = [zeros, expand(index, flat.shape, flat), flat];
  const rule = (dy: Tensor) => [null, null, reshape(gather(dy, indices, axis), flat.shape)];
  return node('ScatterElements', inputs, zeros.shape, rule, { attributes: { axis, reduction: 'add' } });
}

/**
 * `gather` along axis 1 of x [B, N, C] by indices known now: index −1 reads zeros. Gives [B, M, C].
 * The gradient gathers too: for each of the N rows, the places that read it, summed.
 */
export function gatherKnown(x: Tensor, indices: readonly number[]): Tensor {
  const [batch, n, c] = [dimAt(x.shape, 0), fixed(dimAt(x.shape, 1), 'gatherKnown'), dimAt(x.shape, 2)];
  const source = indices.includes(-1) ? pad(x, 1, 0, 1) : x; // one zero row, at index N
  const at = integers(indices.map((i) => (i < 0 ? n : i)));
  const value = node('Gather', [source, at], [batch, indices.length, c], null, { attributes: { axis: 1 } });
  return withGradient([x], value, (dy) => [scatterKnown(dy, indices, n)]);
}

/**
 * x [B, M, C] → [B, N, C]: row i of the result is the sum of the rows of x whose index is i; index −1 is dropped.
 * Done by gathering for each of the N rows those that belong to it: exact, and the same on every run.
 */
export function scatterKnown(x: Tensor, indices: readonly number[], n: number): Tensor {
  const readers: number[][] = Array.from({ length: n }, () => []);
  indices.forEach((i, row) => {
    if (i >= 0) readers[i]!.push(row);
  });
  const taps = readers.reduce((most, list) => Math.max(most, list.length), 1);
  const at = readers.flatMap((list) => Array.from({ length: taps }, (_, t) => list[t] ?? -1));
  const [batch, , c] = x.shape as [Dim, Dim, Dim];
  const value = taps === 1 ? gatherKnown(x, at) : sum(reshape(gatherKnown(x, at), [batch, n, taps, c]), [2]);
  return withGradient([x], value, (dy) => [gatherKnown(dy, indices)]);
}

/** int64 indices [...] → float [..., depth]: 1 at the index, else 0. */
export function oneHot(indices: Tensor, depth: number): Tensor {
  const n = indices.shape.length;
  const range = integers([...Array(depth).keys()], [...Array<number>(n).fill(1), depth]);
  return toFloat(equal(unsqueeze(indices, [n]), range));
}
