/** Plain text for a terminal: aligned tables, wrapped paragraphs, numbers and durations. */

export interface TableColumn {
  readonly name: string;
  readonly numeric?: boolean;
}

const MOST = 28; // characters of a cell

/** Of at most so many characters. */
export const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, Math.max(1, most - 1))}…` : text;

/** Rows under their headings, numbers to the right; columns that do not fit into `width` are counted, not shown. */
export function textTable(
  columns: readonly TableColumn[],
  rows: readonly (readonly string[])[],
  width: number,
): string[] {
  const widths = columns.map(({ name }, j) =>
    Math.min(MOST, Math.max(name.length, ...rows.map((row) => row[j]!.length))),
  );
  const fits = fitting(widths, width);
  const line = (cells: readonly string[]) =>
    cells
      .slice(0, fits)
      .map((cell, j) => {
        const text = cut(cell, widths[j]!);
        return columns[j]!.numeric ? text.padStart(widths[j]!) : text.padEnd(widths[j]!);
      })
      .join('  ')
      .trimEnd();
  const more = columns.slice(fits).map((c) => c.name);
  const rest = more.length > 0 ? [cut(`and ${more.length} more columns: ${more.join(', ')}`, width)] : [];
  return [line(columns.map((c) => c.name)), ...rows.map(line), ...rest];
}

function fitting(widths: readonly number[], width: number): number {
  let [used, fits] = [0, 0];
  while (fits < widths.length && used + widths[fits]! <= width) used += widths[fits++]! + 2;
  return Math.max(1, fits);
}

/** Label and value pairs, values aligned. */
export function textPairs(pairs: readonly (readonly [string, string])[], indent = '  '): string[] {
  const width = Math.max(0, ...pairs.map(([label]) => label.length));
  return pairs.map(([label, value]) => `${indent}${label.padEnd(width)}  ${value}`.trimEnd());
}

/** Lines of at most `width` characters; lines after the first begin with `indent`. Blanks in front are kept. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = [];
  const [, front = '', rest = ''] = /^( *)(.*)$/s.exec(text)!;
  let [line, isEmpty] = [front, true];
  for (const word of rest.split(' ')) {
    const longer = isEmpty ? line + word : `${line} ${word}`;
    const breaks = !isEmpty && longer.length > width;
    if (breaks) lines.push(line);
    line = breaks ? indent + word : longer;
    isEmpty = false;
  }
  return [...lines, line];
}

const BEYOND = 1e15; // no one counts so many digits

/** Two decimals, or more where they matter: 102.13, 0.0123, −3.40, 1,234,567. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? '–' : value > 0 ? '∞' : '−∞';
  if (value < 0) return `−${formatNumber(-value)}`;
  if (value >= BEYOND) return value.toExponential(2).replace('e+', 'e');
  if (Number.isInteger(value)) return value.toLocaleString('en');
  const digits = value >= 10_000 ? 0 : value >= 1 ? 2 : 4;
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

const STAY = ['\n', '\t', ...[1, 2, 22, 33, 36, 39].map((code) => `\u001b[${code}m`)]; // the styles that commands paint with

/** Characters that would steer a terminal or turn the direction of text, such as data may hold, written out. */
export const harmless = (text: string): string =>
  text.replace(/\p{Cc}(\[\d+m)?|[\u202a-\u202e\u2066-\u2069]/gu, (all) => {
    if (STAY.includes(all)) return all;
    const code = all.charCodeAt(0).toString(16);
    return `${code.length > 2 ? `\\u${code}` : `\\x${code.padStart(2, '0')}`}${all.slice(1)}`;
  });

/** Always with this many decimals, so that columns of figures line up: 102.13, −0.02. */
export function formatFixed(value: number, decimals = 2): string {
  if (!Number.isFinite(value) || Math.abs(value) >= BEYOND) return formatNumber(value);
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return (value < 0 ? '−' : '') + Math.abs(value).toLocaleString('en', options);
}

/** A figure of a list, points under points: counts without decimals. */
export const formatFigure = (value: number): string =>
  (Number.isInteger(value) ? `${formatNumber(value)}    ` : formatFixed(value, 3)).padStart(12);

/** 0.4 s, 12 s, 2:05, 1:02:03. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (n: number) => String(n).padStart(2, '0');
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `1 row`, `2,000 rows`. Grouped only where there is what to group: a process's first time takes 11 ms. */
export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${n < 1000 ? n : n.toLocaleString('en')} ${n === 1 ? one : many}`;

/** As a shell takes it back. */
export const quote = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
