/** Changes to an inferred schema, as a user writes them: by field name, only what should differ. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { UserError } from '../errors.ts';
import { type Field, fieldKeys, isWholeSchema, type ModelField, parseSchema, type Schema } from './schema.ts';

const anything = z.unknown().optional();
const fieldEdit = z.strictObject({
  name: z.string(),
  type: z.enum(['number', 'integer', 'boolean', 'category', 'date', 'image', 'text']).optional(),
  role: z.enum(['model', 'condition', 'predicted', 'ignored']).optional(),
  reason: z.string().optional(),
  /** By name: fitted to the data again; as an object: taken as it is. */
  transform: z
    .union([
      z.enum(['quantile', 'standard', 'scale', 'count', 'range', 'turn']),
      z.looseObject({ kind: z.string() }),
    ])
    .optional(),
  likelihood: z.union([z.string(), z.looseObject({ kind: z.string() })]).optional(),
  missing: anything,
  missingShare: anything,
  min: anything,
  max: anything,
  distinct: anything,
  decimals: anything,
  words: anything,
  counts: anything,
  categories: anything,
  unit: anything,
  format: z.string().optional(),
  height: anything,
  width: anything,
  channels: anything,
  binarize: anything,
  full: anything,
});
const editsShape = z.strictObject({
  version: z.literal(1).optional(),
  missing: z.array(z.string()).optional(),
  fields: z.array(fieldEdit),
});

export type FieldEdit = z.output<typeof fieldEdit>;
export interface SchemaEdits {
  readonly missing?: readonly string[] | undefined;
  readonly fields: readonly FieldEdit[];
  /** See `OpenOptions`. */
  readonly gaps?: boolean;
}

/** A whole schema, or edits to the one that will be inferred; an unknown key is an error with its path. */
export function parseSchemaOrEdits(json: unknown, from = 'schema'): Schema | SchemaEdits {
  if (isWholeSchema(json)) return parseSchema(json);
  const parsed = editsShape.safeParse(json);
  if (!parsed.success) throw new UserError(`${from}:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Reads `--schema file.json`. */
export async function loadSchemaFile(path: string): Promise<Schema | SchemaEdits> {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new UserError(`schema file ${path}: cannot be read: ${error.message}`);
  });
  return parseSchemaOrEdits(parseJson(text, path), path);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UserError(`schema file ${path}: is not JSON: ${(error as Error).message}`);
  }
}

/** The inferred fields with what the edits say on top; names that the data lacks are an error. */
export function applyEdits(schema: Schema, edits: SchemaEdits): Schema {
  for (const { name } of edits.fields)
    if (!schema.fields.some((field) => field.name === name))
      throw new UserError(`schema: there is no column "${name}"; the data has ${list(schema.fields)}`);
  const fields = schema.fields.map((field) =>
    merge(
      field,
      edits.fields.find((edit) => edit.name === field.name),
    ),
  );
  return parseSchema({ ...schema, fields: edits.gaps ? fields.map(withGaps) : fields });
}

/** A modelled field of a table that may be missing. */
const withGaps = (field: unknown): unknown => {
  const { role, type } = field as Field;
  return role === 'model' && type !== 'image' ? { ...(field as Field), missing: true } : field;
};

const list = (fields: readonly Field[]): string => {
  const names = fields.slice(0, 12).map((field) => `"${field.name}"`);
  return names.join(', ') + (fields.length > 12 ? ' …' : '');
};

function merge(field: Field, edit: FieldEdit | undefined): unknown {
  if (!edit) return field;
  if (edit.role === 'ignored')
    return { name: field.name, type: field.type, role: 'ignored', reason: edit.reason ?? 'set by hand' };
  if (field.role === 'ignored' && (edit.role === 'condition' || edit.role === 'predicted'))
    throw new UserError(`column "${field.name}" cannot be ${ROLES[edit.role]}: ${field.reason}`);
  if (field.role === 'ignored') return field;
  const given = Object.entries(edit).filter(([key, value]) => isKept(key, value, field));
  return { ...field, ...Object.fromEntries(given), ...(edit.role === 'predicted' && { missing: true }) };
}

const ROLES = { condition: 'a condition', predicted: 'predicted' };

/** A transform by name was fitted already. A key that the type does not know is an error. */
function isKept(key: string, value: unknown, field: ModelField): boolean {
  if (value === undefined || key === 'reason' || (key === 'transform' && typeof value === 'string'))
    return false;
  if (fieldKeys(field.type).has(key)) return true;
  throw new UserError(`schema, field "${field.name}": ${field.type} has no "${key}"`);
}
