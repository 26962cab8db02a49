/** Self-attention: features of each position from its own and those of the positions before it. */
import {
  add,
  constant,
  dimAt,
  fixed,
  gelu,
  matmul,
  mul,
  reshape,
  softmax,
  split,
  type Tensor,
  transpose,
} from '../graph/index.ts';
import { layerNorm, linear } from './layers.ts';
import type { Scope } from './parameters.ts';

const MASKED = -1e9; // added to what may not be seen: its weight is then 0

/** [N, N]: 0 where the position of the row is the column's or comes after it, `MASKED` elsewhere. */
const causalMask = (positions: number): Tensor =>
  constant(
    Array.from({ length: positions ** 2 }, (_, i) =>
      i % positions <= Math.floor(i / positions) ? 0 : MASKED,
    ),
    [positions, positions],
  );

/**
 * x [B, N, D] → [B, N, D]: softmax(Q Kᵀ / √d) V in each of `heads` heads of d = D / heads features (Vaswani et al. 2017, eq. 1
 * and section 3.2.2), where no position sees a later one.
 */
export function causalAttention(scope: Scope, x: Tensor, heads: number): Tensor {
  const sizeOf = (axis: number) => fixed(dimAt(x.shape, axis), `${scope.path} input`);
  const [positions, width] = [sizeOf(1), sizeOf(2)];
  const size = width / heads;
  const apart = (t: Tensor) => transpose(reshape(t, ['B', positions, heads, size]), [0, 2, 1, 3]); // [B, H, N, d]
  const [q, k, v] = split(linear(scope.at('qkv'), x, 3 * width), -1, [width, width, width]).map(apart);
  const scores = mul(matmul(q!, transpose(k!, [0, 1, 3, 2])), 1 / Math.sqrt(size));
  const seen = matmul(softmax(add(scores, causalMask(positions))), v!);
  const joined = reshape(transpose(seen, [0, 2, 1, 3]), ['B', positions, width]);
  return linear(scope.at('out'), joined, width);
}

const WIDER = 4; // times the features between the two layers

/** Attention, then two layers at each position, each after a norm and beside a skip (Xiong et al. 2020, figure 1b). */
export function transformerBlock(scope: Scope, x: Tensor, heads: number): Tensor {
  const width = fixed(dimAt(x.shape, -1), `${scope.path} input`);
  const h = add(x, causalAttention(scope.at('attention'), layerNorm(scope.at('norm1'), x), heads));
  const feedForward = scope.at('feedForward');
  const wide = gelu(linear(feedForward.at('in'), layerNorm(scope.at('norm2'), h), WIDER * width));
  return add(h, linear(feedForward.at('out'), wide, width));
}
