/** IDX, the format of MNIST: magic 0 0 type dimensions, big-endian sizes, values; plain or gzipped. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../errors.ts';
import type { NdArray, NumberArray } from './npy.ts';
import { readWhole } from './read-whole.ts';

interface IdxType {
  readonly bytes: number;
  read(view: DataView, at: number, count: number): NumberArray;
}

const each =
  (
    make: (count: number) => NumberArray,
    bytes: number,
    get: (view: DataView, at: number) => number,
  ): IdxType['read'] =>
  (view, at, count) => {
    const out = make(count);
    for (let i = 0; i < count; i++) out[i] = get(view, at + i * bytes);
    return out;
  };

const TYPES: Readonly<Record<number, IdxType>> = {
  8: { bytes: 1, read: (v, at, count) => new Uint8Array(v.buffer, v.byteOffset + at, count) },
  9: {
    bytes: 1,
    read: each(
      (n) => new Int8Array(n),
      1,
      (v, at) => v.getInt8(at),
    ),
  },
  11: {
    bytes: 2,
    read: each(
      (n) => new Int16Array(n),
      2,
      (v, at) => v.getInt16(at),
    ),
  },
  12: {
    bytes: 4,
    read: each(
      (n) => new Int32Array(n),
      4,
      (v, at) => v.getInt32(at),
    ),
  },
  13: {
    bytes: 4,
    read: each(
      (n) => new Float32Array(n),
      4,
      (v, at) => v.getFloat32(at),
    ),
  },
  14: {
    bytes: 8,
    read: each(
      (n) => new Float64Array(n),
      8,
      (v, at) => v.getFloat64(at),
    ),
  },
};

/** One array from the bytes of an IDX file (already unpacked); `name` is for messages. */
export function parseIdx(bytes: Uint8Array, name: string): NdArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = bytes.length >= 4 && bytes[0] === 0 && bytes[1] === 0 ? TYPES[bytes[2]!] : undefined;
  const dimensions = bytes[3]!;
  if (!type || dimensions < 1 || dimensions > 4) {
    const start = [...bytes.subarray(0, 4)].map((b) => b.toString(16).padStart(2, '0')).join(' ');
    throw new UserError(
      `${name}: is not an IDX file: it begins with ${start || 'nothing'}, expected 00 00 08 03 or alike`,
    );
  }
  const start = 4 + 4 * dimensions;
  if (bytes.length < start) throw new UserError(`${name}: is cut short: its header is not complete`);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const count = shape.reduce((product, n) => product * n, 1);
  const rest = bytes.length - start;
  if (rest !== count * type.bytes)
    throw new UserError(
      `${name}: its header says ${shape.join(' × ')} values of ${type.bytes} bytes, but ${rest} bytes follow`,
    );
  return { shape, data: type.read(view, start, count) };
}

/** Reads an IDX file, gzipped or not. */
export async function readIdx(path: string): Promise<NdArray> {
  return parseIdx(unpacked(await readWhole(path), path), path);
}

function unpacked(bytes: Buffer, path: string): Uint8Array {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: 2 ** 32 });
  } catch (error) {
    throw new UserError(`${path}: cannot be unpacked: ${(error as Error).message}`);
  }
}

export const isIdxName = (name: string): boolean => /(ubyte|\.idx\d?|idx\d)(\.gz)?$/i.test(name);

/** Files of a folder laid out as MNIST's. */
export interface IdxFiles {
  readonly train: string;
  readonly test?: string | undefined;
}

/** The pictures of a folder laid out as MNIST's, or nothing if it is none. */
export async function idxFolder(folder: string): Promise<IdxFiles | undefined> {
  if (!(await stat(folder)).isDirectory()) return undefined;
  const names = (await readdir(folder)).filter(isIdxName).sort();
  const find = (start: string) => names.find((name) => name.startsWith(start) && /images/.test(name));
  const train = find('train');
  const test = find('t10k') ?? find('test');
  return train === undefined ? undefined : { train: join(folder, train), test: test && join(folder, test) };
}

/** The label file beside a file of pictures, by MNIST's naming, if it is there. */
export function labelFileOf(images: string, names: readonly string[]): string | undefined {
  const wanted = images.replace('images', 'labels').replace('idx3', 'idx1');
  if (wanted === images) return undefined;
  const bare = (name: string) => name.replace(/\.gz$/i, '');
  return names.find((name) => bare(name) === bare(wanted));
}
