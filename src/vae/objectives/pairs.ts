/** All pairs of the batch: [B, B] tensors, which no reshape could make and elementwise ops and sums can. */
import {
  add,
  cumulativeSum,
  dimAt,
  equal,
  gemm,
  maximum,
  mul,
  onesRow,
  reshape,
  runtimeSize,
  square,
  sub,
  sum,
  type Tensor,
  transpose,
  where,
} from '../../graph/index.ts';

/** |aᵢ − bⱼ|² = |aᵢ|² + |bⱼ|² − 2 aᵢ·bⱼ for a and b [B, Z] → [B, B]: one product, and never [B, B, Z]; rounded below 0, it is 0. */
export function squaredDistances(a: Tensor, b: Tensor): Tensor {
  const norms = (t: Tensor) => sum(square(t), [-1], { keepDims: true }); // [B, 1]
  const squares = add(norms(a), transpose(norms(b)));
  return maximum(sub(squares, mul(2, gemm(a, b, undefined, { transB: true }))), 0);
}

/** t [B, Z] as [B, 1, Z] and [1, B, Z]. */
export const beside = (t: Tensor): readonly [Tensor, Tensor] => {
  const [batch, size] = [dimAt(t.shape, 0), dimAt(t.shape, 1)];
  return [reshape(t, [batch, 1, size]), reshape(t, [1, batch, size])];
};

/** Whether i = j, and whether j follows i with the first after the last; both [B, B], for t [B, …]. */
export function neighbours(t: Tensor): { readonly own: Tensor; readonly next: Tensor } {
  const j = cumulativeSum(onesRow(t), 1); // 1 … B, [1, B]
  const i = transpose(j); // [B, 1]
  const following = where(equal(i, runtimeSize(t, 0)), 1, add(i, 1));
  return { own: equal(i, j), next: equal(following, j) };
}
