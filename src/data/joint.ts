/** The joint distribution of what is given, as the training rows have it: what conditions are drawn from. */
import * as z from 'zod';
import { UserError } from '../errors.ts';
import type { Stream } from '../random/index.ts';
import { type Given, givenValues } from './given.ts';
import { wordsOf } from './one-hot-codec.ts';
import { type Batch, type Column, newColumn, type Rows, takeRows } from './rows.ts';
import {
  conditionFields,
  isGiven,
  isNumeric,
  isPredicted,
  type ModelField,
  modelFields,
  type Schema,
} from './schema.ts';

export interface Joint {
  /** Columns run parallel to `conditionFields(schema)`. */
  readonly rows: Rows;
  /** How often each of the rows occurs. */
  readonly counts: Float64Array;
}

/** Rows that are kept at most: all combinations while they are fewer, else training rows picked at random. */
const MOST = 4096;

/** The columns of given fields, of some rows. */
export function conditionsOf(schema: Schema, rows: Rows, index: ArrayLike<number>): Rows {
  const fields = modelFields(schema);
  const columns = rows.columns.filter((_, j) => isGiven(fields[j]!));
  return takeRows(conditionFields(schema), { count: rows.count, columns }, index);
}

/** Which of the given fields is predicted; −1 where none is. */
export const labelIndex = (schema: Schema): number => conditionFields(schema).findIndex(isPredicted);

/** Of rows whose label is known, where one is predicted. */
export async function jointOf(schema: Schema, batches: AsyncIterable<Batch>, random: Stream): Promise<Joint> {
  const label = labelIndex(schema);
  const combinations = new Map<string, { readonly row: readonly number[]; count: number }>();
  const picked: (readonly number[])[] = [];
  let seen = 0;
  for await (const { rows, index } of batches) {
    const { columns } = conditionsOf(schema, rows, index);
    for (let i = 0; i < index.length; i++) {
      const row = columns.map((column) => column[i]!);
      if (label >= 0 && row[label]! < 0) continue;
      if (combinations.size <= MOST) count(combinations, row);
      // each row so far is among the picked with the same probability (Vitter 1985, algorithm R)
      const place = seen++ < MOST ? picked.length : random.integer(seen);
      if (place < MOST) picked[place] = row;
    }
  }
  const all = [...combinations.values()];
  const kept = all.length <= MOST ? all : picked.map((row) => ({ row, count: 1 }));
  return {
    rows: rowsFrom(
      conditionFields(schema),
      kept.map(({ row }) => row),
    ),
    counts: Float64Array.from(kept, (each) => each.count),
  };
}

function count(combinations: Map<string, { row: readonly number[]; count: number }>, row: number[]): void {
  const key = row.join();
  const known = combinations.get(key);
  if (known) known.count++;
  else combinations.set(key, { row, count: 1 });
}

function rowsFrom(fields: readonly ModelField[], rows: readonly (readonly number[])[]): Rows {
  const columns = fields.map((field, j): Column => {
    const column = newColumn(field, rows.length);
    rows.forEach((row, i) => {
      column[i] = row[j]!;
    });
    return column;
  });
  return { count: rows.length, columns };
}

/**
 * `count` rows of conditions: as given, the others drawn from the training rows that have the given classes, or
 * from all where none has them.
 */
export function drawConditions(
  schema: Schema,
  { rows, counts }: Joint,
  given: Given,
  count: number,
  random: Stream,
): Rows {
  const fields = conditionFields(schema);
  const values = givenValues(schema, given);
  const fits = (i: number) =>
    fields.every((field, j) => isNumeric(field) || !values.has(j) || rows.columns[j]![i] === values.get(j));
  const all = Array.from(counts.keys());
  if (all.length === 0)
    throw new UserError('no training row had a label, so that none can be drawn: say it with --given');
  const fitting = all.filter(fits);
  const from = fitting.length > 0 ? fitting : all;
  const index = drawIndex(from, counts, count, random);
  const drawn = takeRows(fields, rows, index);
  for (const [j, value] of values) drawn.columns[j]!.fill(value);
  return drawn;
}

/** `count` of `from`, each as often as its count says. */
function drawIndex(from: readonly number[], counts: Float64Array, count: number, random: Stream): Int32Array {
  const ends = new Float64Array(from.length);
  let total = 0;
  from.forEach((i, k) => {
    ends[k] = total += counts[i]!;
  });
  const u = new Float32Array(count);
  random.uniform(u);
  return Int32Array.from(u, (part) => from[firstAbove(ends, part * total)]!);
}

/** Of ascending numbers, the last of which is above `value`. */
function firstAbove(ends: Float64Array, value: number): number {
  let [low, high] = [0, ends.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ends[middle]! > value) high = middle;
    else low = middle + 1;
  }
  return low;
}

const file = z.strictObject({
  fields: z.array(z.string()),
  rows: z.array(z.array(z.union([z.string(), z.number(), z.null()]))),
  counts: z.array(z.number().positive()),
});

/** As JSON, a line each: classes in their words, dates as days or seconds since 1970, null where there is no value. */
export function formatJoint(schema: Schema, { rows, counts }: Joint): string {
  const fields = conditionFields(schema);
  const cell = (field: ModelField, v: number) =>
    isNumeric(field) ? (Number.isNaN(v) ? null : v) : (wordsOf(field as never)[v] ?? null);
  const lines = Array.from({ length: rows.count }, (_, i) =>
    JSON.stringify(fields.map((field, j) => cell(field, rows.columns[j]![i]!))),
  );
  const names = JSON.stringify(fields.map(({ name }) => name));
  return `{"fields": ${names},\n"rows": [\n${lines.join(',\n')}\n],\n"counts": ${JSON.stringify([...counts])}}\n`;
}

function jsonIn(text: string, wrong: (why: string) => UserError): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw wrong('it is not JSON');
  }
}

/** What `formatJoint` wrote; `name` is what errors call it. */
export function parseJoint(schema: Schema, text: string, name: string): Joint {
  const fields = conditionFields(schema);
  const wrong = (why: string) => new UserError(`${name} is damaged: ${why}`);
  const parsed = file.safeParse(jsonIn(text, wrong));
  if (!parsed.success) throw wrong(z.prettifyError(parsed.error));
  const { rows, counts } = parsed.data;
  if (rows.length !== counts.length) throw wrong('its rows and counts differ in number');
  if (parsed.data.fields.join() !== fields.map((field) => field.name).join())
    throw wrong('its fields are not those that the model is given');
  const value = (field: ModelField, v: string | number | null): number => {
    if (isNumeric(field)) return typeof v === 'number' ? v : Number.NaN;
    return v === null ? -1 : wordsOf(field as never).indexOf(String(v));
  };
  const kept = rows.map((row) => fields.map((field, j) => value(field, row[j] ?? null)));
  return { rows: rowsFrom(fields, kept), counts: Float64Array.from(counts) };
}
