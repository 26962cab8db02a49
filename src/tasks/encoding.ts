/** Batches in model space, as models read them. */
import type { Batch, Codec, Draw } from '../data/index.ts';
import { stream } from '../random/index.ts';
import type { BatchArrays } from '../train/index.ts';

/** Writes a batch in model space: what the model has of mask and condition with it. */
export function encodeInto(
  codec: Codec,
  batch: Batch,
  { x, mask, condition }: BatchArrays,
  draw?: Draw,
): void {
  const out = { x, ...(codec.masked && { mask }), ...(codec.conditionSize > 0 && { condition }) };
  codec.encode(batch, out, draw);
}

/** At a training step whatever is random is drawn afresh. */
export const drawAt = (seed: number, step: number): Draw => ({
  kind: 'step',
  stream: stream(seed, 'encode', step),
});

/** Floats of one row in each of the arrays. */
export const widthsOf = ({ shape, parts, masked, conditionSize }: Codec): Widths => ({
  x: shape.reduce((a, b) => a * b, 1),
  mask: masked ? parts.length : 0,
  condition: conditionSize,
});

export type Widths = Readonly<Record<keyof BatchArrays, number>>;

/** Copies the first `count` rows of a batch. */
export function copyBatch(from: BatchArrays, into: BatchArrays, count: number, widths: Widths): void {
  for (const name of ['x', 'mask', 'condition'] as const)
    into[name].set(from[name].subarray(0, count * widths[name]));
}
