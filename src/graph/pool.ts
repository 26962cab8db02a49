/** Changing the resolution of pictures (or series, or volumes): nearest up-sampling and average pooling, channels last. */
import { mul } from './elementwise.ts';
import { expand, reshape } from './move.ts';
import { sum } from './reduce.ts';
import { type Dim, dimAt, fixed } from './shape.ts';
import { describe, type Tensor } from './tensor.ts';

/** [B, …space, C] → [B, …space·factor, C]: every place repeated along every axis. */
export function upsampleNearest(x: Tensor, factor: number): Tensor {
  const space = x.shape.slice(1, -1).map((d) => fixed(d, 'upsampleNearest'));
  const [batch, channels] = [dimAt(x.shape, 0), dimAt(x.shape, -1)];
  const repeated: Dim[] = [batch, ...space.flatMap((n) => [n, factor]), channels];
  const single: Dim[] = [batch, ...space.flatMap((n) => [n, 1]), channels];
  const size = space.map((n) => n * factor);
  return reshape(expand(reshape(x, single), repeated), [batch, ...size, channels]);
}

/** [B, …space·window, C] → [B, …space, C]: means over windows that do not overlap. */
export function averagePool(x: Tensor, window: number): Tensor {
  const space = x.shape.slice(1, -1).map((d) => fixed(d, 'averagePool'));
  if (space.some((n) => n % window !== 0)) {
    throw new Error(`averagePool of ${describe(x)}: the window ${window} does not divide every axis`);
  }
  const blocks: Dim[] = [
    dimAt(x.shape, 0),
    ...space.flatMap((n) => [n / window, window]),
    dimAt(x.shape, -1),
  ];
  const axes = space.map((_, i) => 2 * i + 2);
  return mul(sum(reshape(x, blocks), axes), 1 / window ** space.length);
}
