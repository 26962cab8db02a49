/** Rows drawn from all of a file, however it is ordered and read. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataset } from '../../src/data/index.ts';
import { drawnBatches } from '../../src/tasks/rows.ts';
import { temporaryFolder } from '../data/files.ts';

const path = join(temporaryFolder(), 'sorted.csv');
const ROWS = 6000;
writeFileSync(path, ['x,y', ...Array.from({ length: ROWS }, (_, i) => `${i / 8},${i % 3}`), ''].join('\n'));

for (const [name, memory, isStreamed] of [
  ['in memory', 2 ** 30, undefined],
  ['read in the order of the file', 2 ** 15, true],
] as const)
  test(`rows ${name} are drawn from all of it, by the seed`, async () => {
    const data = await openDataset(path, { memory });
    try {
      assert.equal(data.streamed, isStreamed);
      const drawn = async (seed: number, count: number) => {
        const all: number[] = [];
        const asked = { count, seed, batchSize: 128 };
        for await (const { ids } of drawnBatches(data, ['train', 'test'], asked)) all.push(...ids);
        return all;
      };
      const ids = await drawn(1, 500);
      assert.equal(new Set(ids).size, 500);
      for (const third of [0, 1, 2]) {
        const share = ids.filter((id) => Math.floor((3 * id) / ROWS) === third).length / 500;
        assert.ok(Math.abs(share - 1 / 3) < 0.08, `${share} of the rows are of third ${third}`); // four standard errors
      }
      assert.deepEqual(await drawn(1, 500), ids);
      assert.notDeepEqual(await drawn(2, 500), ids);
      assert.equal(new Set(await drawn(1, 1e9)).size, data.counts.train + data.counts.test);
      assert.deepEqual(await drawn(1, 0), []);
    } finally {
      await data.close();
    }
  });
