/** Rows as a person reads them on a page or a screen, and as a program does; files are written by the writers. */
import { wordsOf } from './one-hot-codec.ts';
import type { Column, Rows } from './rows.ts';
import { decimalsOf, type FieldOf, isNumeric, type ModelField, modelFields, type Schema } from './schema.ts';

/** The first `count` rows, a text a field: '' where missing, dates in ISO form. */
export function rowTexts(rows: Rows, schema: Schema, count = rows.count): string[][] {
  const fields = modelFields(schema);
  return Array.from({ length: Math.min(count, rows.count) }, (_, i) =>
    fields.map((field, j) => cellText(field, rows.columns[j]!, i)),
  );
}

function cellText(field: ModelField, column: Column, i: number): string {
  const value = column[i]!;
  if (field.type === 'image') return '';
  if (!isNumeric(field)) return wordsOf(field)[value] ?? '';
  if (Number.isNaN(value)) return '';
  if (field.type === 'date') return isoDate(value, field.unit);
  const decimals = decimalsOf(field);
  return decimals === null ? String(Number(value.toPrecision(6))) : value.toFixed(decimals);
}

/** A value as a program sees it: numbers, words, dates in ISO form, null where missing. */
export type Cell = string | number | null;

/** Each row as an object of its fields by name; pictures are left out. */
export function rowObjects({ count, columns }: Rows, schema: Schema): Record<string, Cell>[] {
  const fields = modelFields(schema);
  const entries = (i: number) =>
    fields.flatMap((field, j) =>
      field.type === 'image' ? [] : [[field.name, cellOf(field, columns[j]![i]!)] as const],
    );
  return Array.from({ length: count }, (_, i) => Object.fromEntries(entries(i)));
}

function cellOf(field: Exclude<ModelField, FieldOf<'image'>>, value: number): Cell {
  if (field.type === 'category' || field.type === 'boolean') return wordsOf(field)[value] ?? null;
  if (Number.isNaN(value)) return null;
  return field.type === 'date' ? isoDate(value, field.unit) : value;
}

/** `unit`s since 1970 as 2026-11-22 or 2026-11-22 10:00:00. */
export function isoDate(value: number, unit: 'day' | 'second'): string {
  const iso = new Date(value * (unit === 'day' ? 86_400_000 : 1000)).toISOString();
  return unit === 'day' ? iso.slice(0, 10) : iso.slice(0, 19).replace('T', ' ');
}
