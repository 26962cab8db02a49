/** A causal transformer: each place of a sequence sees itself and those before it (Vaswani et al. 2017, section 3). */
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
  transposeLast,
} from '../graph/index.ts';
import { layerNorm, linear } from './layers.ts';
import type { Scope } from './parameters.ts';

export interface CausalOptions {
  readonly layers: number;
  /** Attention heads; they share the width. */
  readonly heads: number;
}

/** x [B, T, W] → [B, T, W], normalised before each part and at the end (Xiong et al. 2020, figure 1b). */
export function causalTransformer(scope: Scope, x: Tensor, { layers, heads }: CausalOptions): Tensor {
  const width = fixed(dimAt(x.shape, -1), 'width');
  let h = x;
  for (let i = 0; i < layers; i++) {
    const at = scope.at(i);
    h = add(h, attention(at.at('attention'), layerNorm(at.at('norm'), h), heads));
    const inner = gelu(linear(at.at('in'), layerNorm(at.at('norm2'), h), 4 * width));
    h = add(h, linear(at.at('out'), inner, width));
  }
  return layerNorm(scope.at('norm'), h);
}

const HIDDEN = -1e9; // a score that softmax turns into 0

/** softmax(Q Kᵀ / √d + mask) V for each head (Vaswani et al. 2017, eq. 1). */
function attention(scope: Scope, x: Tensor, heads: number): Tensor {
  const [length, width] = [fixed(dimAt(x.shape, 1), 'length'), fixed(dimAt(x.shape, 2), 'width')];
  const size = width / heads;
  const all = split(linear(scope.at('in'), x, 3 * width), -1, [width, width, width]);
  const [q, k, v] = all.map((t) =>
    transpose(reshape(t, [dimAt(x.shape, 0), length, heads, size]), [0, 2, 1, 3]),
  ) as [Tensor, Tensor, Tensor];
  const mask = Array.from({ length: length ** 2 }, (_, i) =>
    i % length > Math.floor(i / length) ? HIDDEN : 0,
  );
  const scores = add(mul(matmul(q, transposeLast(k)), 1 / Math.sqrt(size)), constant(mask, [length, length]));
  const seen = transpose(matmul(softmax(scores), v), [0, 2, 1, 3]); // [B, T, heads, d]
  return linear(scope.at('out'), reshape(seen, x.shape), width);
}
