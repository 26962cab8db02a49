/** Arrays of numbers as data: [n, d] is a table of d columns, [n, h, w] and [n, h, w, c] are pictures. */
import { UserError } from '../errors.ts';
import { applyEdits } from './edits.ts';
import { fitNumeric, knotsFor, lawOptions } from './fit-number.ts';
import { imageField, type PictureSize } from './image-field.ts';
import { cleanLabels, labelColumn, labelField, labelFieldOf, labelsOf, withoutMinusOne } from './labels.ts';
import { givenIds, inMemory, randomAccessDataset } from './memory-dataset.ts';
import type { NdArray } from './npy.ts';
import type { GivenPaths, ImageOptions, Settings } from './options.ts';
import { isPixels, isZeroOne, pixelNotes, pixelsOf } from './pixels.ts';
import { type Column, concatRows, type Dataset, type Labels, newColumn, type Rows } from './rows.ts';
import {
  type Field,
  type FieldOf,
  type ModelField,
  modelFields,
  parseSchema,
  type Schema,
} from './schema.ts';
import { createSplitter } from './split.ts';

/** What one file gives. */
export interface ArrayFile {
  readonly path: string;
  readonly array: NdArray;
  readonly labels?: { readonly name: string; readonly array: NdArray } | undefined;
  readonly notes: readonly string[];
}

export type ReadArray = (path: string, settings: Settings) => Promise<ArrayFile>;

/** Opens the arrays of each given file as one dataset. */
export async function openArrays(given: GivenPaths, settings: Settings, read: ReadArray): Promise<Dataset> {
  const train = await load(given.train, settings, read);
  const validation =
    given.validation === undefined ? undefined : await load(given.validation, settings, read);
  const test = given.test === undefined ? undefined : await load(given.test, settings, read);
  const files = [train, validation, test].filter((file) => file !== undefined);
  const rows = { train: train.count, validation: validation?.count, test: test?.count };
  const ids = givenIds(rows, settings);
  const labels = labelsIn(files, settings);
  const schema = settings.schema ?? inferArray(train, settings, labels);
  const all = rowsOf(files, schema, labels);
  const notes = [...new Set(files.flatMap((file) => file.notes)), ...remarks(train, schema)];
  return randomAccessDataset({
    name: given.train,
    schema,
    notes,
    labels,
    ids,
    ...inMemory(schema, all),
  });
}

/** A file that has examples. */
interface Loaded extends ArrayFile {
  readonly count: number;
  /** Numbers of an example. */
  readonly width: number;
}

async function load(path: string, settings: Settings, read: ReadArray): Promise<Loaded> {
  const file = await read(path, settings);
  const { shape, data } = file.array;
  if (shape.length === 0 || typeof data[0] === 'string')
    throw new UserError(`${path}: expected an array of numbers with a row for each example`);
  if (data.length === 0) throw new UserError(`${path}: the array has no values (${shape.join(' × ')})`);
  const count = Math.min(shape[0]!, settings.limit ?? shape[0]!);
  return { ...file, count, width: data.length / shape[0]! };
}

const MAX_WIDTH = 20_000;

function imageSize(shape: readonly number[]): PictureSize | undefined {
  const [, h, w, c = 1] = shape;
  const fits = shape.length === 3 || (shape.length === 4 && [1, 3, 4].includes(c));
  return fits && h && w ? [h, w, c as PictureSize[2]] : undefined;
}

function remarks({ path, array }: Loaded, schema: Schema): string[] {
  const picture = modelFields(schema).find((field) => field.type === 'image');
  if (picture) return pixelNotes(path, array, picture);
  const own = array.shape.slice(1);
  return own.length > 1
    ? [`${path}: each ${own.join(' × ')} example is read as ${product(own)} columns.`]
    : [];
}

/** Only here the values say whether they are pictures: where there is a schema, it says so. */
function inferArray(file: Loaded, settings: Settings, labels: Labels | undefined): Schema {
  createSplitter(file.count, { seed: settings.seed, validation: 0, test: 0 });
  const size = imageSize(file.array.shape);
  const fields: Field[] =
    size && isPixels(file.array)
      ? [inferPicture(file, size, settings.image.binarize)]
      : inferColumns(file, settings);
  if (fields.every((field) => field.role === 'ignored'))
    throw new UserError(`${file.path}: every column is constant or empty`);
  const label = labelField(settings, labels, file.count, `${file.path} ${NO_LABELS}`);
  const all = label ? [...fields, label] : fields;
  return applyEdits(parseSchema({ version: 1, missing: settings.missing, fields: all }), settings.edits);
}

/** Of black and white alone nothing is to be drawn afresh. */
function inferPicture(
  { path, array, count }: Loaded,
  size: PictureSize,
  binarize: ImageOptions['binarize'],
): FieldOf<'image'> {
  if (isZeroOne(array)) return { ...imageField(size, new Uint8Array(), binarize ?? 'static'), full: 1 };
  const [height, width, channels] = size;
  const form = { type: 'image', height, width, channels, binarize: 'none' } as const;
  return imageField(size, pixelsOf(path, array, count, form), binarize);
}

const NO_LABELS =
  'has no labels beside it (a file named as MNIST names them, or an array "y"), or more than 256 different ones';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function inferColumns(file: Loaded, settings: Settings): Field[] {
  const { path, width } = file;
  if (settings.image.binarize !== undefined)
    throw new UserError(
      `${path}: binarize is for pictures, and these are rows of ${width} numbers: pictures are [n, height, width] ` +
        'or [n, height, width, channels], of bytes or of numbers from 0 to 1',
    );
  if (width > MAX_WIDTH)
    throw new UserError(`${path}: rows of ${width} numbers are too wide, at most ${MAX_WIDTH}`);
  const edits = new Map(settings.edits.fields.map((edit) => [edit.name, edit]));
  return Array.from({ length: width }, (_, j) => {
    const name = `x${j}`;
    const values = columnOf(file, j);
    const present = values.filter((v) => !Number.isNaN(v));
    const ignored = (reason: string): Field => ({ name, role: 'ignored', type: 'number', reason });
    if (present.length === 0) return ignored('no value at all');
    if (present.every((v) => v === present[0])) return ignored(`constant: every value is ${present[0]}`);
    const type = present.every((v) => Number.isSafeInteger(v)) ? 'integer' : 'number';
    const missing = {
      missing: present.length < values.length,
      missingShare: 1 - present.length / values.length,
    };
    return fitNumeric({ name, type, ...missing }, values, {
      knots: knotsFor(width),
      ...lawOptions(edits.get(name), settings),
    });
  });
}

/** Column j of a table; what is not a finite number is missing. */
function columnOf({ array, count, width }: Loaded, j: number): Float64Array {
  const data = array.data as Float64Array;
  return Float64Array.from({ length: count }, (_, i) => {
    const v = data[i * width + j]!;
    return Number.isFinite(v) ? v : Number.NaN;
  });
}

/** The rows of all files; labels fill the field that is not a column. */
function rowsOf(files: readonly Loaded[], schema: Schema, labels: Labels | undefined): Rows {
  const label = labelFieldOf(schema, COLUMN);
  const fields = modelFields(schema);
  const own = fields.filter((field) => field !== label);
  const parts = files.map((file) => ({
    count: file.count,
    columns: own.map((field) => column(file, field)),
  }));
  const { count, columns } = concatRows(own, parts);
  const next = columns.values();
  return {
    count,
    columns: fields.map((field) => (field === label ? labelColumn(label, labels) : next.next().value!)),
  };
}

/** Names of the columns of an array. */
const COLUMN = /^x(\d+)$/;

function column(file: Loaded, field: ModelField): Column {
  const { array, count, path, width } = file;
  if (field.type === 'image') {
    const size = [field.height, field.width, field.channels];
    if (imageSize(array.shape)?.join() !== size.join())
      throw new UserError(
        `${path}: examples are ${array.shape.slice(1).join(' × ')}, expected ${size.join(' × ')} pictures`,
      );
    return pixelsOf(path, array, count, field);
  }
  const j = Number(COLUMN.exec(field.name)?.[1] ?? Number.NaN);
  if (!(j < width))
    throw new UserError(`${path}: has no column "${field.name}"; an array's columns are called x0, x1 …`);
  const out = newColumn(field, count);
  out.set(columnOf(file, j));
  return out;
}

/** One list of names over all files. */
function labelsIn(files: readonly Loaded[], { missing, predict }: Settings): Labels | undefined {
  if (!files.every((file) => file.labels)) return undefined;
  const texts = files.flatMap(labelTexts);
  const known = predict === undefined ? texts : withoutMinusOne(texts);
  return labelsOf(files[0]!.labels!.name, cleanLabels(known, missing));
}

function labelTexts({ path, labels, count, array: main }: Loaded): string[] {
  const { name, array } = labels!;
  if (array.data.length !== main.shape[0])
    throw new UserError(`${path}: ${array.data.length} labels "${name}" for ${main.shape[0]} examples`);
  return Array.from({ length: count }, (_, i) => String(array.data[i]));
}
