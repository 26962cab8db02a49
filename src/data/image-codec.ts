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
  const gather = gatherer(size);
  return {
    size,
    draws: 0,
    encode: (column, { index, ids }, { x, mask }, _place, { draw }) => {
      mask?.fill(1, 0, index.length);
      const pixels = gather(column as Uint8Array, index);
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

/** The pictures of a batch one after another, in a buffer that the next call writes over. */
function gatherer(size: number): (pixels: Uint8Array, index: Int32Array) => Uint8Array {
  let kept = new Uint8Array(0);
  return (pixels, index) => {
    if (kept.length < index.length * size) kept = new Uint8Array(index.length * size);
    for (let i = 0; i < index.length; i++)
      kept.set(pixels.subarray(index[i]! * size, (index[i]! + 1) * size), i * size);
    return kept.subarray(0, index.length * size);
  };
}

function lookUp(pixels: Uint8Array, table: Float32Array, x: Float32Array): void {
  for (let i = 0; i < pixels.length; i++) x[i] = table[pixels[i]!]!;
}
