/** Which array of a file holds the examples and which the labels: NumPy and IDX. */
import { readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import type { ArrayFile } from './arrays.ts';
import { labelFileOf, readIdx } from './idx.ts';
import { type NdArray, readNumpy } from './npy.ts';
import type { Settings } from './options.ts';

const EXAMPLE_NAMES = ['X', 'x', 'data', 'images', 'counts', 'features'];
const LABEL_NAMES = ['y', 'Y', 'labels', 'label', 'target', 'targets'];

export async function readNumpyFile(path: string, { label }: Pick<Settings, 'label'>): Promise<ArrayFile> {
  const arrays = await readNumpy(path);
  const [name, array] = examples(arrays, path);
  const wanted = label ?? LABEL_NAMES.find((key) => key !== name && arrays.get(key)?.shape.length === 1);
  const found = wanted === undefined ? undefined : arrays.get(wanted);
  if (label !== undefined && !found)
    throw new UserError(`${path}: there is no array "${label}" for labels; it holds ${list(arrays)}`);
  const others = [...arrays.keys()].filter((key) => key !== name && key !== wanted);
  const notes =
    others.length > 0 ? [`${path}: the examples are array "${name}"; not used: ${others.join(', ')}.`] : [];
  return { path, array, notes, labels: found && { name: wanted!, array: found } };
}

const list = (arrays: ReadonlyMap<string, NdArray>): string =>
  [...arrays].map(([name, { shape }]) => `"${name}" (${shape.join(' × ')})`).join(', ');

/** The array with a usual name, or else the largest one of numbers. */
function examples(arrays: ReadonlyMap<string, NdArray>, path: string): [string, NdArray] {
  const numeric = [...arrays].filter(
    ([, { shape, data }]) => shape.length >= 1 && typeof data[0] !== 'string',
  );
  const named = numeric.find(([name, { shape }]) => EXAMPLE_NAMES.includes(name) && shape.length >= 2);
  const [largest] = numeric.sort(([, a], [, b]) => b.data.length - a.data.length);
  if (named ?? largest) return (named ?? largest)!;
  throw new UserError(`${path}: holds no array of numbers: ${list(arrays)}`);
}

export async function readIdxFile(path: string): Promise<ArrayFile> {
  const folder = dirname(path);
  const beside = labelFileOf(basename(path), await readdir(folder));
  const array = await readIdx(path);
  const labels = beside && { name: 'label', array: await readIdx(join(folder, beside)) };
  return { path, array, notes: [], labels: labels || undefined };
}
