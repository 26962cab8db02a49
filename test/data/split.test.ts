/** Every row is in one split, and every split has its share. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSplitter, SPLITS, splitIds } from '../../src/data/split.ts';
import { UserError } from '../../src/errors.ts';

function isPartition(rows: number, validation: number, part: number): void {
  const splitter = createSplitter(rows, { seed: 1, validation, test: part });
  const ids = splitIds(splitter, rows);
  for (const split of SPLITS) assert.equal(ids[split].length, splitter.counts[split]);
  const all = SPLITS.flatMap((split) => [...ids[split]]).sort((a, b) => a - b);
  assert.deepEqual(
    all,
    Array.from({ length: rows }, (_, i) => i),
  );
}

test('rows are parted without one twice or left out, wherever the last block of 1024 ends', () => {
  for (const rows of [1025, 6145, 11_265]) isPartition(rows, 0.1, 0.1); // the last block owes two rows and has one
  fc.assert(
    fc.property(
      fc.nat(3),
      fc.integer({ min: 1, max: 1024 }),
      fc.double({ min: 0, max: 0.998, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (blocks, more, held, toTest) => {
        const rows = 1024 * blocks + more;
        try {
          isPartition(rows, held * (1 - toTest), held * toTest);
        } catch (error) {
          if (!(error instanceof UserError)) throw error; // too few rows
        }
      },
    ),
    { numRuns: 500 },
  );
});

test('shares that leave nothing to train on are refused', () => {
  assert.throws(
    () => createSplitter(100, { seed: 1, validation: 0.5, test: 0.5 }),
    /validation 0.5 and test 0.5 leave nothing to train on: expected a sum of at most 0.998/,
  );
});
