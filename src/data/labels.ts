/** Labels that come beside examples, one text each: an array of them, or the names of folders. */
import { UserError } from '../errors.ts';
import type { Settings } from './options.ts';
import type { Labels } from './rows.ts';
import { conditionFields, type FieldOf, MAX_CATEGORIES, type Schema } from './schema.ts';

/** From the text of each row, '' where it has none; nothing where there are more than `most` different ones. */
export function labelsOf(name: string, texts: readonly string[], most = MAX_CATEGORIES): Labels | undefined {
  const all = [...new Set(texts)].filter((text) => text !== '');
  const names = all.sort(new Intl.Collator('en', { numeric: true }).compare);
  if (names.length === 0 || names.length > most) return undefined;
  return { name, names, codes: codesOf(names, texts) };
}

function codesOf(names: readonly string[], texts: readonly string[]): Int32Array {
  const code = new Map(names.map((text, i) => [text, i]));
  return Int32Array.from(texts, (text) => code.get(text) ?? -1);
}

/** Texts that mean "no value" become ''. */
export function cleanLabels(texts: readonly string[], missing: readonly string[]): string[] {
  const none = new Set(missing.map((marker) => marker.trim().toLowerCase()));
  return texts.map((text) => (none.has(text.trim().toLowerCase()) ? '' : text));
}

const ALWAYS = 'label'; // what labels may be called, whatever they are called in the data

/** Whole numbers of which −1 means "not known" (as in scikit-learn): it is the one below 0, beside two others or more. */
export function withoutMinusOne(texts: readonly string[]): readonly string[] {
  const names = new Set(texts);
  const negative = [...names].filter((text) => Number(text) < 0);
  const marks = negative.length === 1 && negative[0] === '-1' && names.size > 2;
  return marks ? texts.map((text) => (text === '-1' ? '' : text)) : texts;
}

/**
 * The labels as a field that is given, where `--condition` or `--predict` asks for them. `counted` is how many rows the labels of the
 * first file have; `hint` says where labels come from.
 */
export function labelField(
  { condition, predict }: Pick<Settings, 'condition' | 'predict'>,
  labels: Labels | undefined,
  counted: number,
  hint: string,
): FieldOf<'category'> | undefined {
  const isLabel = (name: string | undefined) =>
    name === ALWAYS || (name !== undefined && name === labels?.name);
  const asked = isLabel(predict) ? predict : condition.find(isLabel);
  if (asked === undefined) return undefined;
  const role = asked === predict ? 'predicted' : 'condition';
  const what = asked === predict ? 'predicted' : 'a condition';
  if (!labels) throw new UserError(`there is no "${asked}" to be ${what}: ${hint}`);
  if (labels.names.length < 2)
    throw new UserError(`"${asked}" cannot be ${what}: every example has ${labels.names[0]}`);
  const counts = Array<number>(labels.names.length).fill(0);
  for (const code of labels.codes.subarray(0, counted)) if (code >= 0) counts[code]!++;
  const absent = labels.codes.subarray(0, counted).filter((code) => code < 0).length;
  return {
    name: asked,
    type: 'category',
    role,
    missing: absent > 0 || role === 'predicted',
    missingShare: absent / counted,
    likelihood: 'categorical',
    categories: [...labels.names],
    counts,
  };
}

/** The field that labels fill, of a schema whose other given fields are called `columns`. */
export const labelFieldOf = (schema: Schema, columns: RegExp): FieldOf<'category'> | undefined =>
  conditionFields(schema).find(
    (field): field is FieldOf<'category'> => field.type === 'category' && !columns.test(field.name),
  );

/** The labels in the codes of a field. */
export function labelColumn(
  { name, categories }: FieldOf<'category'>,
  labels: Labels | undefined,
): Int32Array {
  if (!labels) throw new UserError(`the model is given "${name}", and these data have no labels`);
  const code = labels.names.map((text) => categories.indexOf(text));
  return labels.codes.map((own) => code[own] ?? -1);
}
