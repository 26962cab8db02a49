/**
 * NumPy's .npy and .npz, read and written (format 1.0 to 3.0; no pickled objects, so nothing in a file can
 * run).
 */
import { unzipSync, zipSync } from 'fflate';
import { UserError } from '../errors.ts';
import { readWhole } from './read-whole.ts';

export type NumberArray =
  | Float64Array
  | Float32Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint32Array
  | Uint16Array
  | Uint8Array;

/** Numbers in row-major order, or texts. */
export interface NdArray {
  readonly shape: readonly number[];
  readonly data: NumberArray | readonly string[];
  /** Whether the bytes were booleans. */
  readonly isBoolean?: boolean;
}

/** Reads `count` items of one type from `at`. */
type Reader = (view: DataView, at: number, count: number, little: boolean) => NumberArray;

const each =
  <T extends NumberArray>(
    make: (count: number) => T,
    bytes: number,
    get: (view: DataView, at: number, little: boolean) => number,
  ): Reader =>
  (view, at, count, little) => {
    const out = make(count);
    for (let i = 0; i < count; i++) out[i] = get(view, at + i * bytes, little);
    return out;
  };

const READERS: Readonly<Record<string, Reader>> = {
  b1: each(
    (n) => new Uint8Array(n),
    1,
    (v, at) => v.getUint8(at),
  ),
  u1: (v, at, count) => new Uint8Array(v.buffer, v.byteOffset + at, count),
  i1: each(
    (n) => new Int8Array(n),
    1,
    (v, at) => v.getInt8(at),
  ),
  u2: each(
    (n) => new Uint16Array(n),
    2,
    (v, at, le) => v.getUint16(at, le),
  ),
  i2: each(
    (n) => new Int16Array(n),
    2,
    (v, at, le) => v.getInt16(at, le),
  ),
  u4: each(
    (n) => new Uint32Array(n),
    4,
    (v, at, le) => v.getUint32(at, le),
  ),
  i4: each(
    (n) => new Int32Array(n),
    4,
    (v, at, le) => v.getInt32(at, le),
  ),
  u8: each(
    (n) => new Float64Array(n),
    8,
    (v, at, le) => Number(v.getBigUint64(at, le)),
  ),
  i8: each(
    (n) => new Float64Array(n),
    8,
    (v, at, le) => Number(v.getBigInt64(at, le)),
  ),
  f2: each(
    (n) => new Float32Array(n),
    2,
    (v, at, le) => halfToNumber(v.getUint16(at, le)),
  ),
  f4: each(
    (n) => new Float32Array(n),
    4,
    (v, at, le) => v.getFloat32(at, le),
  ),
  f8: each(
    (n) => new Float64Array(n),
    8,
    (v, at, le) => v.getFloat64(at, le),
  ),
};

/** IEEE 754 binary16. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : (fraction / 1024) * 2 ** -14);
}

interface Header {
  readonly order: string;
  readonly type: string;
  readonly fortran: boolean;
  readonly shape: number[];
  readonly start: number;
}

/** One array from the bytes of a .npy file; `name` is for messages. */
export function parseNpy(bytes: Uint8Array, name: string): NdArray {
  const header = parseHeader(bytes, name);
  const { order, type, shape, start } = header;
  const count = shape.reduce((product, n) => product * n, 1);
  const size = Number(type.slice(1)) * (type[0] === 'U' ? 4 : 1);
  const rest = bytes.length - start;
  if (!Number.isSafeInteger(count * size) || rest < count * size)
    throw new UserError(
      `${name}: is cut short: ${shape.join(' × ')} values of ${size} bytes do not fit in ${rest}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = order !== '>';
  const data = /^[US]/.test(type)
    ? Array.from({ length: count }, (_, i) => text(view, start + i * size, size, type, little))
    : READERS[type]!(view, start, count, little);
  const ordered = header.fortran && shape.length > 1 ? rowMajor(data, shape) : data;
  return { shape, data: ordered, ...(type === 'b1' && { isBoolean: true }) };
}

function parseHeader(bytes: Uint8Array, name: string): Header {
  if (bytes.length < 10 || String.fromCharCode(...bytes.subarray(1, 6)) !== 'NUMPY')
    throw new UserError(`${name}: is not a NumPy array: it does not begin with \\x93NUMPY`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = bytes[6]! >= 2 && bytes.length >= 12;
  const start = wide ? 12 + view.getUint32(8, true) : 10 + view.getUint16(8, true);
  const words = new TextDecoder().decode(bytes.subarray(wide ? 12 : 10, start));
  const descr = /'descr':\s*'([<>=|]?)([a-zA-Z]\d*)'/.exec(words);
  const shape = /'shape':\s*\(([^)]*)\)/.exec(words);
  if (start > bytes.length || !descr || !shape)
    throw new UserError(`${name}: its header cannot be read: ${words.slice(0, 120)}`);
  const type = descr[2]!;
  if (!READERS[type] && !/^[US][1-9]\d*$/.test(type))
    throw new UserError(
      `${name}: holds values of type "${descr[1]}${type}", expected numbers, booleans or fixed-length texts ` +
        '(no objects, complex numbers or dates)',
    );
  const sizes = shape[1]!
    .split(',')
    .map((n) => n.trim())
    .filter((n) => n !== '');
  const odd = sizes.find((n) => !/^\d+$/.test(n));
  if (odd !== undefined)
    throw new UserError(`${name}: its header says (${shape[1]}), expected whole sizes from 0 and not ${odd}`);
  return {
    order: descr[1]!,
    type,
    fortran: /'fortran_order':\s*True/.test(words),
    shape: sizes.map(Number),
    start,
  };
}

function text(view: DataView, at: number, size: number, type: string, little: boolean): string {
  const codes: number[] = [];
  const step = type[0] === 'U' ? 4 : 1;
  for (let i = 0; i < size; i += step)
    codes.push(step === 4 ? view.getUint32(at + i, little) : view.getUint8(at + i));
  const letters = codes.map((code) => String.fromCodePoint(code > 0x10ffff ? 0xfffd : code));
  return letters.join('').replace(/\0+$/, '');
}

/** From column-major (Fortran) to row-major order. */
function rowMajor(data: NdArray['data'], shape: readonly number[]): NdArray['data'] {
  const out = data.slice() as unknown as number[];
  const index = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    let from = 0;
    for (let axis = shape.length - 1; axis >= 0; axis--) from = from * shape[axis]! + index[axis]!;
    out[i] = data[from] as number;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]!; axis--) index[axis] = 0;
  }
  return out as unknown as NdArray['data'];
}

/** All arrays of a .npy (named 'data') or .npz file. */
export async function readNumpy(path: string): Promise<Map<string, NdArray>> {
  const bytes = await readWhole(path);
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) return new Map([['data', parseNpy(bytes, path)]]);
  const arrays = new Map<string, NdArray>();
  for (const [file, content] of Object.entries(unzip(bytes, path)))
    if (file.endsWith('.npy'))
      arrays.set(file.slice(0, -4), parseNpy(content, `${path}, array ${file.slice(0, -4)}`));
  if (arrays.size === 0) throw new UserError(`${path}: holds no .npy arrays`);
  return arrays;
}

const UNPACKED_LIMIT = 2 ** 32;

function unzip(bytes: Uint8Array, path: string): Record<string, Uint8Array> {
  let total = 0;
  const filter = ({ originalSize }: { originalSize: number }) => (total += originalSize) <= UNPACKED_LIMIT;
  try {
    const files = unzipSync(bytes, { filter });
    if (total <= UNPACKED_LIMIT) return files;
  } catch (error) {
    throw new UserError(`${path}: cannot be unpacked: ${(error as Error).message}`);
  }
  throw new UserError(`${path}: unpacks to ${total} bytes, at most ${UNPACKED_LIMIT} can be read`);
}

const TYPES: readonly (readonly [new (n: number) => NumberArray, string])[] = [
  [Float64Array, '<f8'],
  [Float32Array, '<f4'],
  [Int32Array, '<i4'],
  [Int16Array, '<i2'],
  [Int8Array, '|i1'],
  [Uint32Array, '<u4'],
  [Uint16Array, '<u2'],
  [Uint8Array, '|u1'],
];

/** The bytes of a .npy file (format 1.0, or 3.0 … never needed: no field names). */
export function formatNpy({ shape, data }: NdArray): Uint8Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if (data.length !== size)
    throw new UserError(`an array of shape [${shape}] has ${size} values, given ${data.length}`);
  const texts = Array.isArray(data) ? (data as readonly string[]) : undefined;
  const width = texts ? texts.reduce((most, text) => Math.max(most, [...text].length), 1) : 0;
  const type = texts ? `<U${width}` : TYPES.find(([kind]) => data instanceof kind)![1];
  const sizes = `(${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
  const words = `{'descr': '${type}', 'fortran_order': False, 'shape': ${sizes}, }`;
  const padded = words.padEnd(Math.ceil((words.length + 11) / 64) * 64 - 11) + '\n';
  const body = texts ? utf32(texts, width) : bytesOf(data as NumberArray);
  const out = new Uint8Array(10 + padded.length + body.length);
  out.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, padded.length & 255, padded.length >> 8]);
  out.set(new TextEncoder().encode(padded), 10);
  out.set(body, 10 + padded.length);
  return out;
}

const bytesOf = (data: NumberArray): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function utf32(texts: readonly string[], width: number): Uint8Array {
  const codes = new Uint32Array(texts.length * width);
  texts.forEach((t, i) => {
    [...t].forEach((c, j) => {
      codes[i * width + j] = c.codePointAt(0)!;
    });
  });
  return bytesOf(codes);
}

/** The bytes of an .npz file: an array a name, not compressed further. */
export const formatNpz = (arrays: Readonly<Record<string, NdArray>>): Uint8Array =>
  zipSync(
    Object.fromEntries(Object.entries(arrays).map(([name, array]) => [`${name}.npy`, formatNpy(array)])),
    { level: 6 },
  );
