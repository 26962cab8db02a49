/** What `explain` found, in files and as JSON. */
import { join } from 'node:path';
import {
  contactSheet,
  type ModelField,
  modelFields,
  type Rows,
  rowObjects,
  writeBytes,
  writeRows,
} from '../data/index.ts';
import { UserError } from '../errors.ts';
import type { Dimension } from '../tasks/explain/dimensions.ts';
import type { RowExplanation } from '../tasks/explain/rows.ts';
import type { Traversal } from '../tasks/explain/traversal.ts';
import type { Explanation } from '../tasks/explain.ts';
import type { Model } from '../tasks/model.ts';
import { nameColumn, numberColumn } from './columns.ts';
import { drawNumber } from './digits.ts';

type PictureField = Extract<ModelField, { type: 'image' }>;

/** Writes traversals as rows of a table, or as a sheet of pictures beside one of each row that is explained. */
export async function writeExplanation(
  { schema }: Model,
  found: Explanation,
  out: string,
  options: { readonly overwrite: boolean },
): Promise<string[]> {
  const field = modelFields(schema).find((f): f is PictureField => f.type === 'image');
  if (field) return writeSheets(field, found, out, options);
  const { traversal, absent } = found;
  if (!traversal) throw new UserError(`${out}: there are no traversals to write (${absent.traversal})`);
  await writeRows(...traversalTable(modelFields(schema), traversal), out, options);
  return [out];
}

/** The rows of a traversal behind the name of the dimension, how far it is moved, and its value. */
function traversalTable(
  fields: readonly ModelField[],
  { dimensions, sigmas, z, rows }: Traversal,
): [Rows, { version: 1; missing: string[]; fields: ModelField[] }] {
  const { count } = rows;
  const own = [nameColumn('latent', dimensions), numberColumn('latent_sigmas'), numberColumn('latent_value')];
  const columns = [
    Int32Array.from({ length: count }, (_, i) => Math.floor(i / sigmas.length)),
    Float64Array.from({ length: count }, (_, i) => sigmas[i % sigmas.length]!),
    z.map((v) => Number(v.toPrecision(9))),
  ];
  return [
    { count, columns: [...columns, ...rows.columns] },
    { version: 1, missing: [''], fields: [...own, ...fields] },
  ];
}

async function writeSheets(
  field: PictureField,
  { traversal, dimensions, explained }: Explanation,
  folder: string,
  options: { readonly overwrite: boolean },
): Promise<string[]> {
  const sheets = [
    ...(traversal ? [[TRAVERSALS, traversalSheet(field, traversal, dimensions)] as const] : []),
    ...explained.map((row) => [`row-${row.row}.png`, rowSheet(field, row)] as const),
  ];
  const paths: string[] = [];
  for (const [name, { pictures, columns }] of sheets) {
    const { height, width, channels } = field;
    const png = await contactSheet({ data: joined(pictures), height, width, channels }, { columns });
    paths.push(join(folder, name));
    await writeBytes(paths.at(-1)!, png, options);
  }
  return paths;
}

export const TRAVERSALS = 'traversals.png';

interface Sheet {
  readonly pictures: readonly Uint8Array[];
  readonly columns: number;
}

/** A line a dimension: its number, its pictures, and apart from them where it acts, all lines on one scale. */
function traversalSheet(field: PictureField, traversal: Traversal, all: readonly Dimension[]): Sheet {
  const steps = traversal.sigmas.length;
  const size = sizeOf(field);
  const shown = traversal.dimensions.map((name) => all.find((d) => d.name === name)!);
  const most = shown.reduce((m, { map }) => map!.reduce((a, b) => Math.max(a, b), m), 0);
  const pictures = shown.flatMap(({ index, map }, d) => [
    labelled(field, index + 1),
    ...Array.from({ length: steps }, (_, s) => pictureAt(traversal.rows, d * steps + s, size)),
    blank(field),
    visible(
      field,
      Uint8Array.from(map!, (v) => (most > 0 ? Math.round((255 * v) / most) : 0)),
    ),
  ]);
  return { pictures, columns: steps + 3 };
}

/** The row, its reconstruction, and apart from them its neighbours. */
function rowSheet(field: PictureField, { original, reconstruction, nearest }: RowExplanation): Sheet {
  const size = sizeOf(field);
  const { count } = nearest.rows;
  const near = Array.from({ length: count }, (_, i) => pictureAt(nearest.rows, i, size));
  const own = [pictureAt(original, 0, size), pictureAt(reconstruction, 0, size)];
  return {
    pictures: [...own, ...(count > 0 ? [blank(field), ...near] : [])],
    columns: count > 0 ? 3 + count : 2,
  };
}

const sizeOf = ({ height, width, channels }: PictureField): number => height * width * channels;
const pictureAt = ({ columns }: Rows, i: number, size: number): Uint8Array =>
  (columns[0] as Uint8Array).subarray(i * size, (i + 1) * size);
/** The background of a sheet. */
const blank = (field: PictureField): Uint8Array =>
  new Uint8Array(sizeOf(field)).fill(field.channels === 4 ? 0 : 255);

/** A number, dark on the background. */
function labelled(field: PictureField, value: number): Uint8Array {
  const { width, channels } = field;
  const picture = blank(field);
  drawNumber(value, field, (y, x) => {
    const at = (y * width + x) * channels;
    picture.fill(96, at, at + channels);
    if (channels === 4) picture[at + 3] = 255;
  });
  return picture;
}

/** Of four channels the last is how opaque a pixel is: a map is opaque. */
const visible = ({ channels }: PictureField, map: Uint8Array): Uint8Array =>
  channels === 4 ? map.map((v, i) => (i % 4 === 3 ? 255 : v)) : map;

function joined(pictures: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pictures.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const picture of pictures) {
    out.set(picture, at);
    at += picture.length;
  }
  return out;
}

/** Without pixels; rows as objects. */
export function jsonOf(
  { schema }: Model,
  { traversal, dimensions, explained, ...rest }: Explanation,
): object {
  return {
    ...rest,
    dimensions: dimensions.map(({ map: _, ...dimension }) => dimension),
    ...(traversal && {
      traversal: { ...traversal, z: [...traversal.z], rows: rowObjects(traversal.rows, schema) },
    }),
    explained: explained.map(({ original, reconstruction, given, nearest, code, ...row }) => ({
      ...row,
      code: [...code],
      original: rowObjects(original, schema)[0],
      reconstruction: rowObjects(reconstruction, schema)[0],
      nearest: nearest.neighbours.map((neighbour, i) => ({
        ...neighbour,
        values: rowObjects(nearest.rows, schema)[i],
      })),
    })),
  };
}
