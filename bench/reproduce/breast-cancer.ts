/** Breast Cancer Wisconsin (Diagnostic) with half of its entries gone, and how well these are filled. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stream } from '../../src/random/index.ts';
import { ROOT } from './static-digits.ts';

const COLUMNS = 30; // the label comes after them
const GONE = 0.5;

/** Cells as they are written; the first line of the file says how many there are. */
const cellsOf = (file: string): string[][] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split(',').slice(0, COLUMNS));

/** Completely at random, by the seed: the file is made at the first call. */
export function withGaps(file: string, seed: number): string {
  const path = join(ROOT, `breast-cancer-${seed}.csv`);
  if (existsSync(path)) return path;
  mkdirSync(ROOT, { recursive: true });
  const rows = cellsOf(file);
  const order = stream(seed, 'gaps').permutation(rows.length * COLUMNS);
  const gone = new Set(order.subarray(0, GONE * order.length));
  const lines = rows.map((row, i) => row.map((cell, j) => (gone.has(i * COLUMNS + j) ? '' : cell)).join());
  const names = Array.from({ length: COLUMNS }, (_, j) => `feature${j + 1}`);
  writeFileSync(path, `${[names.join(), ...lines].join('\n')}\n`);
  return path;
}

export interface Filling {
  /** Mean square error of the filled entries, each column standardised by the mean and the deviation of the complete data. */
  readonly error: number;
  /** The same where each is filled with the mean of what its column has. */
  readonly ofMeans: number;
  readonly entries: number;
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

export function scoreFilling(file: string, gaps: string, filled: string): Filling {
  const [whole, holed, full] = [file, gaps, filled].map(cellsOf) as [string[][], string[][], string[][]];
  if (full.length !== whole.length)
    throw new Error(`${filled} has ${full.length} rows, expected ${whole.length}`);
  let [error, ofMeans, entries] = [0, 0, 0];
  for (let j = 0; j < COLUMNS; j++) {
    const truth = whole.map((row) => Number(row[j]));
    const variance = mean(truth.map((v) => (v - mean(truth)) ** 2));
    const there = mean(holed.filter((row) => row[j] !== '').map((row) => Number(row[j])));
    truth.forEach((v, i) => {
      if (holed[i]![j] !== '') return;
      const cell = full[i]![j];
      if (!cell || !Number.isFinite(Number(cell)))
        throw new Error(`${filled}, row ${i + 1}: "${cell}" is no number`);
      error += (Number(cell) - v) ** 2 / variance;
      ofMeans += (there - v) ** 2 / variance;
      entries++;
    });
  }
  return { error: error / entries, ofMeans: ofMeans / entries, entries };
}
