/** Is a gradient right? Analytic gradients against central differences, both in float64. */
import assert from 'node:assert/strict';
import { mul } from '../src/graph/elementwise.ts';
import { gradients } from '../src/graph/gradients.ts';
import { sum } from '../src/graph/reduce.ts';
import type { Shape } from '../src/graph/shape.ts';
import { type DType, input, type Tensor } from '../src/graph/tensor.ts';
import { compile, type Feeds, resolve, type Value } from './reference.ts';

/** Uniform numbers in [0, 1) from a seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One input of a function under test. `range` is where its values are drawn from; for int64 the end is excluded. */
export interface Argument {
  readonly shape: Shape;
  readonly range?: readonly [number, number];
  readonly dtype?: DType;
}

/** Random values that float32 holds exactly, so that both precisions see the same inputs. */
export function draw(
  { shape, range = [-2, 2], dtype = 'float32' }: Argument,
  batch: number,
  next: () => number,
): Value {
  const sizes = resolve(shape, batch);
  const at = () => range[0] + (range[1] - range[0]) * next();
  const data = Float64Array.from({ length: sizes.reduce((a, b) => a * b, 1) }, () =>
    dtype === 'int64' ? Math.floor(at()) : Math.fround(at()),
  );
  return { data, shape: sizes, dtype };
}

export interface CheckOptions {
  /** Of the directional derivative. */
  readonly tolerance?: number;
  readonly seed?: number;
  /** What 'B' stands for. */
  readonly batch?: number;
}

/**
 * Checks the gradient of `build` with respect to each of its float inputs, drawn at random. A result that is not
 * a scalar is weighted at random and summed.
 */
export function checkGradient(
  build: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Argument[],
  { seed = 1, batch = 3, tolerance = 1e-6 }: CheckOptions = {},
): void {
  const next = random(seed);
  const xs = inputs.map(({ shape, dtype }, i) => input(`x${i}`, shape, dtype));
  const feeds: Record<string, Value> = Object.fromEntries(
    inputs.map((x, i) => [`x${i}`, draw(x, batch, next)]),
  );
  const y = build(...xs);
  feeds.weights = draw({ shape: y.shape }, batch, next);
  const loss = y.shape.length === 0 ? y : sum(mul(y, input('weights', y.shape)));
  checkGradients(
    loss,
    xs.filter((x) => x.dtype === 'float32'),
    feeds,
    { seed, tolerance },
  );
}

/** Checks d(loss)/dp for inputs `parameters` of a built graph at the values in `feeds`, a random direction for each. */
export function checkGradients(
  loss: Tensor,
  parameters: readonly Tensor[],
  feeds: Feeds,
  { seed = 1, tolerance = 1e-6 }: CheckOptions = {},
): void {
  const next = random(seed);
  const analytic = compile(gradients(loss, parameters))(feeds);
  const at = compile([loss]);
  parameters.forEach((p, i) => {
    const name = p.name!;
    const direction = feeds[name]!.data.map(() => 2 * next() - 1);
    const along = analytic[i]!.data.map((g, j) => g * direction[j]!);
    const moved = (h: number): number => {
      const data = feeds[name]!.data.map((v, j) => v + h * direction[j]!);
      return at({ ...feeds, [name]: { ...feeds[name]!, data } })[0]!.data[0]!;
    };
    expectDerivative(name, moved, along, tolerance);
  });
}

/** Several steps, because a kink (of a maximum, say) may lie within the first; a wrong gradient agrees with none. */
function expectDerivative(
  name: string,
  f: (h: number) => number,
  along: Float64Array,
  tolerance: number,
): void {
  const analytic = along.reduce((a, b) => a + b, 0);
  const size = along.reduce((a, b) => a + Math.abs(b), 0);
  const floor = 1e-4 * Math.abs(f(0)); // what rounding of the loss itself hides
  const found: number[] = [];
  const agrees = [1e-4, 1e-5, 1e-6].some((h) => {
    const d = (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h);
    found.push(d);
    return Math.abs(d - analytic) <= tolerance * Math.max(Math.abs(d), size, floor);
  });
  assert.ok(agrees, `d/d${name}: the gradient gives ${analytic}, central differences ${found.join(', ')}`);
}
