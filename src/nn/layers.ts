/** Layers as functions of tensors: each declares its parameters in the scope it is given. */
import {
  affine,
  type ConvOptions,
  type ConvTransposeOptions,
  conv as convolve,
  convTranspose as convolveTransposed,
  dimAt,
  fixed,
  greaterOrEqual,
  mul,
  groupNorm as normaliseGroups,
  layerNorm as normaliseLast,
  type Tensor,
  toFloat,
} from '../graph/index.ts';
import { constantly, type Initialiser, leCunUniform } from './initialise.ts';
import { noise } from './noise.ts';
import type { Scope } from './parameters.ts';

export interface LayerOptions {
  /** Initial weights; the default is `leCunUniform`, which trains VAEs better than He's or Glorot's (measured: docs/decisions). */
  readonly weight?: Initialiser;
  readonly bias?: Initialiser;
}

const lastDim = (x: Tensor, scope: Scope): number => fixed(dimAt(x.shape, -1), `${scope.path} input`);

/** x [..., n] → [..., size]: x · weight [n, size] + bias [size]. */
export function linear(scope: Scope, x: Tensor, size: number, { weight, bias }: LayerOptions = {}): Tensor {
  const n = lastDim(x, scope);
  const w = scope.parameter('weight', [n, size], weight ?? leCunUniform(n));
  return affine(x, w, scope.parameter('bias', [size], bias ?? leCunUniform(n)));
}

export interface ConvLayerOptions extends LayerOptions, ConvOptions {
  readonly kernel: number;
}

const kernelOf = (x: Tensor, kernel: number): number[] => Array<number>(x.shape.length - 2).fill(kernel);
const places = (x: Tensor, kernel: number): number => kernel ** (x.shape.length - 2);

/** x [B, …space, C] → [B, …space′, channels]; weight [k⋯k·C/groups, channels]. */
export function conv(
  scope: Scope,
  x: Tensor,
  channels: number,
  { kernel, weight, bias, ...options }: ConvLayerOptions,
): Tensor {
  const fanIn = (places(x, kernel) * lastDim(x, scope)) / (options.groups ?? 1);
  const w = scope.parameter('weight', [fanIn, channels], weight ?? leCunUniform(fanIn));
  const b = scope.parameter('bias', [channels], bias ?? leCunUniform(fanIn));
  return convolve(x, w, b, kernelOf(x, kernel), options);
}

/** x [B, …space, C] → [B, …space·stride…, channels]; weight [k⋯k·channels, C/groups]. */
export function convTranspose(
  scope: Scope,
  x: Tensor,
  channels: number,
  { kernel, weight, bias, ...options }: ConvLayerOptions & ConvTransposeOptions,
): Tensor {
  const perGroup = lastDim(x, scope) / (options.groups ?? 1);
  const overlap = Math.ceil(kernel / (options.stride ?? 1)) ** (x.shape.length - 2); // inputs that reach an output
  const fanIn = perGroup * overlap;
  const w = scope.parameter(
    'weight',
    [places(x, kernel) * channels, perGroup],
    weight ?? leCunUniform(fanIn),
  );
  const b = scope.parameter('bias', [channels], bias ?? leCunUniform(fanIn));
  return convolveTransposed(x, w, b, kernelOf(x, kernel), options);
}

export function layerNorm(scope: Scope, x: Tensor): Tensor {
  const n = lastDim(x, scope);
  return normaliseLast(
    x,
    scope.parameter('scale', [n], constantly(1)),
    scope.parameter('shift', [n], constantly(0)),
  );
}

/** Groups of `perGroup` channels, or one group where there are fewer. */
export function groupNorm(scope: Scope, x: Tensor, perGroup = 8): Tensor {
  const n = lastDim(x, scope);
  const groups = n % perGroup === 0 ? n / perGroup : 1;
  const scale = scope.parameter('scale', [n], constantly(1));
  return normaliseGroups(x, groups, scale, scope.parameter('shift', [n], constantly(0)));
}

/**
 * In training x with a share `rate` of its entries at zero, others in every step, and the rest larger by 1 / (1 − rate);
 * elsewhere x (Srivastava et al. 2014, in the form that leaves the trained network as it is).
 */
export function dropout(scope: Scope, x: Tensor, rate = 0): Tensor {
  if (!scope.training || rate === 0) return x;
  const drawn = noise(`${scope.path}.dropout ${x.shape.join('×')}`, 'uniform', x.shape); // a body may be built at several sizes
  return mul(x, mul(toFloat(greaterOrEqual(drawn, rate)), 1 / (1 - rate)));
}
