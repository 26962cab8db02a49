/** Opens CSV, TSV, Parquet and JSON tables: infers the schema, then loads typed columns or streams them. */
import { UserError } from '../errors.ts';
import { type Database, literal, openDatabase } from './duckdb.ts';
import { applyEdits } from './edits.ts';
import { fitNumeric, knotsFor, lawOptions } from './fit-number.ts';
import { givenIds, inMemory, randomAccessDataset, sharesFor } from './memory-dataset.ts';
import { checkColumn } from './number-codec.ts';
import type { GivenPaths, Settings } from './options.ts';
import { concatRows, type Dataset, type Labels, type Rows, rowBytes } from './rows.ts';
import {
  type Field,
  isGiven,
  isNumeric,
  MAX_CATEGORIES,
  modelFields,
  parseSchema,
  type Schema,
} from './schema.ts';
import { createSplitter } from './split.ts';
import { streamDataset } from './stream-dataset.ts';
import { type Draft, inferDrafts } from './table-infer.ts';
import { declareCategories, misread, type Readable, readable, readRows, sampleRows } from './table-read.ts';
import { openRelation, type Relation, type TableFormat, textExpression } from './table-source.ts';

/** One file of the table, open. */
export interface TableFile {
  readonly db: Database;
  readonly relation: Relation;
}

const SAMPLE = 200_000; // rows that quantiles are read from when the table is streamed

export async function openTable(
  format: TableFormat,
  given: GivenPaths,
  settings: Settings,
): Promise<Dataset> {
  const opened: TableFile[] = [];
  const open = async (path: string | undefined) => {
    if (path === undefined) return undefined;
    const db = await openDatabase();
    const file = { db, relation: await openRelation(db, path, format, settings) };
    opened.push(file);
    return file;
  };
  const close = () => {
    for (const { db } of opened) db.close();
  };
  try {
    const train = (await open(given.train))!;
    const files = { train, validation: await open(given.validation), test: await open(given.test) };
    return await openFiles(files, given, settings, close);
  } catch (error) {
    close();
    throw error;
  }
}

interface Files {
  readonly train: TableFile;
  readonly validation: TableFile | undefined;
  readonly test: TableFile | undefined;
}

async function openFiles(
  files: Files,
  given: GivenPaths,
  settings: Settings,
  close: () => void,
): Promise<Dataset> {
  const all = [files.train, files.validation, files.test].filter((file) => file !== undefined);
  const rows = {
    train: files.train.relation.rows,
    validation: files.validation?.relation.rows,
    test: files.test?.relation.rows,
  };
  createSplitter(rows.train, sharesFor(rows, settings)); // too few rows is the first thing to say
  const { schema, loaded } = settings.schema
    ? { schema: settings.schema, loaded: undefined }
    : await inferSchema(files.train, settings);
  const fields = modelFields(schema);
  const { notes, unread } = await prepare(all, schema, settings.schema === undefined);
  const labels = settings.label === undefined ? undefined : await readLabels(all, settings.label);
  const about = { name: given.train, schema, notes, unread, labels };
  const total = all.reduce((sum, { relation }) => sum + relation.rows, 0);
  if (total * rowBytes(fields) > settings.memory) return streamDataset({ ...about, files, settings, close });
  const wanted = fields.map(readable);
  const parts: Rows[] = [];
  for (const file of all)
    parts.push(file === files.train && loaded ? loaded : await readRows(file.db, file.relation, wanted));
  for (const [k, { relation }] of all.entries())
    for (const [j, field] of fields.entries())
      if (isNumeric(field)) checkColumn(field, parts[k]!.columns[j] as Float64Array, relation.path);
  close();
  return randomAccessDataset({
    ...about,
    ids: givenIds(rows, settings),
    ...inMemory(schema, concatRows(fields, parts)),
  });
}

/** Checks each file against the schema; says what was found. */
async function prepare(files: readonly TableFile[], schema: Schema, isInferred: boolean) {
  const all = modelFields(schema);
  const fields = all.map(readable);
  const notes: string[] = [];
  const unread = { lines: 0, values: 0 };
  for (const { db, relation } of files) {
    for (const { name } of fields) columnNumber(relation, name);
    await declareCategories(db, fields);
    const values = await misread(db, relation, fields, isInferred);
    notes.push(...relation.rejected.notes, ...values.notes);
    unread.lines += relation.rejected.count;
    for (const [j, count] of values.counts.entries()) if (!isGiven(all[j]!)) unread.values += count;
  }
  return { notes, unread };
}

/** Position of a column by its name. */
export function columnNumber({ path, columns }: Relation, name: string): number {
  const found = columns.findIndex((column) => column.name === name);
  if (found >= 0) return found;
  const names = columns.slice(0, 12).map((column) => `"${column.name}"`);
  throw new UserError(
    `${path}: there is no column "${name}"; it has ${names.join(', ')}${columns.length > 12 ? ' …' : ''}`,
  );
}

interface Inferred {
  readonly schema: Schema;
  /** The rows of the file, where they were read to fit the transforms. */
  readonly loaded: Rows | undefined;
}

async function inferSchema({ db, relation }: TableFile, settings: Settings): Promise<Inferred> {
  const edits = new Map(settings.edits.fields.map((edit) => [edit.name, edit]));
  for (const name of edits.keys()) columnNumber(relation, name);
  const drafts = await inferDrafts(db, relation, edits);
  const modelled = drafts.filter(({ field }) => !('role' in field && field.role === 'ignored'));
  if (modelled.length === 0) throw new UserError(nothingLeft(relation, drafts));
  const wanted = modelled.map(({ field }) => field as Readable);
  await declareCategories(db, wanted);
  const fits = relation.rows * 8 * wanted.length <= settings.memory;
  const rows = fits ? await readRows(db, relation, wanted) : await sampleRows(db, relation, wanted, SAMPLE);
  const knots = knotsFor(modelled.length);
  const fields = drafts.map((draft): Field => {
    if (draft.kind === 'whole') return draft.field;
    return fitNumeric(draft.field, rows.columns[modelled.indexOf(draft)] as Float64Array, {
      ...lawOptions(edits.get(draft.field.name), settings),
      knots,
      ...(!fits && { range: draft.range, distinct: draft.distinct }),
    });
  });
  const schema = applyEdits(parseSchema({ version: 1, missing: settings.missing, fields }), settings.edits);
  return { schema, loaded: fits && sameColumns(schema, wanted) ? rows : undefined };
}

const sameColumns = (schema: Schema, read: readonly Readable[]): boolean =>
  modelFields(schema).every((field, j) => {
    const was = read[j]!;
    const bare = (one: object) => JSON.stringify({ ...one, role: 0, missing: 0 }); // how it is used, not how it is read
    return isNumeric(field) || bare(field) === bare(was);
  });

function nothingLeft({ path }: Relation, drafts: readonly Draft[]): string {
  const why = drafts
    .slice(0, 6)
    .map(({ field }) => `"${field.name}": ${'reason' in field ? field.reason : ''}`);
  return `${path}: no column is left to model (${why.join('; ')}${drafts.length > 6 ? '; …' : ''})`;
}

/** Codes of a column by row id, over all files; its values must be few. */
async function readLabels(files: readonly TableFile[], label: string): Promise<Labels> {
  const values = new Set<string>();
  for (const { db, relation } of files) {
    const c = textExpression(relation, columnNumber(relation, label));
    const found = await db.query(
      `SELECT DISTINCT ${c} AS v FROM ${relation.from} WHERE ${c} IS NOT NULL LIMIT ${MAX_CATEGORIES + 1}`,
    );
    for (const { v } of found) values.add(String(v));
  }
  if (values.size > MAX_CATEGORIES || values.size === 0)
    throw new UserError(
      `label "${label}": has ${values.size ? `${values.size} different values or more` : 'no values'}, ` +
        `expected 1 to ${MAX_CATEGORIES}`,
    );
  const names = [...values].sort(new Intl.Collator('en', { numeric: true }).compare);
  const parts: Int32Array[] = [];
  for (const file of files) parts.push(await labelCodes(file, label, names));
  const codes = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    codes.set(part, at);
    at += part.length;
  }
  return { name: label, names, codes };
}

async function labelCodes(
  { db, relation }: TableFile,
  label: string,
  names: readonly string[],
): Promise<Int32Array> {
  await db.query('DROP TYPE IF EXISTS label');
  await db.query(`CREATE TYPE label AS ENUM (${names.map(literal).join(', ')})`);
  const text = textExpression(relation, columnNumber(relation, label));
  const code = `enum_code(TRY_CAST(${text} AS label))::INTEGER`;
  const codes = new Int32Array(relation.rows);
  let at = 0;
  for await (const [items] of db.chunks(`SELECT coalesce(${code}, -1)::INTEGER FROM ${relation.from}`)) {
    codes.set(items!, at);
    at += items!.length;
  }
  return codes;
}
