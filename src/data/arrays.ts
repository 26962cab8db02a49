/** Arrays of numbers as data: [n, d] is a table of d columns, [n, h, w] and [n, h, w, c] are pictures. */
import { UserError } from '../errors.ts';
import { applyEdits } from './edits.ts';
import { fitNumeric, knotsFor, lawOptions } from './fit-number.ts';
import { imageField } from './image-field.ts';
import { cleanLabels, labelColumn, labelField, labelFieldOf, labelsOf, withoutMinusOne } from './labels.ts';
import { givenIds, inMemory, randomAccessDataset } from './memory-dataset.ts';
import type { NdArray } from './npy.ts';
import type { GivenPaths, Settings } from './options.ts';
import { type Column, concatRows, type Dataset, type Labels, newColumn, type Rows } from './rows.ts';
import { type Field, type ModelField, modelFields, parseSchema, type Schema } from './schema.ts';
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
  const notes = [...new Set(files.flatMap((file) => file.notes)), ...train.remarks];
  return randomAccessDataset({
    name: given.train,
    schema,
    notes,
    labels,
    ids,
    fetch: inMemory(all),
  });
}

/** A file brought into one of the two forms. */
interface Loaded extends ArrayFile {
  readonly count: number;
  readonly form:
    | { kind: 'images'; size: readonly [number, number, number] }
    | { kind: 'table'; width: number };
  readonly remarks: readonly string[];
}

async function load(path: string, settings: Settings, read: ReadArray): Promise<Loaded> {
  const file = await read(path, settings);
  const { shape, data } = file.array;
  if (shape.length === 0 || typeof data[0] === 'string')
    throw new UserError(`${path}: expected an array of numbers with a row for each example`);
  if (data.length === 0) throw new UserError(`${path}: the array has no values (${shape.join(' × ')})`);
  const count = Math.min(shape[0]!, settings.limit ?? shape[0]!);
  const size = imageSize(shape);
  const width = data.length / shape[0]!;
  if (size && isPixels(data as Float64Array))
    return { ...file, count, form: { kind: 'images', size }, remarks: scaled(data as Float64Array) };
  if (width > MAX_WIDTH)
    throw new UserError(`${path}: rows of ${width} numbers are too wide, at most ${MAX_WIDTH}`);
  const flat =
    shape.length > 2
      ? [`${path}: each ${shape.slice(1).join(' × ')} example is read as ${width} columns.`]
      : [];
  return { ...file, count, form: { kind: 'table', width }, remarks: flat };
}

const MAX_WIDTH = 20_000;

function imageSize(shape: readonly number[]): [number, number, number] | undefined {
  const [, h, w, c = 1] = shape;
  const fits = shape.length === 3 || (shape.length === 4 && [1, 3, 4].includes(c));
  return fits && h && w ? [h, w, c] : undefined;
}

const isBytes = (data: ArrayLike<number>): boolean => data instanceof Uint8Array;

/** Bytes, or numbers that all lie in [0, 1]. */
function isPixels(data: ArrayLike<number>): boolean {
  if (isBytes(data)) return true;
  for (let i = 0; i < data.length; i++) if (!(data[i]! >= 0 && data[i]! <= 1)) return false;
  return true;
}

const scaled = (data: ArrayLike<number>): string[] =>
  isBytes(data) ? [] : ['Pixels in [0, 1] are kept in steps of 1/255.'];

const pixelsOf = (data: ArrayLike<number>, length: number): Uint8Array =>
  isBytes(data)
    ? (data as Uint8Array).subarray(0, length)
    : Uint8Array.from({ length }, (_, i) => Math.round(data[i]! * 255));

function inferArray(file: Loaded, settings: Settings, labels: Labels | undefined): Schema {
  createSplitter(file.count, { seed: settings.seed, validation: 0, test: 0 });
  const fields: Field[] =
    file.form.kind === 'images'
      ? [
          imageField(
            file.form.size,
            pixelsOf(file.array.data as Float64Array, file.count * product(file.form.size)),
            settings.image.binarize,
          ),
        ]
      : inferColumns(file, file.form.width, settings);
  if (fields.every((field) => field.role === 'ignored'))
    throw new UserError(`${file.path}: every column is constant or empty`);
  const label = labelField(settings, labels, file.count, `${file.path} ${NO_LABELS}`);
  const all = label ? [...fields, label] : fields;
  return applyEdits(parseSchema({ version: 1, missing: settings.missing, fields: all }), settings.edits);
}

const NO_LABELS =
  'has no labels beside it (a file named as MNIST names them, or an array "y"), or more than 256 different ones';

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function inferColumns(file: Loaded, width: number, settings: Settings): Field[] {
  const edits = new Map(settings.edits.fields.map((edit) => [edit.name, edit]));
  return Array.from({ length: width }, (_, j) => {
    const name = `x${j}`;
    const values = columnOf(file, j, width);
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
function columnOf({ array, count }: Loaded, j: number, width: number): Float64Array {
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
  const { form, count, path } = file;
  if (field.type === 'image') {
    const size = [field.height, field.width, field.channels];
    const given = file.array.shape.slice(1);
    if (form.kind !== 'images' || form.size.join() !== size.join())
      throw new UserError(
        `${path}: examples are ${given.join(' × ')}, expected ${size.join(' × ')} pictures`,
      );
    return pixelsOf(file.array.data as Float64Array, count * product(size));
  }
  const j = Number(COLUMN.exec(field.name)?.[1] ?? Number.NaN);
  if (form.kind !== 'table' || !(j < form.width))
    throw new UserError(`${path}: has no column "${field.name}"; an array's columns are called x0, x1 …`);
  const out = newColumn(field, count);
  out.set(columnOf(file, j, form.width));
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
