/** Categories and booleans ↔ one-hot columns; a missing value is all zeros. */
import type { FieldCodec } from './codec.ts';
import { type FieldOf, refuseMissing } from './schema.ts';

/** The texts that the codes 0, 1, … stand for. */
export const wordsOf = (field: FieldOf<'category' | 'boolean'>): readonly string[] =>
  field.type === 'category' ? field.categories : field.words;

export function oneHotCodec(field: FieldOf<'category' | 'boolean'>): FieldCodec {
  const size = wordsOf(field).length;
  return {
    size,
    draws: 0,
    encode: (column, { index, ids }, { x, mask, part, parts }, { start, stride }) => {
      const codes = column as Int32Array;
      for (let i = 0; i < index.length; i++) {
        const code = codes[index[i]!]!;
        if (code >= 0) x[i * stride + start + code] = 1;
        else if (!field.missing) refuseMissing(field, ids[i]);
        if (mask) mask[i * parts + part] = code >= 0 ? 1 : 0;
      }
    },
    decode: (x, count, { start, stride }) => {
      const out = new Int32Array(count);
      for (let i = 0; i < count; i++) out[i] = largest(x, i * stride + start, size);
      return out;
    },
  };
}

function largest(x: Float32Array, from: number, size: number): number {
  let best = 0;
  for (let c = 1; c < size; c++) if (x[from + c]! > x[from + best]!) best = c;
  return best;
}
