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
