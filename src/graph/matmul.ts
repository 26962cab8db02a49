/** Matrix products: `matmul` with batch dimensions, and the two-dimensional `gemm` that layers and convolutions use. */
import { onesRow, reshape, transposeLast } from './move.ts';
import { sum } from './reduce.ts';
import { broadcastShapes, type Dim, dimAt, divide, sizeOf } from './shape.ts';
import { describe, node, type Tensor } from './tensor.ts';

/** [..., m, k] · [..., k, n] → [..., m, n]; leading dimensions broadcast. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  if (a.shape.length < 2 || b.shape.length < 2 || dimAt(a.shape, -1) !== dimAt(b.shape, -2)) {
    throw new Error(`matmul ${describe(a)} · ${describe(b)}: inner sizes differ`);
  }
  const batch = broadcastShapes(a.shape.slice(0, -2), b.shape.slice(0, -2), 'matmul');
  return node('MatMul', [a, b], [...batch, dimAt(a.shape, -2), dimAt(b.shape, -1)], (dy) => [
    matmul(dy, transposeLast(b)),
    matmul(transposeLast(a), dy),
  ]);
}

export interface GemmOptions {
  readonly transA?: boolean;
  readonly transB?: boolean;
}

/** a · b (+ bias [n]) for matrices, either of them transposed: [m, k] · [k, n] → [m, n]. */
export function gemm(
  a: Tensor,
  b: Tensor,
  bias?: Tensor,
  { transA = false, transB = false }: GemmOptions = {},
): Tensor {
  const [m, ka] = transA ? [dimAt(a.shape, 1), dimAt(a.shape, 0)] : [dimAt(a.shape, 0), dimAt(a.shape, 1)];
  const [kb, n] = transB ? [dimAt(b.shape, 1), dimAt(b.shape, 0)] : [dimAt(b.shape, 0), dimAt(b.shape, 1)];
  const wrongBias = bias && (bias.shape.length !== 1 || bias.shape[0] !== n);
  if (ka !== kb || wrongBias || a.shape.length !== 2 || b.shape.length !== 2) {
    const operands = [a, b, ...(bias ? [bias] : [])].map(describe).join(', ');
    throw new Error(`gemm of ${operands}: expected [m, k] · [k, n] + [n], given inner sizes ${ka} and ${kb}`);
  }
  return node(
    'Gemm',
    bias ? [a, b, bias] : [a, b],
    [m, n],
    (dy) => [
      transA
        ? gemm(b, dy, undefined, { transA: transB, transB: true })
        : gemm(dy, b, undefined, { transB: !transB }),
      transB ? gemm(dy, a, undefined, { transA: true, transB: transA }) : innerProduct(a, dy, !transA),
      ...(bias ? [columnSums(dy)] : []),
    ],
    { attributes: { ...(transA ? { transA: 1 } : {}), ...(transB ? { transB: 1 } : {}) } },
  );
}

const innerProduct = (a: Tensor, dy: Tensor, transA: boolean): Tensor =>
  transA ? transposedProduct(a, dy) : gemm(a, dy);

const CHUNKS = 4;

/**
 * aᵀ b for tall a [M, p] and b [M, q]: a weight gradient. One Gemm splits its work by the result, so a small
 * result keeps one core idle; the product over four chunks of rows, summed, uses both.
 */
export function transposedProduct(a: Tensor, b: Tensor): Tensor {
  const [rows, p] = a.shape as [Dim, Dim];
  const q = dimAt(b.shape, 1);
  const chunk = divide(rows, CHUNKS);
  const small = typeof p === 'number' && typeof q === 'number' && p * q <= 4096;
  if (!small || chunk === undefined || perExample(rows) < 64) return gemm(a, b, undefined, { transA: true });
  const split = (x: Tensor, n: Dim) => reshape(x, [CHUNKS, chunk, n]);
  return sum(matmul(transposeLast(split(a, p)), split(b, q)), [0]);
}

/** Rows for each example: 49 of `49*B`; a fixed number of rows is taken for a batch of 128. */
const perExample = (rows: Dim): number =>
  typeof rows === 'number' ? rows / 128 : rows === 'B' ? 1 : Number(rows.slice(0, -2));

/** Sum of each column, [M, N] → [N]: as a product with ones, 2 to 7 times as fast as ReduceSum. */
export function columnSums(x: Tensor): Tensor {
  if (x.shape[1] === 1) return reshape(sum(x), [1]); // a sum of all is faster still
  return reshape(gemm(onesRow(x), x), [dimAt(x.shape, 1)]);
}

/** x [..., k] · w [k, n] (+ bias [n]) → [..., n]: leading dimensions are folded into one. */
export function affine(x: Tensor, w: Tensor, bias?: Tensor): Tensor {
  const lead = x.shape.slice(0, -1);
  if (lead.length === 1) return gemm(x, w, bias);
  return reshape(gemm(reshape(x, [sizeOf(lead), dimAt(x.shape, -1)]), w, bias), [...lead, dimAt(w.shape, 1)]);
}
