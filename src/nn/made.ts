/** Masked autoregressive networks: a whole sequence of conditionals in one pass. */
import { add, affine, constant, dimAt, fixed, mul, split, type Tensor } from '../graph/index.ts';
import { type ActivationName, activations } from './activation.ts';
import { constantly, leCunUniform } from './initialise.ts';
import type { Scope } from './parameters.ts';

export interface MadeOptions {
  /** Widths of the hidden layers; those below D are made D, so that every dependence has a unit to go through. */
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  /** What every element may depend on besides, [B, C]. */
  readonly context?: Tensor;
  /** Last element first. */
  readonly reversed?: boolean;
  /** Whether all results are 0 at first. */
  readonly zero?: boolean;
}

/**
 * x [..., D] → `outputs` tensors [..., D], element i of each a function of the elements of x before it (Germain et al.
 * 2015, section 4): unit k of a layer has a degree and is connected to those of the layer before whose degree is not larger;
 * a result is connected to those whose degree is smaller than its own.
 */
export function made(scope: Scope, x: Tensor, outputs: number, options: MadeOptions): Tensor[] {
  const { hidden, activation, context, reversed = false, zero = false } = options;
  const size = fixed(dimAt(x.shape, -1), `${scope.path} input`);
  const places = Array.from({ length: size }, (_, i) => (reversed ? size - i : i + 1));
  let degrees = places;
  let h = x;
  hidden.forEach((asked, i) => {
    const width = Math.max(asked, size);
    const own = spreadDegrees(width, context || size === 1 ? 0 : 1, size);
    h = masked(scope.at(i), h, degrees, own, (from, to) => from <= to);
    if (i === 0 && context) h = add(h, contextual(scope.at('context'), context, width));
    h = activations[activation](h);
    degrees = own;
  });
  const each = Array.from({ length: outputs }, () => places).flat();
  const all = masked(scope.at('output'), h, degrees, each, (from, to) => from < to, zero);
  return split(all, -1, Array<number>(outputs).fill(size));
}

/** Degrees from `least` to size − 1, evenly. Units of degree 0 see the context alone: without one they would be constant. */
const spreadDegrees = (width: number, least: number, size: number): number[] =>
  Array.from({ length: width }, (_, k) => least + Math.floor((k * (size - least)) / width));

/** x [..., from] → [..., to]: element j is connected to those i for which `connected(from[i], to[j])`. */
export function masked(
  scope: Scope,
  x: Tensor,
  from: readonly number[],
  to: readonly number[],
  connected: (from: number, to: number) => boolean,
  zero = false,
): Tensor {
  const shape = [from.length, to.length];
  const mask = from.flatMap((a) => to.map((b) => Number(connected(a, b))));
  const initial = zero ? constantly(0) : leCunUniform(from.length);
  const weight = mul(scope.parameter('weight', shape, initial), constant(mask, shape));
  return affine(x, weight, scope.parameter('bias', [to.length], initial));
}

/** context [B, C] → [B, width], without a bias: the layer that it is added to has one. */
export function contextual(scope: Scope, context: Tensor, width: number): Tensor {
  const n = fixed(dimAt(context.shape, -1), `${scope.path} input`);
  return affine(context, scope.parameter('weight', [n, width], leCunUniform(n)));
}
