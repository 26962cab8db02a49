/**
 * Ways to write a date: recognised by their shape, confirmed by DuckDB reading and writing every value
 * back.
 */
import type { FieldOf } from './schema.ts';

interface DateFormat {
  /** strptime letters, as DuckDB reads and writes them. */
  readonly format: string;
  readonly shape: RegExp;
  readonly unit: FieldOf<'date'>['unit'];
}

const DAYS: readonly (readonly [format: string, shape: string])[] = [
  ['%Y-%m-%d', '\\d{4}-\\d\\d-\\d\\d'],
  ['%Y/%m/%d', '\\d{4}/\\d\\d/\\d\\d'],
  ['%Y.%m.%d', '\\d{4}\\.\\d\\d\\.\\d\\d'],
  ['%d.%m.%Y', '\\d\\d\\.\\d\\d\\.\\d{4}'],
  ['%m/%d/%Y', '\\d\\d/\\d\\d/\\d{4}'],
  ['%d/%m/%Y', '\\d\\d/\\d\\d/\\d{4}'],
  ['%-m/%-d/%Y', '\\d\\d?/\\d\\d?/\\d{4}'],
  ['%-d/%-m/%Y', '\\d\\d?/\\d\\d?/\\d{4}'],
  ['%m-%d-%Y', '\\d\\d-\\d\\d-\\d{4}'],
  ['%d-%m-%Y', '\\d\\d-\\d\\d-\\d{4}'],
  ['%b %-d %Y', '[A-Z][a-z]{2} \\d\\d? \\d{4}'],
  ['%-d %b %Y', '\\d\\d? [A-Z][a-z]{2} \\d{4}'],
  ['%B %-d, %Y', '[A-Z][a-z]{2,8} \\d\\d?, \\d{4}'],
];
const TIMES: readonly (readonly [format: string, shape: string])[] = [
  ['T%H:%M:%S', 'T\\d\\d:\\d\\d:\\d\\d'],
  ['T%H:%M:%SZ', 'T\\d\\d:\\d\\d:\\d\\dZ'],
  [' %H:%M:%S', ' \\d\\d:\\d\\d:\\d\\d'],
  ['T%H:%M', 'T\\d\\d:\\d\\d'],
  [' %H:%M', ' \\d\\d:\\d\\d'],
];

export const dateFormats = (): DateFormat[] =>
  DAYS.flatMap(([day, dayShape]) => [
    { format: day, shape: new RegExp(`^${dayShape}$`), unit: 'day' as const },
    ...TIMES.map(([time, shape]) => ({
      format: day + time,
      shape: new RegExp(`^${dayShape}${shape}$`),
      unit: 'second' as const,
    })),
  ]);

/** Formats whose shape all of `texts` have. */
export const likelyFormats = (texts: readonly string[]): DateFormat[] =>
  texts.length === 0 ? [] : dateFormats().filter(({ shape }) => texts.every((text) => shape.test(text)));

export const unitOf = (format: string): DateFormat['unit'] => (/%H/.test(format) ? 'second' : 'day');
export const secondsPer = (unit: DateFormat['unit']): number => (unit === 'day' ? 86_400 : 1);
