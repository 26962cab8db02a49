/** A schema in plain words, one line a field. */
import { describeLaw } from './laws.ts';
import { type Field, isNumeric, type ModelField, type NumericField, type Schema } from './schema.ts';
import { isoDate } from './texts.ts';

/** "age: integer 17 to 90, 73 values, none missing"; "id: ignored: identifier, every value differs". */
export const describeSchema = (schema: Schema): string[] => schema.fields.map(describeField);

export function describeField(field: Field): string {
  if (field.role === 'ignored') return `${field.name}: ignored: ${field.reason}`;
  const notes = [describeType(field), ...(field.type === 'image' ? [] : [describeMissing(field)])];
  if (isNumeric(field) && field.transform.kind === 'standard') notes.push('standardised');
  if (isNumeric(field)) notes.push(...describeLaw(field));
  return `${field.name}: ${ROLES[field.role]}${notes.join(', ')}`;
}

const ROLES = { model: '', condition: 'given, ', predicted: 'predicted, ' };

function describeType(field: ModelField): string {
  if (isNumeric(field)) return describeNumeric(field);
  if (field.type === 'image') {
    const colour = { 1: 'grey', 3: 'RGB', 4: 'RGBA' }[field.channels];
    const how = { dynamic: ', binarised afresh each step', static: ', black or white', none: '' }[
      field.binarize
    ];
    return `${field.height} × ${field.width} ${colour} picture${how}`;
  }
  if (field.type === 'boolean') return `yes or no (${shares(field.words, field.counts, 2)})`;
  return `category of ${field.categories.length} values (${shares(field.categories, field.counts, 3)})`;
}

function shares(names: readonly string[], counts: readonly number[], shown: number): string {
  const total = counts.reduce((sum, n) => sum + n, 0) || 1;
  const listed = names.slice(0, shown).map((name, i) => `${brief(name)} ${percent(counts[i]! / total)}`);
  return listed.join(', ') + (names.length > shown ? ', …' : '');
}

const MOST = 40; // characters of a word

/** On one line, and no more of it than tells it from others. */
function brief(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > MOST ? `${line.slice(0, MOST - 1)}…` : line;
}

function describeNumeric(field: NumericField): string {
  const values = `${field.distinct.toLocaleString('en')} ${field.distinct === 1 ? 'value' : 'values'}`;
  if (field.type === 'date') {
    const [first, last] = [isoDate(field.min, field.unit), isoDate(field.max, field.unit)];
    return `${field.unit === 'day' ? 'date' : 'date and time'} ${first} to ${last}, ${values}`;
  }
  return `${field.type} ${short(field.min)} to ${short(field.max)}, ${values}`;
}

/** Whole numbers in full, others to six digits. */
const short = (v: number): string => String(Number.isInteger(v) ? v : Number(v.toPrecision(6)));

const describeMissing = ({ missing, missingShare }: ModelField): string => {
  if (!missing) return 'none missing';
  return missingShare === 0 ? 'may be missing' : `${percent(missingShare)} missing`;
};

function percent(share: number): string {
  if (share > 0 && share < 0.001) return 'under 0.1 %';
  const value = share * 100;
  return `${value > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} %`;
}
