/**
 * Which rows train, validate and test: exact shares, fixed by (seed, row number), known without reading the
 * data.
 */
import { UserError } from '../errors.ts';
import { stream } from '../random/stream.ts';
import type { Counts, Split } from './rows.ts';

export interface SplitOptions {
  readonly seed: number;
  readonly validation: number;
  readonly test: number;
  /** Rows too few to be split all count as training rows, instead of being refused. */
  readonly lenient?: boolean;
}

const BLOCK = 1024;
/** Shares are rounded by block: with less than two rows to train on, a block could owe more than it has. */
const MOST = 0.998;
export const SPLITS: readonly Split[] = ['train', 'validation', 'test'];

export interface Splitter {
  readonly counts: Counts;
  /**
   * 0 train, 1 validation, 2 test for each row of `block` (rows 1024 · block …); valid until the next call.
   */
  codes(block: number): Uint8Array;
  readonly block: number;
}

/** Rows of a share up to row `end`: at least one, and the total is the exact share. */
const upTo = (end: number, share: number): number =>
  share > 0 && end > 0 ? Math.max(1, Math.round(end * share)) : 0;

/** Splits rows 0 … rows − 1. Each block of 1024 rows gives its share, drawn by a hash of the row number. */
export function createSplitter(rows: number, options: SplitOptions): Splitter {
  const { seed, validation, test, lenient } = options;
  checkShares(validation, test);
  const counts = { train: 0, validation: upTo(rows, validation), test: upTo(rows, test) };
  counts.train = rows - counts.validation - counts.test;
  if (counts.train < 1 && lenient && rows > 0) return createSplitter(rows, { seed, validation: 0, test: 0 });
  if (counts.train < 1)
    throw new UserError(
      `${rows} ${rows === 1 ? 'row' : 'rows'} cannot be split into training, validation and test rows: ` +
        `at least ${1 + counts.validation + counts.test} are needed`,
    );
  /** Validation and test rows among the first `end`: more than their shares where too few rows would be left for the others. */
  const heldBack = (end: number): readonly [number, number] => {
    const held = [upTo(end, validation), upTo(end, test)] as const;
    const left = counts.validation + counts.test - held[0] - held[1];
    return [held[0], held[1] + Math.max(0, left - (rows - end))];
  };
  return {
    counts,
    block: BLOCK,
    codes: (block) => {
      const [start, end] = [block * BLOCK, Math.min(rows, (block + 1) * BLOCK)];
      const [before, after] = [heldBack(start), heldBack(end)];
      return blockCodes(seed, block, end - start, after[0] - before[0], after[1] - before[1]);
    },
  };
}

function blockCodes(seed: number, block: number, size: number, validation: number, test: number): Uint8Array {
  const order = stream(seed, 'split', block).permutation(size);
  const codes = new Uint8Array(size);
  for (let i = 0; i < validation; i++) codes[order[i]!] = 1;
  for (let i = validation; i < validation + test; i++) codes[order[i]!] = 2;
  return codes;
}

function checkShares(validation: number, test: number): void {
  for (const [name, share] of Object.entries({ validation, test }))
    if (!(share >= 0 && share < 1)) throw new UserError(`${name} share ${share}: expected 0 to below 1`);
  if (validation + test > MOST)
    throw new UserError(
      `validation ${validation} and test ${test} leave nothing to train on: expected a sum of at most ${MOST}`,
    );
}

/** Row numbers of each split, ascending, shifted by `first`. */
export function splitIds(splitter: Splitter, rows: number, first = 0): Record<Split, Int32Array> {
  const { counts, block } = splitter;
  const ids = [counts.train, counts.validation, counts.test].map((n) => new Int32Array(n));
  const filled = [0, 0, 0];
  for (let start = 0; start < rows; start += block) {
    const codes = splitter.codes(start / block);
    for (let i = 0; i < codes.length; i++) {
      const s = codes[i]!;
      ids[s]![filled[s]!++] = first + start + i;
    }
  }
  return { train: ids[0]!, validation: ids[1]!, test: ids[2]! };
}
