/** Pictures to PNG: one file each, or many on one sheet for people to look at. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { UserError } from '../errors.ts';
import type { Rows } from './rows.ts';
import { type FieldOf, modelFields, type Schema } from './schema.ts';
import { type WriteOptions, writeBytes } from './write.ts';

/** Pictures of one size, [n, H, W, C] bytes; channels: 1 grey, 3 RGB, 4 RGBA. */
export interface Pictures {
  readonly data: Uint8Array;
  readonly height: number;
  readonly width: number;
  readonly channels: 1 | 3 | 4;
}

/** One picture as a PNG. */
export function pngOf({ data, height, width, channels }: Pictures): Promise<Buffer> {
  const picture = sharp(data, { raw: { width, height, channels } });
  return (channels === 1 ? picture.toColourspace('b-w') : picture).png().toBuffer();
}

const sizeOf = ({ height, width, channels }: Omit<Pictures, 'data'>): number => height * width * channels;
/** Picture `i` of many. */
const pictureAt = (all: Pictures, i: number): Pictures => ({
  ...all,
  data: all.data.subarray(i * sizeOf(all), (i + 1) * sizeOf(all)),
});

const pictureField = (schema: Schema): FieldOf<'image'> => {
  const [field] = modelFields(schema);
  if (field?.type === 'image') return field;
  throw new UserError(
    'the rows are not pictures: write them as a table, for instance to a file ending in .csv',
  );
};

/**
 * Writes each row of a picture schema to folder/0001.png …; the folder is made if need be. Returns the
 * paths.
 */
export async function writeImages(
  rows: Rows,
  schema: Schema,
  folder: string,
  options: WriteOptions = {},
): Promise<string[]> {
  const { height, width, channels } = pictureField(schema);
  const all = { data: rows.columns[0] as Uint8Array, height, width, channels };
  const digits = Math.max(4, String(rows.count).length);
  const names = Array.from({ length: rows.count }, (_, i) => `${String(i + 1).padStart(digits, '0')}.png`);
  const there = new Set(await readdir(folder).catch(() => []));
  const taken = names.find((name) => there.has(name));
  if (taken && !options.overwrite)
    throw new UserError(`${join(folder, taken)}: exists already. Give another folder, or ask to overwrite`);
  const paths = names.map((name) => join(folder, name));
  for (const [i, path] of paths.entries())
    await writeBytes(path, await pngOf(pictureAt(all, i)), { overwrite: true });
  return paths;
}

export interface SheetOptions {
  /** Pictures in a row; left out: about as many as rows. */
  readonly columns?: number;
  /** Pixels of the sheet for each pixel of a picture; left out: enough that a picture is 56 pixels high. */
  readonly scale?: number;
}

const GAP = 2; // pixels between pictures
const EASY_TO_SEE = 56;

/** Pictures in reading order on one PNG, small ones enlarged without smoothing. */
export async function contactSheet(
  pictures: Pictures,
  { columns, scale }: SheetOptions = {},
): Promise<Buffer> {
  const { data, height, width, channels } = pictures;
  const count = Math.floor(data.length / sizeOf(pictures));
  if (count === 0) throw new UserError('contact sheet: there are no pictures to show');
  const across = columns ?? Math.ceil(Math.sqrt(count));
  const times = scale ?? Math.max(1, Math.ceil(EASY_TO_SEE / height));
  const [cellHeight, cellWidth] = [height * times + GAP, width * times + GAP];
  const size = {
    height: Math.ceil(count / across) * cellHeight + GAP,
    width: across * cellWidth + GAP,
    channels,
  };
  const sheet = { ...size, data: new Uint8Array(sizeOf(size)).fill(channels === 4 ? 0 : 255) };
  for (let i = 0; i < count; i++) {
    const top = GAP + Math.floor(i / across) * cellHeight;
    enlarge(pictureAt(pictures, i), sheet, { top, left: GAP + (i % across) * cellWidth, times });
  }
  return pngOf(sheet);
}

function enlarge(
  from: Pictures,
  to: Pictures,
  { top, left, times }: { top: number; left: number; times: number },
): void {
  const { height, width, channels } = from;
  for (let y = 0; y < height * times; y++) {
    for (let x = 0; x < width * times; x++) {
      const source = (Math.floor(y / times) * width + Math.floor(x / times)) * channels;
      const target = ((top + y) * to.width + left + x) * channels;
      for (let c = 0; c < channels; c++) to.data[target + c] = from.data[source + c]!;
    }
  }
}
