/** The field of a set of pictures, and the likelihood that fits them. */
import type { FieldOf } from './schema.ts';

/** Of pictures. */
export type PictureSize = readonly [height: number, width: number, channels: 1 | 3 | 4];

const CHECKED = 1_000_000; // pixels looked at

/**
 * Grey pictures that are nearly black and white are binarised afresh each step; all others keep their
 * greys.
 */
export function imageField(
  [height, width, channels]: readonly [number, number, number],
  pixels: Uint8Array,
  binarize: FieldOf<'image'>['binarize'] | undefined,
): FieldOf<'image'> {
  const chosen = binarize ?? (channels === 1 && nearlyBinary(pixels) ? 'dynamic' : 'none');
  return {
    name: 'image',
    type: 'image',
    role: 'model',
    missing: false,
    missingShare: 0,
    height,
    width,
    channels: channels as FieldOf<'image'>['channels'],
    binarize: chosen,
    likelihood: chosen === 'none' ? 'gaussian' : 'bernoulli',
  };
}

/** At least 80 % of the pixels are within 32 steps of black or white. */
function nearlyBinary(pixels: Uint8Array): boolean {
  const step = Math.max(1, Math.floor(pixels.length / CHECKED));
  let extreme = 0;
  let seen = 0;
  for (let i = 0; i < pixels.length; i += step, seen++) if (pixels[i]! < 32 || pixels[i]! > 223) extreme++;
  return extreme >= 0.8 * seen;
}
