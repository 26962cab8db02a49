/** Batches of rows at hand: what is fetched at once is nothing that they show. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inMemory, type RandomAccess, randomAccessDataset } from '../../src/data/memory-dataset.ts';
import { parseSchema } from '../../src/data/schema.ts';
import { byId, collect, idsOf } from './files.ts';

const rows = { count: 1000, columns: [Float64Array.from({ length: 1000 }, (_, i) => i / 8)] };
const none = new Int32Array(0);
const ids = { train: Int32Array.from({ length: 900 }, (_, i) => 999 - i), validation: none, test: none };
const schema = parseSchema({
  version: 1,
  fields: [
    {
      role: 'model',
      type: 'number',
      name: 'eighths',
      missing: false,
      min: 0,
      max: 125,
      distinct: 1000,
      likelihood: 'gaussian',
      transform: { kind: 'standard', mean: 60, sd: 30 },
      decimals: null,
    },
  ],
});
const open = (access: Pick<RandomAccess, 'fetch' | 'ahead'>) =>
  randomAccessDataset({ name: 'eighths', schema, notes: [], ids, ...access });

for (const shuffle of [undefined, { seed: 1, epoch: 2 }])
  test(`${shuffle ? 'shuffled' : 'plain'} batches are the same however many rows are fetched at once`, async () => {
    const options = { split: 'train' as const, batchSize: 64, ...(shuffle && { shuffle }) };
    const { fetch } = inMemory(schema, rows);
    const one = await collect(open({ fetch }), options);
    assert.deepEqual(
      one.map(({ index }) => index.length),
      [...Array<number>(14).fill(64), 4],
    );
    assert.ok([...byId(one)].every(([id, text]) => Number(text) === id / 8));
    for (const ahead of [1, 64, 200, 10_000]) {
      const fetched: number[] = [];
      const counted = (some: Int32Array) => {
        fetched.push(some.length);
        return fetch(some);
      };
      const many = await collect(open({ fetch: counted, ahead }), options);
      assert.equal(fetched.length, Math.ceil(900 / (Math.max(1, Math.floor(ahead / 64)) * 64)));
      assert.deepEqual(idsOf(many), idsOf(one), `${ahead} at once`);
      assert.deepEqual(byId(many), byId(one));
      assert.deepEqual(
        idsOf(await collect(open({ fetch, ahead }), { ...options, skip: 5 })),
        idsOf(one).slice(320),
      );
    }
  });
