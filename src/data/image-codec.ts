/** Pixels 0 … 255 ↔ [0, 1], or 0 and 1 where binarised. */
import { type Stream, stream } from '../random/stream.ts';
import type { FieldCodec } from './codec.ts';
import { cellSize } from './rows.ts';
import type { FieldOf } from './schema.ts';

const GREY = Float32Array.from({ length: 256 }, (_, p) => p / 255);
const THRESHOLD = Float32Array.from({ length: 256 }, (_, p) => (p >= 128 ? 1 : 0));
/** A 16-bit uniform below BELOW[p] has probability p / 255. */
const BELOW = Int32Array.from({ length: 256 }, (_, p) => Math.round((p * 65536) / 255));
/** 1 where a pixel is neither black nor white, so that it needs a random number. */
const IS_GREY = Uint8Array.from({ length: 256 }, (_, p) => (p % 255 ? 1 : 0));

export function imageCodec(field: FieldOf<'image'>): FieldCodec {
  const size = cellSize(field);
  const table = field.binarize === 'static' ? THRESHOLD : GREY;
  return {
    size,
    draws: 0,
    encode: (column, { index, ids }, { x, mask }, _place, { draw }) => {
      mask?.fill(1, 0, index.length);
      const pixels = gather(column as Uint8Array, index, size);
      if (field.binarize !== 'dynamic' || !draw) return lookUp(pixels, table, x);
      if (draw.kind === 'step') return binarise(pixels, x, draw.stream);
      for (let i = 0; i < index.length; i++) {
        const random = stream(draw.seed, 'binarise', ids[i]!);
        binarise(pixels.slice(i * size, (i + 1) * size), x.subarray(i * size), random);
      }
    },
    decode: (x, count) => {
      const out = new Uint8Array(count * size);
      for (let i = 0; i < out.length; i++) out[i] = Math.min(255, Math.max(0, Math.round(x[i]! * 255)));
      return out;
    },
  };
}

/** The pictures of a batch one after another, in a buffer of their own. */
function gather(pixels: Uint8Array, index: Int32Array, size: number): Uint8Array {
  const out = new Uint8Array(index.length * size);
  for (let i = 0; i < index.length; i++)
    out.set(pixels.subarray(index[i]! * size, (index[i]! + 1) * size), i * size);
  return out;
}

function lookUp(pixels: Uint8Array, table: Float32Array, x: Float32Array): void {
  for (let i = 0; i < pixels.length; i++) x[i] = table[pixels[i]!]!;
}

/** Dynamic binarisation (Salakhutdinov & Murray 2008), P(1) = pixel / 255, into an `x` that is all zeros. */
function binarise(pixels: Uint8Array, x: Float32Array, { bytes16 }: Stream): void {
  const words = new Uint32Array(pixels.buffer, 0, pixels.length >> 2);
  const tail = words.length * 4;
  const draws = new Uint16Array(countGrey(pixels, words, tail) + 1);
  bytes16(draws);
  let next = 0;
  const set = (i: number) => {
    const p = pixels[i]!;
    x[i] = (draws[next]! - BELOW[p]!) >>> 31;
    next += IS_GREY[p]!;
  };
  for (let w = 0; w < words.length; w++) {
    if (words[w] === 0) continue; // four black pixels
    set(4 * w);
    set(4 * w + 1);
    set(4 * w + 2);
    set(4 * w + 3);
  }
  for (let i = tail; i < pixels.length; i++) set(i);
}

function countGrey(pixels: Uint8Array, words: Uint32Array, tail: number): number {
  let grey = 0;
  for (let w = 0; w < words.length; w++) {
    if (words[w] === 0) continue;
    const i = 4 * w;
    grey +=
      IS_GREY[pixels[i]!]! + IS_GREY[pixels[i + 1]!]! + IS_GREY[pixels[i + 2]!]! + IS_GREY[pixels[i + 3]!]!;
  }
  for (let i = tail; i < pixels.length; i++) grey += IS_GREY[pixels[i]!]!;
  return grey;
}
