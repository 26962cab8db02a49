/** Self-attention: features of each place from those of the places before it. */
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

const HIDDEN = -1e9; // added to what may not be seen: its weight is then 0

/** [N, N]: 0 where the place of the row is the column's or comes after it, `HIDDEN` elsewhere. */
const causalMask = (places: number): Tensor =>
  constant(
    Array.from({ length: places ** 2 }, (_, i) => (i % places <= Math.floor(i / places) ? 0 : HIDDEN)),
    [places, places],
  );

/**
 * x [B, N, D] → [B, N, D]: softmax(Q Kᵀ / √d) V in each of `heads` heads of d = D / heads features (Vaswani et al. 2017, eq. 1
 * and section 3.2.2), where no place sees a later one. Keys and queries of a place are made from its own features.
 */
export function causalAttention(scope: Scope, x: Tensor, heads: number): Tensor {
  const sizeOf = (axis: number) => fixed(dimAt(x.shape, axis), `${scope.path} input`);
  const [places, width] = [sizeOf(1), sizeOf(2)];
  const size = width / heads;
  const apart = (t: Tensor) => transpose(reshape(t, ['B', places, heads, size]), [0, 2, 1, 3]); // [B, H, N, d]
  const [q, k, v] = split(linear(scope.at('heads'), x, 3 * width), -1, [width, width, width]).map(apart);
  const scores = mul(matmul(q!, transpose(k!, [0, 1, 3, 2])), 1 / Math.sqrt(size));
  const seen = matmul(softmax(add(scores, causalMask(places))), v!);
  const joined = reshape(transpose(seen, [0, 2, 1, 3]), ['B', places, width]);
  return linear(scope.at('out'), joined, width);
}

const WIDER = 4; // times the features between the two layers

/** Attention, then two layers at each place, each after a norm and beside a skip (Xiong et al. 2020, figure 1b). */
export function transformerBlock(scope: Scope, x: Tensor, heads: number): Tensor {
  const width = fixed(dimAt(x.shape, -1), `${scope.path} input`);
  const h = add(x, causalAttention(scope.at('attention'), layerNorm(scope.at('norm1'), x), heads));
  const wide = gelu(linear(scope.at('wide'), layerNorm(scope.at('norm2'), h), WIDER * width));
  return add(h, linear(scope.at('back'), wide, width));
}
