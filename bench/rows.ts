/** What the benchmarks of steps give: a row for each side and number of threads. */
import type { Timing } from './interleave.ts';

export interface Row extends Timing {
  /** Begins with "ours" where it is. */
  readonly side: string;
  readonly threads: number;
  /** Largest resident memory, MiB. */
  readonly memory?: number;
}

/** The fastest of the sides whose name starts so, at its best threads. */
export const fastest = (rows: readonly Row[], side: string): Row =>
  rows.filter((row) => row.side.startsWith(side)).reduce((a, b) => (b.median < a.median ? b : a));

/** Of medians, each side at its best; above 1 ours is faster. */
export function ratiosToOurs(rows: readonly Row[]): Record<string, number> {
  const mine = fastest(rows, 'ours').median;
  const others = [...new Set(rows.map(({ side }) => side))].filter((side) => !side.startsWith('ours'));
  const ratio = (side: string) =>
    Math.min(...rows.filter((row) => row.side === side).map((r) => r.median)) / mine;
  return Object.fromEntries(others.map((side) => [side, ratio(side)]));
}

const milliseconds = (value: number): string => `${value.toFixed(2).padStart(8)} ms`;

interface Result {
  readonly title: string;
  readonly rows: readonly Row[];
  readonly absent: Readonly<Record<string, string>>;
  readonly ratios: Readonly<Record<string, number>>;
}

export function printRows(name: string, { title, rows, absent, ratios }: Result): void {
  console.log(`\n${name}: ${title}`);
  for (const { side, threads, median, low, high, minimum, memory, used, disturbed, quiet } of rows)
    console.log(
      `  ${side.padEnd(29)} T=${threads} ${milliseconds(median)}  (${low.toFixed(2)}–${high.toFixed(2)}, least ${minimum.toFixed(2)})  ${memory === undefined ? '' : `${memory} MiB  `}${used} blocks, ${disturbed} disturbed${quiet ? '' : ', NOT QUIET'}`,
    );
  for (const [side, why] of Object.entries(absent)) console.log(`  ${side}: absent. ${why}`);
  const shown = Object.entries(ratios).map(([side, ratio]) => `${side} ${ratio.toFixed(2)}`);
  console.log(`  times ours: ${shown.join(' · ')}`);
}
