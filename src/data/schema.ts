/**
 * What a row is made of: one entry a field, with every constant needed to go to model space and back. Plain
 * JSON.
 */
import * as z from 'zod';
import { UserError } from '../errors.ts';
import { lawOf, supportAfter } from './laws.ts';

/** Blank-trimmed, case-insensitive texts that mean "no value". */
export const DEFAULT_MISSING: readonly string[] = ['', '?', 'NA', 'N/A', 'null', 'NaN'];
/** A text column with more different values is not modelled unless a schema file asks for it by name. */
export const MAX_CATEGORIES = 256;

const count = z.int().min(0);
const common = {
  name: z.string(),
  /** Given fields are seen by the model and not modelled: p(x|z, c) leaves them out. A predicted one is given where it is known. */
  role: z.enum(['model', 'condition', 'predicted']).default('model'),
  /** A value may be absent: the model then has a mask for it. */
  missing: z.boolean().default(false),
  /** Share of absent values in the data that the schema was read from. */
  missingShare: z.number().min(0).max(1).default(0),
};

/**
 * Empirical distribution function as strictly increasing `values`: `atoms[i]` rows lie exactly on
 * `values[i]`, `between[i]` are spread evenly over the open interval to `values[i + 1]` (all 0 when left
 * out).
 */
const quantileTransform = z.strictObject({
  kind: z.literal('quantile'),
  values: z.array(z.number()).min(1),
  atoms: z.array(z.number().min(0)).min(1),
  between: z.array(z.number().min(0)).optional(),
});
const standardTransform = z.strictObject({
  kind: z.literal('standard'),
  mean: z.number(),
  sd: z.number().positive(),
});
const transform = z.discriminatedUnion('kind', [
  quantileTransform,
  standardTransform,
  /** Above 0, over a typical value. */
  z.strictObject({ kind: z.literal('scale'), scale: z.number().positive() }),
  /** 0, 1, 2, … as they are. */
  z.strictObject({ kind: z.literal('count') }),
  /** From `low` to `high` onto [0, 1]. */
  z.strictObject({ kind: z.literal('range'), low: z.number(), high: z.number() }),
  /** Parts of a turn of `period`, onto radians. */
  z.strictObject({ kind: z.literal('turn'), period: z.number().positive() }),
]);
/** A likelihood by name, or with its options. */
const lawChoice = z.union([z.string(), z.looseObject({ kind: z.string() })]);

const numeric = {
  ...common,
  min: z.number(),
  max: z.number(),
  /** Different values seen. */
  distinct: count,
  likelihood: lawChoice.default('gaussian'),
  transform,
};
const oneHot = { ...common, likelihood: z.enum(['categorical', 'ordinal']).default('categorical') };

/** Field types that can be modelled. */
const kinds = {
  number: z.strictObject({
    ...numeric,
    type: z.literal('number'),
    /** Digits after the point, or null where the values are not on a decimal grid. */
    decimals: z.int().min(0).max(15).nullable(),
  }),
  integer: z.strictObject({ ...numeric, type: z.literal('integer') }),
  boolean: z.strictObject({
    ...oneHot,
    type: z.literal('boolean'),
    /** How false and true are written in the data. */
    words: z.tuple([z.string(), z.string()]),
    counts: z.tuple([count, count]),
  }),
  category: z.strictObject({
    ...oneHot,
    type: z.literal('category'),
    /** Most frequent first, ties in code-point order. */
    categories: z.array(z.string()).min(2).max(65_535),
    counts: z.array(count),
  }),
  date: z.strictObject({
    ...numeric,
    type: z.literal('date'),
    /** Values are days or seconds since 1970-01-01 (UTC). */
    unit: z.enum(['day', 'second']),
    /** How the dates are written, in strptime letters. */
    format: z
      .string()
      .regex(/^([^%]|%-?[aAbBcdDfgGHIjmMnpSuUVwWxXyYzZ%])*$/, 'a % without a strptime letter'),
  }),
  image: z.strictObject({
    ...common,
    role: z.literal('model').default('model'),
    type: z.literal('image'),
    height: z.int().min(1),
    width: z.int().min(1),
    channels: z.union([z.literal(1), z.literal(3), z.literal(4)]),
    binarize: z.enum(['dynamic', 'static', 'none']).default('none'),
    likelihood: z.enum(['bernoulli', 'gaussian']).default('gaussian'),
    /** The byte that is white in arrays of bytes; left out: 255. */
    full: z.union([z.literal(1), z.literal(255)]).optional(),
  }),
};

const modelField = z.discriminatedUnion('type', [
  kinds.number,
  kinds.integer,
  kinds.boolean,
  kinds.category,
  kinds.date,
  kinds.image,
]);
const ignoredField = z.strictObject({
  name: z.string(),
  role: z.literal('ignored'),
  type: z.enum(['number', 'integer', 'boolean', 'category', 'date', 'image', 'text']).default('text'),
  reason: z.string().default('set by hand'),
});

const schemaShape = z.strictObject({
  version: z.literal(1),
  missing: z.array(z.string()).default([...DEFAULT_MISSING]),
  fields: z.array(z.unknown()).min(1),
});

export type LawChoice = z.output<typeof lawChoice>;
export type Transform = z.output<typeof transform>;
export type QuantileTransform = z.output<typeof quantileTransform>;
export type ModelField = z.output<typeof modelField>;
export type IgnoredField = z.output<typeof ignoredField>;
export type Field = ModelField | IgnoredField;
export type FieldType = ModelField['type'];
export type FieldOf<T extends FieldType> = Extract<ModelField, { type: T }>;
/** Fields whose values are numbers: NaN where missing. */
export type NumericField = FieldOf<'number' | 'integer' | 'date'>;
export interface Schema {
  readonly version: 1;
  readonly missing: readonly string[];
  readonly fields: readonly Field[];
}

const isIgnored = (raw: unknown): boolean => (raw as { role?: unknown } | null)?.role === 'ignored';

function parseField(raw: unknown, i: number): Field {
  const parsed = (isIgnored(raw) ? ignoredField : modelField).safeParse(raw);
  if (!parsed.success) throw fieldError(parsed.error, raw, i);
  checkLengths(parsed.data);
  return parsed.data;
}

function fieldError(error: z.ZodError, raw: unknown, i: number): UserError {
  const name = (raw as { name?: unknown } | null)?.name;
  const issues = error.issues.map((issue) => ({ ...issue, path: ['fields', i, ...issue.path] }));
  return new UserError(
    `schema, field ${JSON.stringify(name ?? i)}:\n${z.prettifyError({ issues } as z.ZodError)}`,
  );
}

function checkLengths(field: Field): void {
  const differ = (what: string, a: number, b: number) => {
    if (a !== b) throw new UserError(`schema, field "${field.name}": ${what} have ${a} and ${b} entries`);
  };
  if (field.role === 'ignored') return;
  if (field.role === 'predicted') checkLabel(field);
  if (field.type === 'category') {
    differ('categories and counts', field.categories.length, field.counts.length);
    differ('categories and distinct categories', field.categories.length, new Set(field.categories).size);
  }
  if (!('transform' in field)) return;
  checkRange(field);
  const [after, wanted] = [supportAfter(field.transform), lawOf(field.likelihood).support];
  if (after !== wanted)
    throw new UserError(
      `schema, field "${field.name}": likelihood ${JSON.stringify(field.likelihood)} does not go with the transform "${field.transform.kind}"`,
    );
  if (field.transform.kind === 'quantile') checkQuantile(field.name, field.transform);
}

/** Whole numbers as far as float64 has them all. */
function checkRange({ name, type, min, max }: NumericField): void {
  const wrong = (why: string) => new UserError(`schema, field "${name}": ${why}`);
  if (min > max) throw wrong(`min ${min} is above max ${max}`);
  const end = [min, max].find((v) => type !== 'number' && Math.abs(v) > Number.MAX_SAFE_INTEGER);
  if (end !== undefined) throw wrong(`${end} is beyond ±(2^53 − 1), up to which whole numbers are exact`);
}

function checkLabel(field: ModelField): void {
  const wrong = (why: string) => new UserError(`column "${field.name}" cannot be predicted: ${why}`);
  if (!isOneHot(field)) throw wrong(`it is a ${field.type}, and a label is one of some classes`);
  if (field.counts.length > MAX_CATEGORIES)
    throw wrong(`it has ${field.counts.length} different values, expected at most ${MAX_CATEGORIES}`);
  if (!field.missing) throw wrong('"missing" has to be true in a schema, as not every row need have a label');
}

function checkQuantile(name: string, { values, atoms, between }: QuantileTransform): void {
  const bad = (what: string) => new UserError(`schema, field "${name}": transform.${what}`);
  if (atoms.length !== values.length) throw bad(`atoms has ${atoms.length} entries, values ${values.length}`);
  if (between && between.length !== values.length - 1)
    throw bad(`between has ${between.length} entries, expected ${values.length - 1}`);
  if (values.some((v, i) => i > 0 && v <= values[i - 1]!)) throw bad('values are not strictly increasing');
  if (!(atoms[0]! > 0 && atoms.at(-1)! > 0)) throw bad('atoms: the first and the last must be above 0');
}

/** Checks plain JSON against the format; an unknown key is an error with its path. */
export function parseSchema(json: unknown): Schema {
  const outer = schemaShape.safeParse(json);
  if (!outer.success) throw new UserError(`schema:\n${z.prettifyError(outer.error)}`);
  const fields = outer.data.fields.map(parseField);
  const twice = fields.find((f, i) => fields.findIndex((g) => g.name === f.name) !== i);
  if (twice) throw new UserError(`schema: two fields are called "${twice.name}"`);
  const predicted = fields.filter(({ role }) => role === 'predicted');
  if (predicted.length > 1)
    throw new UserError(
      `schema: "${predicted[0]!.name}" and "${predicted[1]!.name}" are both predicted, one can be`,
    );
  return { ...outer.data, fields };
}

/** True when `json` is a whole schema, false when it is (at most) edits to an inferred one. */
export function isWholeSchema(json: unknown): json is Schema {
  const outer = schemaShape.safeParse(json);
  const whole = (raw: unknown) => (isIgnored(raw) ? ignoredField : modelField).safeParse(raw).success;
  return outer.success && outer.data.fields.every(whole);
}

/** Keys that each field type knows, for edits. */
export const fieldKeys = (type: FieldType | 'text'): ReadonlySet<string> =>
  new Set(Object.keys(type === 'text' ? ignoredField.shape : kinds[type].shape));

export const isModelled = (field: Field): field is ModelField => field.role !== 'ignored';
/** The fields that a model sees, those that are given among them, in order: `Rows.columns` runs parallel to them. */
export const modelFields = (schema: Schema): readonly ModelField[] => schema.fields.filter(isModelled);
export const isGiven = ({ role }: ModelField): boolean => role !== 'model';
export const isPredicted = ({ role }: Field): boolean => role === 'predicted';
export const isOneHot = (field: ModelField): field is FieldOf<'category' | 'boolean'> =>
  field.type === 'category' || field.type === 'boolean';
/** The fields that are given, a predicted one among them. */
export const conditionFields = (schema: Schema): readonly ModelField[] => modelFields(schema).filter(isGiven);
export const isNumeric = (field: ModelField): field is NumericField =>
  field.type === 'number' || field.type === 'integer' || field.type === 'date';
/** A gap in a field that had none: the model has no mask for it, so it cannot be left out of the likelihood. */
export function refuseMissing({ name }: ModelField, row: number | undefined): never {
  throw new UserError(
    `column "${name}", row ${(row ?? 0) + 1}: no value, or one not seen in training. The model was trained without gaps in ` +
      `this column; fill it, or train again with "missing": true for it in a --schema file`,
  );
}
/** Digits after the point on output; null = as they come. */
export const decimalsOf = (field: NumericField): number | null =>
  field.type === 'number' ? field.decimals : 0;
