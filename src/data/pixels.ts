/** Pictures in arrays, as pixels from 0 to 255: bytes up to 255 or up to 1, booleans, other numbers from 0 to 1. */
import { UserError } from '../errors.ts';
import type { NdArray } from './npy.ts';
import { cellSize } from './rows.ts';
import type { FieldOf } from './schema.ts';

type Picture = Pick<FieldOf<'image'>, 'type' | 'height' | 'width' | 'channels' | 'binarize' | 'full'>;

const isBytes = ({ data }: NdArray): boolean => data instanceof Uint8Array;

/** Position of the first value that is not from 0 to `most`, or −1. */
function firstBeyond(data: ArrayLike<number>, most: number): number {
  for (let i = 0; i < data.length; i++) if (!(data[i]! >= 0 && data[i]! <= most)) return i;
  return -1;
}

/** Whether an array without a schema is taken for pictures: it is of bytes, or all its numbers lie in [0, 1]. */
export const isPixels = (array: NdArray): boolean =>
  isBytes(array) || firstBeyond(array.data as ArrayLike<number>, 1) < 0;

/** Whether 1 is the white of these bytes: they are booleans, or none of them is above 1. */
export const isZeroOne = ({ data, isBoolean }: NdArray): boolean =>
  data instanceof Uint8Array && (isBoolean || (data.includes(1) && firstBeyond(data, 1) < 0));

/** The pixels of the first `count` examples, read as the field says. */
export function pixelsOf(path: string, array: NdArray, count: number, field: Picture): Uint8Array {
  const size = cellSize(field as FieldOf<'image'>);
  const data = (array.data as Float64Array | Uint8Array).subarray(0, count * size);
  if (data instanceof Uint8Array && !array.isBoolean && field.full !== 1) {
    if (field.binarize !== 'none') refuseBlack(path, array);
    return data;
  }
  const out = new Uint8Array(data.length);
  for (let i = 0; i < out.length; i++) {
    const v = data[i]!;
    if (!(v >= 0 && v <= 1)) throw new UserError(beyond(path, array, i, size));
    out[i] = Math.round(255 * v);
  }
  return out;
}

const beyond = (path: string, array: NdArray, at: number, size: number): string =>
  `${path}: example ${1 + Math.floor(at / size)} holds ${array.data[at]}, expected ` +
  (isBytes(array) ? 'bytes of 0 and 1, or other numbers from 0 to 1' : 'pixels from 0 to 1');

function refuseBlack(path: string, array: NdArray): void {
  if (isZeroOne(array))
    throw new UserError(
      `${path}: no byte is above 1, but the model is of bytes up to 255, so that every picture would be black. ` +
        'Multiply them by 255, or give booleans. (If an older Elbo trained it on such bytes, they were black to it: train again)',
    );
}

/** What is to be known of how an array became pixels. */
export function pixelNotes(path: string, array: NdArray, { full, binarize }: Picture): string[] {
  if (!isBytes(array)) return ['Pixels in [0, 1] are kept in steps of 1/255.'];
  if (array.isBoolean) return [];
  if (full === 1) return [`${path}: no byte is above 1, so 1 is read as white.`];
  return binarize === 'none' && isZeroOne(array)
    ? [`${path}: no byte is above 1: read as 0 to 255, every picture is nearly black.`]
    : [];
}
