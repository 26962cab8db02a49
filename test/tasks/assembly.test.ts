/** Batches put together on a thread of their own: the same bits, whoever does it, and whatever becomes of the thread. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import {
  type Batch,
  type Codec,
  createCodec,
  type Dataset,
  formatNpy,
  openDataset,
} from '../../src/data/index.ts';
import { stream } from '../../src/random/index.ts';
import { startThread, type Thread } from '../../src/tasks/assembly.ts';
import { drawAt, encodeInto } from '../../src/tasks/encoding.ts';
import { trainingSource } from '../../src/tasks/source.ts';
import type { BatchArrays } from '../../src/train/index.ts';
import { collect, mixedCsv, put, temporaryFolder } from '../data/files.ts';

const folder = temporaryFolder();
const BATCH = { batchSize: 96, seed: 3 };
const everything = { validation: 0, test: 0 };

const pixels = new Uint32Array((500 * 28 * 28) / 4);
stream(1, 'pixels').uint32(pixels);
const pictures = await openDataset(
  put(folder, 'pictures.npy', formatNpy({ shape: [500, 28, 28], data: new Uint8Array(pixels.buffer) })),
  { ...everything, image: { binarize: 'dynamic' } },
);
const table = await openDataset(put(folder, 'mixed.csv', mixedCsv(600)), {
  ...everything,
  condition: ['member'],
});
after(() => Promise.all([pictures.close(), table.close()]));

const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);

function arrays({ shape, masked, parts, conditionSize }: Codec, rows: number): BatchArrays {
  return {
    x: new Float32Array(rows * product(shape)).fill(7),
    mask: new Float32Array(masked ? rows * parts.length : 0).fill(7),
    condition: new Float32Array(rows * conditionSize).fill(7),
  };
}

/** Asks until the thread is there. */
async function asked(thread: Thread, batch: Batch, step: number): Promise<void> {
  for (let tries = 0; !thread.ask(batch, step); tries++) {
    assert.ok(tries < 1000, 'the thread never came');
    await setTimeout(10);
  }
}

const batchesOf = (data: Dataset, epoch: number) =>
  collect(data, { split: 'train', batchSize: BATCH.batchSize, shuffle: { seed: 3, epoch } });

for (const [name, data, isWhole] of [
  ['pictures, picked out by the thread', pictures, true],
  ['pictures, handed over', pictures, false],
  ['rows of a table, with a mask and a condition', table, false],
] as const)
  test(`a thread makes of a batch what is made of it here: ${name}`, async () => {
    const codec = createCodec(data.schema);
    const batches = await batchesOf(data, 0);
    const thread = startThread(data.schema, codec, BATCH, isWhole ? batches[0]!.rows : undefined);
    try {
      for (const [i, batch] of batches.entries()) {
        await asked(thread, batch, 10 + i);
        const [there, here] = [arrays(codec, BATCH.batchSize), arrays(codec, BATCH.batchSize)];
        assert.ok(thread.take(batch.index.length, there));
        encodeInto(codec, batch, here, drawAt(BATCH.seed, 10 + i));
        assert.deepEqual(there, here);
      }
      assert.ok(batches.at(-1)!.index.length < BATCH.batchSize, 'no batch was smaller');
    } finally {
      await thread.close();
    }
  });

test('what was asked for and not wanted after all is left behind', async () => {
  const codec = createCodec(pictures.schema);
  const [first, second] = await batchesOf(pictures, 0);
  const thread = startThread(pictures.schema, codec, BATCH, undefined);
  try {
    await asked(thread, first!, 1);
    assert.ok(thread.ask(second!, 2));
    const [there, here] = [arrays(codec, BATCH.batchSize), arrays(codec, BATCH.batchSize)];
    assert.ok(thread.take(second!.index.length, there));
    encodeInto(codec, second!, here, drawAt(BATCH.seed, 2));
    assert.deepEqual(there, here);
  } finally {
    await thread.close();
  }
});

test('a thread that cannot begin, or has been closed, is never there', async () => {
  const codec = createCodec(pictures.schema);
  const [batch] = await batchesOf(pictures, 0);
  const broken = startThread({ ...pictures.schema, fields: [] }, codec, BATCH, undefined);
  for (let tries = 0; tries < 100; tries++) {
    assert.equal(broken.ask(batch!, 1), false);
    await setTimeout(10);
  }
  const thread = startThread(pictures.schema, codec, BATCH, undefined);
  await asked(thread, batch!, 1);
  await thread.close();
  assert.equal(thread.take(batch!.index.length, arrays(codec, BATCH.batchSize)), false);
  assert.equal(thread.ask(batch!, 2), false);
});

/** What a learner sees of each batch, hashed, the engine resting for a while after it. */
async function seen(data: Dataset, codec: Codec, threads: number): Promise<string[]> {
  const source = trainingSource(data, codec, { batchSize: 128, seed: 3, threads });
  const into = arrays(codec, 128);
  const all: string[] = [];
  try {
    for (let epoch = 0; epoch < 80; epoch++)
      for await (const batch of source.batches(epoch, 0)) {
        batch.fill(into, all.length);
        all.push(createHash('sha256').update(into.x).digest('hex'));
        batch.prepare?.(all.length);
        await setTimeout(1);
      }
  } finally {
    await source.close();
  }
  return all;
}

test('a training sees the same batches with a thread beside it and without', async () => {
  const codec = createCodec(pictures.schema);
  const alone = await seen(pictures, codec, 1);
  assert.equal(alone.length, 80 * 4);
  assert.deepEqual(await seen(pictures, codec, 2), alone);
});
