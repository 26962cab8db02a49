/** Layers as functions of tensors: each declares its parameters in the scope it is given. */
import {
  affine,
  type ConvOptions,
  type ConvTransposeOptions,
  conv as convolve,
  convTranspose as convolveTransposed,
  dimAt,
  fixed,
  groupNorm as normaliseGroups,
  layerNorm as normaliseLast,
  type Tensor,
} from '../graph/index.ts';
import { constantly, type Initialiser, leCunUniform } from './initialise.ts';
import type { Scope } from './parameters.ts';

export interface LayerOptions {
  /** Initial weights; the default is `leCunUniform`, which trains VAEs better than He's or Glorot's (measured: docs/decisions). */
  readonly weight?: Initialiser;
}

const lastDim = (x: Tensor, scope: Scope): number => fixed(dimAt(x.shape, -1), `${scope.path} input`);

/** x [..., n] → [..., size]: x · weight [n, size] + bias [size]. */
export function linear(scope: Scope, x: Tensor, size: number, { weight }: LayerOptions = {}): Tensor {
  const n = lastDim(x, scope);
  const w = scope.parameter('weight', [n, size], weight ?? leCunUniform(n));
  return affine(x, w, scope.parameter('bias', [size], leCunUniform(n)));
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
  { kernel, weight, ...options }: ConvLayerOptions,
): Tensor {
  const fanIn = (places(x, kernel) * lastDim(x, scope)) / (options.groups ?? 1);
  const w = scope.parameter('weight', [fanIn, channels], weight ?? leCunUniform(fanIn));
  const bias = scope.parameter('bias', [channels], leCunUniform(fanIn));
  return convolve(x, w, bias, kernelOf(x, kernel), options);
}

/** x [B, …space, C] → [B, …space·stride…, channels]; weight [k⋯k·channels, C/groups]. */
export function convTranspose(
  scope: Scope,
  x: Tensor,
  channels: number,
  { kernel, weight, ...options }: ConvLayerOptions & ConvTransposeOptions,
): Tensor {
  const perGroup = lastDim(x, scope) / (options.groups ?? 1);
  const overlap = Math.ceil(kernel / (options.stride ?? 1)) ** (x.shape.length - 2); // inputs that reach an output
  const fanIn = perGroup * overlap;
  const w = scope.parameter(
    'weight',
    [places(x, kernel) * channels, perGroup],
    weight ?? leCunUniform(fanIn),
  );
  const bias = scope.parameter('bias', [channels], leCunUniform(fanIn));
  return convolveTransposed(x, w, bias, kernelOf(x, kernel), options);
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
