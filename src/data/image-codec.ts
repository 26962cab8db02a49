/** Pixels 0 … 255 ↔ [0, 1], or 0 and 1 where binarised. */
import { stream } from '../random/stream.ts';
import type { FieldCodec } from './codec.ts';
import { cellSize } from './rows.ts';
import type { FieldOf } from './schema.ts';

const GREY = Float32Array.from({ length: 256 }, (_, p) => p / 255);
const THRESHOLD = Float32Array.from({ length: 256 }, (_, p) => (p >= 128 ? 1 : 0));
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
      if (draw.kind === 'step') return draw.stream.binarise(pixels, x);
      for (let i = 0; i < index.length; i++) {
        const own = pixels.subarray(i * size, (i + 1) * size);
        stream(draw.seed, 'binarise', ids[i]!).binarise(own, x.subarray(i * size));
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
