/** Values that a person gives for conditions, checked against the schema. */
import { UserError } from '../errors.ts';
import { wordsOf } from './one-hot-codec.ts';
import {
  conditionFields,
  type FieldOf,
  isNumeric,
  isPredicted,
  type ModelField,
  type NumericField,
  type Schema,
} from './schema.ts';
import { isoDate } from './texts.ts';

/** By field: a category or yes or no in the words of the data, a number, a date as 2026-11-22; null is "no value". */
export type Given = Readonly<Record<string, string | number | boolean | null>>;

/** What is given, as it is in a column, by the position of its field among those that are given. */
export function givenValues(schema: Schema, given: Given): ReadonlyMap<number, number> {
  const fields = conditionFields(schema);
  return new Map(
    Object.entries(given).map(([name, value]) => {
      const j = fields.findIndex((field) => field.name === name);
      if (j < 0) throw new UserError(`there is no condition "${name}": ${known(fields)}`);
      return [j, columnValue(fields[j]!, value, schema.missing)] as const;
    }),
  );
}

const known = (fields: readonly ModelField[]): string =>
  fields.length > 0
    ? `the model is given ${list(fields.map(({ name }) => name))}`
    : 'the model is given nothing, because it was trained without --condition or --predict';

const MOST = 20;
const list = (names: readonly string[]): string =>
  names
    .slice(0, MOST)
    .map((name) => `"${name}"`)
    .join(', ') + (names.length > MOST ? ` and ${names.length - MOST} more` : '');

function columnValue(field: ModelField, value: Given[string], missing: readonly string[]): number {
  if (value === null || isMarker(value, missing)) return nothing(field);
  return isNumeric(field) ? numberOf(field, value) : codeOf(field as FieldOf<'category' | 'boolean'>, value);
}

const isMarker = (value: string | number | boolean, missing: readonly string[]): boolean =>
  typeof value === 'string' &&
  missing.some((marker) => marker.trim().toLowerCase() === value.trim().toLowerCase());

function nothing(field: ModelField): number {
  if (isPredicted(field))
    throw new UserError(`condition "${field.name}": needs a class, as it is what the model predicts`);
  if (!field.missing)
    throw new UserError(`condition "${field.name}": needs a value, as every training row had one`);
  return isNumeric(field) ? Number.NaN : -1;
}

function codeOf(field: FieldOf<'category' | 'boolean'>, value: string | number | boolean): number {
  const words = wordsOf(field);
  if (typeof value === 'boolean' && field.type === 'boolean') return Number(value);
  const text = String(value).trim();
  const same = (word: string) => field.type === 'boolean' && word.toLowerCase() === text.toLowerCase();
  const found = words.includes(text) ? words.indexOf(text) : words.findIndex(same);
  if (found >= 0) return found;
  throw new UserError(`condition "${field.name}": "${text}" is not known; known are ${list(words)}`);
}

function numberOf(field: NumericField, given: string | number | boolean): number {
  const text = String(given).trim();
  const value = field.type === 'date' ? timeOf(field, text) : Number(text);
  if (!Number.isFinite(value) || text === '' || (field.type === 'integer' && !Number.isInteger(value)))
    throw new UserError(`condition "${field.name}": "${text}" is not ${KINDS[field.type]}`);
  if (value >= field.min && value <= field.max) return value;
  const [low, high] = [field.min, field.max].map((v) => (field.type === 'date' ? isoDate(v, field.unit) : v));
  throw new UserError(
    `condition "${field.name}": ${text} is outside what was seen in training, ${low} to ${high}`,
  );
}

const KINDS = {
  number: 'a number',
  integer: 'a whole number',
  date: 'a date such as 2026-11-22 or 2026-11-22 10:00:00',
};

/** Days or seconds since 1970. */
function timeOf({ unit }: FieldOf<'date'>, text: string): number {
  const written = /^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?$/.test(text);
  const time = written ? Date.parse(`${text.replace(' ', 'T')}${text.length > 10 ? 'Z' : ''}`) : Number.NaN;
  return unit === 'day' ? Math.floor(time / 86_400_000) : time / 1000;
}
