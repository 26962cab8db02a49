/** Arrays that a graph is fed from, for up to a number of examples: data, and noise of whatever kind the graph reads. */
import type { Dim } from '../graph/index.ts';
import { fillNoise, type NoiseInput } from '../nn/index.ts';
import type { Stream } from '../random/index.ts';
import type { Value } from '../runtime/index.ts';
import type { ModelSpec } from '../vae/index.ts';

export interface Buffers {
  readonly x: Float32Array;
  readonly mask: Float32Array;
  readonly condition: Float32Array;
  /** Draws the noise of `count` examples, each input from the stream of its name. */
  readonly draw: (count: number, random: (name: string) => Stream, temperature?: number) => void;
  /** Feeds for `count` examples. */
  readonly values: (count: number) => Record<string, Value>;
}

/** A dimension for `count` examples. */
const sized = (dim: Dim, count: number): number =>
  typeof dim === 'number' ? dim : (dim === 'B' ? 1 : Number(dim.slice(0, -2))) * count;

const product = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

/** Of what form the examples of a batch are. */
export type InputForm = Pick<ModelSpec, 'shape' | 'masked' | 'condition'> & {
  readonly parts: { readonly length: number };
};

export function createBuffers(
  { shape, masked, parts, condition: given = 0 }: InputForm,
  noises: readonly NoiseInput[],
  batchSize: number,
): Buffers {
  const x = new Float32Array(batchSize * product(shape));
  const mask = new Float32Array(masked ? batchSize * parts.length : 0);
  const condition = new Float32Array(batchSize * given);
  const arrays = noises.map((input) => {
    const dims = (count: number) => input.shape.map((dim) => sized(dim, count));
    return { ...input, dims, data: new Float32Array(product(dims(batchSize))) };
  });
  const value = (data: Float32Array, dims: readonly number[]): Value => ({
    data: data.subarray(0, product(dims)),
    dims,
  });
  return {
    x,
    mask,
    condition,
    draw: (count, random, temperature = 1) => {
      for (const { name, law, dims, data } of arrays) {
        const own = data.subarray(0, product(dims(count)));
        fillNoise(law, random(name), own);
        if (law === 'normal' && temperature !== 1)
          for (let i = 0; i < own.length; i++) own[i]! *= temperature;
      }
    },
    values: (count) => ({
      x: value(x, [count, ...shape]),
      mask: value(mask, [count, parts.length]),
      condition: value(condition, [count, given]),
      ...Object.fromEntries(arrays.map(({ name, data, dims }) => [name, value(data, dims(count))])),
    }),
  };
}
