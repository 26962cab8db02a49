/** Rows and pictures to where the user wants them: a file, a folder, the terminal, or a pipe. */
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  conditionFields,
  contactSheet,
  type ModelField,
  modelFields,
  type Rows,
  type Schema,
  writeBytes,
  writeImages,
  writeRows,
} from '../data/index.ts';
import { rowTexts } from '../data/texts.ts';
import { isNpy, outputOf } from '../data/write.ts';
import { UserError } from '../errors.ts';
import { integerColumn } from './columns.ts';
import type { Terminal } from './terminal.ts';
import { plural, textTable } from './text.ts';

export interface OutputOptions {
  readonly out?: string | undefined;
  readonly overwrite?: boolean | undefined;
}

type PictureField = Extract<ModelField, { type: 'image' }>;
const pictureField = (schema: Schema): PictureField | undefined =>
  modelFields(schema).find((field): field is PictureField => field.type === 'image');

/** What was made, and originals to show beside it. */
export interface Made {
  readonly rows: Rows;
  readonly schema: Schema;
  readonly originals?: Rows;
  /** What one of them is called. */
  readonly what: string;
}

/** Refuses at once, before any work, what would be refused after it: a file, or a folder with such a sheet. */
export async function checkOut({ out, overwrite }: OutputOptions, sheet = SHEET): Promise<void> {
  if (out === undefined || overwrite) return;
  const found = await stat(out).catch(() => undefined);
  if (found?.isFile() || (found?.isDirectory() && (await readdir(out)).includes(sheet)))
    throw new UserError(`${out} exists already: --overwrite replaces it, --out names another place`);
}

/** Refuses at once a file whose ending no writer knows, where it is not pictures that go there. */
export function checkEnding(out: string | undefined, schema?: Schema): void {
  if (out !== undefined && !(schema && pictureField(schema)) && !isNpy(out)) outputOf(out);
}

/** A file or folder if `out` is given; else the first rows for a person, all of them for a program. */
export async function deliver(
  made: Made,
  { out, overwrite }: OutputOptions,
  terminal: Terminal,
): Promise<void> {
  if (out !== undefined) {
    const paths = await save(made, out, { overwrite: overwrite ?? false });
    if (terminal.wantsJson) terminal.json({ type: 'saved', count: made.rows.count, paths });
    else for (const path of paths) terminal.print(`${plural(made.rows.count, made.what)}: ${path}`);
    return;
  }
  if (pictureField(made.schema))
    throw new UserError('the results are pictures: say where they go with --out, as in --out pictures/');
  const write = (path: string) => writeRows(made.rows, made.schema, path);
  if (terminal.wantsJson) terminal.write(await asFile('jsonl', write));
  else if (terminal.isLive.out) show(made, terminal);
  else terminal.write(await asFile('csv', write));
}

async function save(made: Made, out: string, options: { overwrite: boolean }): Promise<string[]> {
  const field = pictureField(made.schema);
  if (!field || isNpy(out)) {
    await writeRows(made.rows, made.schema, out, options);
    return [out];
  }
  const sheet = join(out, SHEET);
  await writeImages(made.rows, made.schema, out, options);
  await writeBytes(sheet, await sheetOf(made, field), options);
  if (conditionFields(made.schema).length === 0) return [out, sheet];
  const given = join(out, GIVEN);
  await writeRows(...givenTable(made), given, options);
  return [out, sheet, given];
}

const GIVEN = 'conditions.csv';

/** What each picture was given, by its number. */
function givenTable({ rows, schema }: Made): [Rows, Schema] {
  const fields = modelFields(schema);
  const kept = fields.flatMap((field, j) =>
    field.role !== 'model' ? [{ field, column: rows.columns[j]! }] : [],
  );
  const numbers = Float64Array.from({ length: rows.count }, (_, i) => i + 1);
  return [
    { count: rows.count, columns: [numbers, ...kept.map(({ column }) => column)] },
    { ...schema, fields: [integerColumn('picture'), ...kept.map(({ field }) => field)] },
  ];
}

const SHEET = 'contact.png';
const ON_SHEET = 100; // pictures

function sheetOf({ rows, originals }: Made, { height, width, channels }: PictureField): Promise<Uint8Array> {
  const size = height * width * channels;
  const pixels = (of: Rows) => (of.columns[0] as Uint8Array).subarray(0, ON_SHEET * size);
  if (!originals) return contactSheet({ data: pixels(rows), height, width, channels });
  const pairs = interleave(pixels(originals), pixels(rows), size);
  return contactSheet({ data: pairs, height, width, channels }, { columns: 10 });
}

/** Original, reconstruction, original, reconstruction … */
function interleave(a: Uint8Array, b: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(2 * a.length);
  for (let at = 0; at < a.length; at += size) {
    out.set(a.subarray(at, at + size), 2 * at);
    out.set(b.subarray(at, at + size), 2 * at + size);
  }
  return out;
}

/** The writers know files only. */
export async function asFile(ending: string, write: (path: string) => Promise<void>): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), 'elbo-'));
  try {
    const path = join(folder, `rows.${ending}`);
    await write(path);
    return await readFile(path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const SHOWN = 10;

function show({ rows, schema, originals, what }: Made, terminal: Terminal): void {
  const fields = modelFields(schema);
  const columns = fields.map(({ name, type }) => ({
    name,
    numeric: type === 'number' || type === 'integer',
  }));
  const made = rowTexts(rows, schema, SHOWN);
  const before = originals && rowTexts(originals, schema, SHOWN);
  const lines = before
    ? before.flatMap((row, i) => [
        ['original', ...row],
        ['again', ...made[i]!],
      ])
    : made;
  const headed = before ? [{ name: '' }, ...columns] : columns;
  for (const line of textTable(headed, lines, terminal.columns())) terminal.print(line);
  const shown = Math.min(SHOWN, rows.count);
  terminal.remark();
  terminal.remark(
    `${shown} of ${plural(rows.count, what)}. --out rows.csv (or .parquet, .jsonl, .tsv) writes ${rows.count > shown ? 'all of them' : 'a file'}.`,
  );
}
