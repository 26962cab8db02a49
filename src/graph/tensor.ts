/** A tensor is a node of a graph that is only described here: what op makes it, from what, and how gradients pass. */
import { type Shape, showShape } from './shape.ts';

export type DType = 'float32' | 'int64' | 'bool';

/** An ONNX attribute. Numbers are integers; a float is written as `{ float: 0.1 }`. */
export type Attribute = number | string | readonly number[] | { readonly float: number };
export type Attributes = Readonly<Record<string, Attribute>>;

/**
 * (dL/dy, y) → [dL/d(input), …]; null where an input has none. Rules ignore broadcasting: the backward walk
 * sums each result back to the shape of its input.
 */
export type Gradient = (dy: Tensor, y: Tensor) => readonly (Tensor | null)[];

export interface Tensor {
  /** ONNX operator, or `Input`, `Constant`, `Alias` (see `withGradient`). */
  readonly op: string;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly shape: Shape;
  readonly dtype: DType;
  /** null: mathematically none. undefined: not written yet, and asking for it throws. */
  readonly gradient: Gradient | null | undefined;
  /**
   * The gradient accepts a dy that still has size 1 where y does not, and so needs no expansion. What it gives for an input that
   * broadcasts to y may then have size 1 too, and is taken to stand for all of y.
   */
  readonly elementwise: boolean;
  /** Graph inputs only. */
  readonly name?: string;
  /** Constants only. */
  readonly data?: Float32Array | BigInt64Array;
  /** `Alias` only: the tensor whose value this is. */
  readonly value?: Tensor;
}

/** An operand: a tensor, or a number that stands for a constant. */
export type Arg = Tensor | number;

export interface NodeOptions {
  readonly attributes?: Attributes;
  /** Without one, that of the first input. */
  readonly dtype?: DType;
  readonly elementwise?: boolean;
}

export const node = (
  op: string,
  inputs: readonly Tensor[],
  shape: Shape,
  gradient: Gradient | null | undefined,
  { attributes = {}, dtype = inputs[0]?.dtype ?? 'float32', elementwise = false }: NodeOptions = {},
): Tensor => ({ op, inputs, attributes, shape, dtype, gradient, elementwise });

/** A named input of the graph: data, noise, a parameter, or a scalar that a schedule changes. */
export const input = (name: string, shape: Shape, dtype: DType = 'float32'): Tensor => ({
  ...node('Input', [], shape, null, { dtype }),
  name,
});

/** A float constant from values in row-major order. */
export function constant(values: ArrayLike<number>, shape: Shape): Tensor {
  const data = Float32Array.from(values);
  return { ...constantNode(data.length, shape, 'float32'), data };
}

/** An int64 constant: indices, axes, shapes. */
export function integers(values: readonly number[], shape: Shape = [values.length]): Tensor {
  const data = BigInt64Array.from(values, BigInt);
  return { ...constantNode(data.length, shape, 'int64'), data };
}

function constantNode(length: number, shape: Shape, dtype: DType): Tensor {
  const expected = shape.reduce<number>((n, d) => n * Number(d), 1);
  if (length !== expected) throw new Error(`constant: ${length} values given for shape ${showShape(shape)}`);
  return node('Constant', [], shape, null, { dtype });
}

/**
 * A number as a constant of the given rank, all ones. The rank matters: ONNX Runtime is many times slower
 * when a rank-0 constant meets a tensor whose last dimension is 1.
 */
export const scalar = (value: number, rank = 0): Tensor => constant([value], Array<number>(rank).fill(1));

/** Numbers become constants with the rank and the type of the other operand. */
export function lift(x: Arg, beside?: Arg): Tensor {
  if (typeof x !== 'number') return x;
  if (typeof beside !== 'object') return scalar(x);
  const rank = beside.shape.length;
  return beside.dtype === 'int64' ? integers([x], Array<number>(rank).fill(1)) : scalar(x, rank);
}

/**
 * `value`, differentiated by `gradient` with respect to `inputs` instead of by the ops it was made from: for
 * ops whose best backward pass is not the mechanical one (stable forms, convolution).
 */
export const withGradient = (
  inputs: readonly Tensor[],
  value: Tensor,
  gradient: Gradient | null,
  elementwise = false,
): Tensor => ({
  ...node('Alias', inputs, value.shape, gradient, { dtype: value.dtype, elementwise }),
  value,
});

/** The tensor that computes x: aliases stand for their value. */
export function computed(x: Tensor): Tensor {
  let t = x;
  while (t.value) t = t.value;
  return t;
}

/** Nearest named inputs, for error messages: `encoder.0.weight`. */
export function origin(x: Tensor): string {
  const seen = new Set<Tensor>();
  const queue: Tensor[] = [x];
  for (let t = queue.shift(); t && seen.size < 64; t = queue.shift()) {
    if (t.name) return t.name;
    if (!seen.has(t)) queue.push(...t.inputs);
    seen.add(t);
  }
  return 'a constant';
}

/** `[B, 784] (x)`: how an error names an operand. */
export const describe = (x: Tensor): string => `${showShape(x.shape)} (from ${origin(x)})`;

/** Every tensor that `roots` need, each after its inputs. Iterative: graphs may be deep. */
export function topological(roots: readonly Tensor[], inputsOf: (t: Tensor) => readonly Tensor[]): Tensor[] {
  const order: Tensor[] = [];
  const state = new Map<Tensor, 'open' | 'done'>();
  const stack = [...roots].reverse();
  for (let t = stack.at(-1); t; t = stack.at(-1)) {
    if (state.get(t) === undefined) {
      state.set(t, 'open');
      for (const i of [...inputsOf(t)].reverse()) if (!state.has(i)) stack.push(i);
      continue;
    }
    stack.pop();
    if (state.get(t) === 'done') continue;
    state.set(t, 'done');
    order.push(t);
  }
  return order;
}
