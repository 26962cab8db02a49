/** Figures for people: aligned, as many digits as their interval bears out, each with what it is. */
import type { Figure } from '../tasks/evaluate/figures.ts';
import { cut, formatFixed } from './text.ts';

/** Decimals that the interval bears out: two digits of its half width. */
export function decimalsOf({ value, low, high }: Pick<Figure, 'value' | 'low' | 'high'>): number {
  if ([value, low, high].every((v) => v === undefined || Number.isInteger(v))) return 0;
  const half = low === undefined || high === undefined ? 0 : (high - low) / 2;
  if (half > 0 && half < Number.POSITIVE_INFINITY)
    return Math.min(4, Math.max(0, 2 - Math.ceil(Math.log10(half))));
  return 3;
}

const LEAST = 16; // characters for which a meaning is shown

/** One line a figure: name, value, unit, interval, what it is read beside, and its meaning as far as there is room. */
export function figureLines(title: string, figures: readonly Figure[], width: number): string[] {
  const heading = commonBeside(figures);
  const cells = figures.map((figure) => cellsOf(figure, heading));
  const hasIntervals = figures.some(({ low }) => low !== undefined);
  const head = [' '.repeat(Math.max(0, title.length - 2)), '', '', hasIntervals ? '95 %' : '', heading ?? ''];
  const widths = head.map((text, j) => Math.max(text.length, ...cells.map((row) => row[j]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((cell, j) =>
        j === 1 || (j === 4 && heading) ? cell.padStart(widths[j]!) : cell.padEnd(widths[j]!),
      )
      .filter((_, j) => widths[j]! > 0)
      .join('  ');
  const top = line(head).slice(Math.max(0, title.length - 2));
  return [
    `${title}${top}`.trimEnd(),
    ...cells.map((row, i) => withMeaning(`  ${line(row)}`, figures[i]!.meaning, width)),
  ];
}

/** What all figures are read beside, where it is one thing. */
function commonBeside(figures: readonly Figure[]): string | undefined {
  const all = new Set(figures.map(({ beside }) => beside?.what));
  const [only] = all;
  return all.size === 1 && only !== undefined && figures.length > 1 ? only : undefined;
}

function cellsOf(figure: Figure, heading: string | undefined): string[] {
  const { name, value, unit, low, high, beside } = figure;
  const digits = decimalsOf(figure);
  const show = (v: number) => formatFixed(v, digits);
  const other = beside && (isCount(beside.value) ? beside.value.toLocaleString('en') : show(beside.value));
  return [
    name,
    show(value),
    unit,
    low === undefined || high === undefined ? '' : `${show(low)} to ${show(high)}`,
    other === undefined ? '' : heading ? other : `${beside!.what} ${other}`,
  ];
}

/** A share that happens to be 0 or 1 is none. */
const isCount = (value: number): boolean => Number.isInteger(value) && value > 1;

function withMeaning(line: string, meaning: string, width: number): string {
  const room = width - line.length - 2;
  return (room >= LEAST ? `${line}  ${cut(meaning, room)}` : line).trimEnd();
}
