/**
 * A folder of pictures: decoded by sharp to one size and colour type, into memory or again for each batch.
 */
import { readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import sharp from 'sharp';
import { UserError } from '../errors.ts';
import { applyEdits } from './edits.ts';
import { imageField, type PictureSize } from './image-field.ts';
import { labelColumn, labelField, labelFieldOf, labelsOf } from './labels.ts';
import { givenIds, inMemory, type RandomAccess, randomAccessDataset } from './memory-dataset.ts';
import type { GivenPaths, Settings } from './options.ts';
import type { Dataset, Labels } from './rows.ts';
import { type FieldOf, isGiven, modelFields, parseSchema, type Schema } from './schema.ts';

const PICTURE = /\.(png|jpe?g|webp|gif)$/i;
const AT_ONCE = 4;
const DEFAULT_SIDE = 64;
const MAX_PIXELS = 100_000_000; // of one picture, before resizing

/** Pictures of a folder and all below it, in the order of their paths. */
export async function listPictures(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(
    (error: NodeJS.ErrnoException) => {
      throw new UserError(`${error.path ?? folder}: the folder cannot be listed: ${error.message}`);
    },
  );
  const named = entries.filter(({ name }) => PICTURE.test(name) && !name.startsWith('.'));
  const files = await each(named, async (entry) => {
    const path = join(entry.parentPath, entry.name);
    return entry.isFile() || (entry.isSymbolicLink() && (await leadsToPicture(path))) ? [path] : [];
  });
  return files.flat().sort();
}

/** A link to nowhere is kept, so that it is told among the pictures that cannot be read. */
const leadsToPicture = (link: string): Promise<boolean> =>
  stat(link).then(
    (found) => found.isFile(),
    () => true,
  );

interface Known {
  readonly path: string;
  readonly height: number;
  readonly width: number;
  readonly grey: boolean;
}

/** Pictures whose headers can be read, and complaints about the others. */
interface Survey {
  readonly folder: string;
  readonly known: readonly Known[];
  readonly bad: readonly string[];
}

/** `work` for each item, a few at a time, results in order. */
async function each<T, R>(items: readonly T[], work: (item: T, i: number) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]!, i);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}

const open = (path: string) => sharp(path, { limitInputPixels: MAX_PIXELS, failOn: 'error' });
const reason = (error: unknown): string => (error as Error).message.split('\n')[0]!;

async function survey(folder: string, limit: number | undefined): Promise<Survey> {
  const paths = (await listPictures(folder)).slice(0, limit);
  if (paths.length === 0)
    throw new UserError(`${folder}: no pictures in it (png, jpg, jpeg, webp or gif), nor in its sub-folders`);
  const found = await each(paths, async (path): Promise<Known | string> => {
    try {
      const { autoOrient, space, pageHeight } = await open(path).metadata();
      const { height, width } = autoOrient; // as `decode` turns it
      return { path, height: pageHeight ?? height, width, grey: space === 'b-w' || space === 'grey16' };
    } catch (error) {
      return `${relative(folder, path)}: ${reason(error)}`;
    }
  });
  return {
    folder,
    known: found.filter((f) => typeof f !== 'string'),
    bad: found.filter((f) => typeof f === 'string'),
  };
}

function sizeFor(known: readonly Known[], { image }: Settings): PictureSize {
  const { size, color } = image;
  const first = known[0]!;
  const same = known.every(({ height, width }) => height === first.height && width === first.width);
  const [height, width] =
    typeof size === 'number'
      ? [size, size]
      : (size ?? (same ? [first.height, first.width] : [DEFAULT_SIDE, DEFAULT_SIDE]));
  for (const side of [height, width])
    if (!(Number.isInteger(side) && side >= 1 && side <= 4096))
      throw new UserError(`picture size ${side}: expected a whole number of pixels from 1 to 4096`);
  const grey = color ? color === 'gray' : known.every((picture) => picture.grey);
  return [height, width, grey ? 1 : color === 'rgba' ? 4 : 3];
}

/**
 * One picture as [H, W, C] bytes: covers the size, cropped in the middle; transparent parts become white
 * unless kept.
 */
async function decode(path: string, [height, width, channels]: PictureSize): Promise<Uint8Array> {
  const upright = open(path).rotate().resize({ height, width, fit: 'cover' });
  const coloured =
    channels === 4
      ? upright.toColourspace('srgb').ensureAlpha()
      : upright.flatten({ background: '#fff' }).toColourspace(channels === 1 ? 'b-w' : 'srgb');
  return await coloured.raw({ depth: 'uchar' }).toBuffer();
}

/** Decodes into `out`; pictures that cannot be decoded come back as complaints (by number). */
async function decodeAll(
  paths: readonly string[],
  size: PictureSize,
  out: Uint8Array,
): Promise<Map<number, string>> {
  const bytes = size[0] * size[1] * size[2];
  const bad = new Map<number, string>();
  await each(paths, async (path, i) => {
    try {
      out.set(await decode(path, size), i * bytes);
    } catch (error) {
      bad.set(i, reason(error));
    }
  });
  return bad;
}

interface Pictures {
  readonly paths: readonly string[];
  readonly size: PictureSize;
  /** All pixels, unless they are too many. */
  readonly pixels: Uint8Array | undefined;
  readonly notes: readonly string[];
}

/** Opens folders of pictures, one for each split given. */
export async function openPictures(given: GivenPaths, settings: Settings): Promise<Dataset> {
  const folders = [given.train, given.validation, given.test].filter((path) => path !== undefined);
  const surveys: Survey[] = [];
  for (const folder of folders) surveys.push(await survey(folder, settings.limit));
  const known = surveys.flatMap((found) => found.known);
  if (known.length === 0) throw new UserError(unreadable(surveys));
  const field = settings.schema && pictureField(settings.schema);
  const size: PictureSize = field ? [field.height, field.width, field.channels] : sizeFor(known, settings);
  const fits = known.length * size[0] * size[1] * size[2] <= settings.memory;
  const loaded: Pictures[] = [];
  for (const found of surveys) loaded.push(await loadPictures(found, size, fits));
  return dataset(given, loaded, settings, size);
}

const unreadable = (surveys: readonly Survey[]): string =>
  `${surveys[0]!.folder}: none of its pictures can be read (${surveys
    .flatMap(({ bad }) => bad)
    .slice(0, 3)
    .join('; ')})`;

function pictureField(schema: Schema): FieldOf<'image'> {
  const field = modelFields(schema).find((one) => !isGiven(one));
  if (field?.type === 'image') return field;
  throw new UserError('the schema is of a table, the data is a folder of pictures');
}

/**
 * Unreadable pictures are left out here and named in the notes; without memory only their headers have been
 * looked at.
 */
async function loadPictures(
  { folder, known, bad }: Survey,
  size: PictureSize,
  fits: boolean,
): Promise<Pictures> {
  const paths = known.map(({ path }) => path);
  if (!fits) return { paths, size, pixels: undefined, notes: complaints(folder, bad) };
  const bytes = size[0] * size[1] * size[2];
  const pixels = new Uint8Array(paths.length * bytes);
  const broken = await decodeAll(paths, size, pixels);
  if (broken.size === 0) return { paths, size, pixels, notes: complaints(folder, bad) };
  const good = paths.map((_, i) => i).filter((i) => !broken.has(i));
  const kept = new Uint8Array(good.length * bytes);
  good.forEach((i, k) => {
    kept.set(pixels.subarray(i * bytes, (i + 1) * bytes), k * bytes);
  });
  const more = [...broken]
    .sort(([a], [b]) => a - b)
    .map(([i, why]) => `${relative(folder, paths[i]!)}: ${why}`);
  return {
    paths: good.map((i) => paths[i]!),
    size,
    pixels: kept,
    notes: complaints(folder, [...bad, ...more]),
  };
}

function complaints(folder: string, bad: readonly string[]): string[] {
  if (bad.length === 0) return [];
  const count =
    bad.length === 1 ? '1 picture cannot be read and is' : `${bad.length} pictures cannot be read and are`;
  return [`${folder}: ${count} left out (${bad.slice(0, 5).join('; ')}${bad.length > 5 ? '; …' : ''}).`];
}

async function dataset(
  given: GivenPaths,
  parts: readonly Pictures[],
  settings: Settings,
  size: PictureSize,
): Promise<Dataset> {
  const paths = parts.flatMap((part) => part.paths);
  if (paths.length === 0)
    throw new UserError(`${given.train}: ${parts.flatMap(({ notes }) => notes).join(' ')}`);
  const counts = countsOf(given, parts);
  const ids = givenIds(counts, settings);
  const pixels = joined(parts);
  const folders = [given.train, given.validation, given.test].filter((path) => path !== undefined);
  const labels = subFolders(folders, parts);
  const label = labelField(settings, labels, counts.train, `${given.train} ${NO_LABELS}`);
  const schema = settings.schema ?? (await infer({ paths, size, pixels, label }, settings));
  return randomAccessDataset({
    name: given.train,
    schema,
    notes: parts.flatMap(({ notes }) => notes),
    labels,
    ids,
    ...fetcher({ paths, size, pixels, schema, labels }),
  });
}

const NO_LABELS = 'has no sub-folders to tell its pictures by';

interface Fetched {
  readonly paths: readonly string[];
  readonly size: PictureSize;
  readonly pixels: Uint8Array | undefined;
  readonly schema: Schema;
  readonly labels: Labels | undefined;
}

/** Pictures by number, from memory or decoded again, with their label where it is a field. */
function fetcher({ paths, size, pixels, schema, labels }: Fetched): Pick<RandomAccess, 'fetch' | 'ahead'> {
  const field = labelFieldOf(schema, /^$/);
  const codes = field && labelColumn(field, labels);
  const columns = (own: Uint8Array, label: Int32Array | undefined) =>
    modelFields(schema).map((one) => (one.type === 'image' ? own : label!));
  if (pixels) return inMemory(schema, { count: paths.length, columns: columns(pixels, codes) });
  const fetch = async (ids: Int32Array) => {
    const own = await decodePictures(paths, size, ids);
    const label = codes && Int32Array.from(ids, (i) => codes[i]!);
    const index = Int32Array.from(ids, (_, i) => i);
    return { rows: { count: ids.length, columns: columns(own, label) }, index };
  };
  return { fetch };
}

function countsOf(given: GivenPaths, parts: readonly Pictures[]) {
  const sizes = parts.map(({ paths }) => paths.length);
  const next = (path: string | undefined) => (path === undefined ? undefined : sizes.shift());
  return { train: sizes.shift()!, validation: next(given.validation), test: next(given.test) };
}

function joined(parts: readonly Pictures[]): Uint8Array | undefined {
  if (parts.length === 1) return parts[0]!.pixels;
  const all = parts.map(({ pixels }) => pixels);
  return all.every((pixels) => pixels !== undefined) ? new Uint8Array(Buffer.concat(all)) : undefined;
}

interface Seen extends Pick<Fetched, 'paths' | 'size' | 'pixels'> {
  readonly label: FieldOf<'category'> | undefined;
}

async function infer({ paths, size, pixels, label }: Seen, settings: Settings): Promise<Schema> {
  const first = Int32Array.from({ length: Math.min(64, paths.length) }, (_, i) => i);
  const sample = pixels ?? (await decodePictures(paths, size, first));
  const field = imageField(size, sample, settings.image.binarize);
  const fields = label ? [field, label] : [field];
  return applyEdits(parseSchema({ version: 1, missing: settings.missing, fields }), settings.edits);
}

async function decodePictures(
  paths: readonly string[],
  size: PictureSize,
  ids: Int32Array,
): Promise<Uint8Array> {
  const pixels = new Uint8Array(ids.length * size[0] * size[1] * size[2]);
  const wanted = Array.from(ids, (i) => paths[i]!);
  const [bad] = await decodeAll(wanted, size, pixels);
  if (bad)
    throw new UserError(
      `${wanted[bad[0]]}: cannot be read: ${bad[1]}. Remove it, ` +
        'or give more memory, so that bad pictures are found at the start',
    );
  return pixels;
}

/** The first sub-folder on the way to each picture, where there are any. */
function subFolders(folders: readonly string[], parts: readonly Pictures[]): Labels | undefined {
  const texts = parts.flatMap(({ paths }, p) =>
    paths.map((path) => {
      const steps = relative(folders[p]!, path).split(sep);
      return steps.length > 1 ? steps[0]! : '';
    }),
  );
  return labelsOf('folder', texts, texts.length);
}
