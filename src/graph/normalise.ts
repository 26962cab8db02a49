/** Layer norm and group norm, channels last, from plain ops: their gradients follow. */
import { add, div, mul, sqrt, square, sub } from './elementwise.ts';
import { reshape } from './move.ts';
import { mean } from './reduce.ts';
import { type Dim, dimAt, fixed } from './shape.ts';
import { describe, type Tensor } from './tensor.ts';

function standardise(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const centred = sub(x, mean(x, axes, { keepDims: true }));
  const variance = mean(square(centred), axes, { keepDims: true });
  return div(centred, sqrt(add(variance, epsilon)));
}

/** Zero mean and unit variance over the last axis, then scale and shift [C] (Ba et al. 2016, eq. 4). */
export const layerNorm = (x: Tensor, scale: Tensor, shift: Tensor, epsilon = 1e-5): Tensor =>
  add(mul(standardise(x, [-1], epsilon), scale), shift);

/** The same over space and each group of channels of x [B, …space, C] (Wu & He 2018, eq. 7). */
export function groupNorm(x: Tensor, groups: number, scale: Tensor, shift: Tensor, epsilon = 1e-5): Tensor {
  const channels = fixed(dimAt(x.shape, -1), 'groupNorm channels');
  if (channels % groups !== 0)
    throw new Error(`groupNorm of ${describe(x)}: ${groups} groups do not divide ${channels} channels`);
  const grouped: Dim[] = [...x.shape.slice(0, -1), groups, channels / groups];
  const axes = [...x.shape.slice(1, -1).keys()].map((i) => i + 1).concat(x.shape.length);
  return add(mul(reshape(standardise(reshape(x, grouped), axes, epsilon), x.shape), scale), shift);
}
