/** Batches that are kept are those that would be made again. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createCodec, openDataset } from '../../src/data/index.ts';
import { fixedSource, keptSource } from '../../src/tasks/source.ts';
import { type BatchSource, createBuffers } from '../../src/train/index.ts';
import { mixedCsv, put, temporaryFolder } from '../data/files.ts';

const BATCH = 96;
const data = await openDataset(put(temporaryFolder(), 'mixed.csv', mixedCsv(250)), {
  validation: 0,
  test: 0,
  condition: ['member'],
});
after(() => data.close());
const codec = createCodec(data.schema);
const fixed = fixedSource(data, codec, BATCH, 5, 'train');

/** All batches, one after another in the same arrays, as a session would see them. */
async function* seen(source: BatchSource, skip = 0) {
  const buffers = createBuffers(
    { shape: codec.shape, masked: codec.masked, parts: codec.parts, condition: codec.conditionSize },
    [],
    BATCH,
  );
  for await (const { count, fill } of source.batches(0, skip)) {
    fill(buffers, 0);
    yield structuredClone({ count, values: buffers.values(count) });
  }
}

async function all(source: BatchSource, skip?: number) {
  const batches = [];
  for await (const batch of seen(source, skip)) batches.push(batch);
  return batches;
}

test('batches that are kept are the same every time, and read once', async () => {
  let reads = 0;
  const counted: BatchSource = {
    ...fixed,
    batches: (epoch, skip) => {
      reads++;
      return fixed.batches(epoch, skip);
    },
  };
  const kept = keptSource(counted, codec);
  const expected = await all(fixed);
  assert.equal(expected.length, 3);
  assert.deepEqual(await all(kept), expected);
  assert.deepEqual(await all(kept), expected);
  assert.deepEqual(await all(kept, 2), expected.slice(2));
  assert.equal(reads, 1);
});

test('more than may be kept is made anew', () => {
  assert.equal(keptSource(fixed, codec, 1000), fixed);
});
