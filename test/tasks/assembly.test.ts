/** Batches put together on a thread of their own: the same bits, whoever does it, and whatever becomes of the thread. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
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
import { ASKED, DONE } from '../../src/tasks/assembly-desk.ts';
import { drawAt, encodeInto } from '../../src/tasks/encoding.ts';
import { type TrainingOptions, trainingSource } from '../../src/tasks/source.ts';
import type { BatchArrays } from '../../src/train/index.ts';
import { collect, mixedCsv, put, temporaryFolder } from '../data/files.ts';

const folder = temporaryFolder();
const NONE = { count: 0, columns: [] };
const BATCH = { batchSize: 96, seed: 3 };
const everything = { validation: 0, test: 0 };

const pixels = new Uint32Array((1000 * 28 * 28) / 4);
stream(1, 'pixels').uint32(pixels);
const pictures = await openDataset(
  put(folder, 'pictures.npy', formatNpy({ shape: [1000, 28, 28], data: new Uint8Array(pixels.buffer) })),
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

/** What was asked for is what is made of the batch here. */
function takesWhatIsMadeHere(thread: Thread, codec: Codec, batch: Batch, step: number): void {
  const [there, here] = [arrays(codec, BATCH.batchSize), arrays(codec, BATCH.batchSize)];
  assert.ok(thread.take(batch.index.length, there));
  encodeInto(codec, batch, here, drawAt(BATCH.seed, step));
  assert.deepEqual(there, here);
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
    const thread = startThread(data.schema, codec, BATCH, isWhole ? batches[0]!.rows : NONE);
    try {
      for (const [i, batch] of batches.entries()) {
        await asked(thread, batch, 10 + i);
        takesWhatIsMadeHere(thread, codec, batch, 10 + i);
      }
      assert.ok(batches.at(-1)!.index.length < BATCH.batchSize, 'no batch was smaller');
    } finally {
      await thread.close();
    }
  });

/** The priority of each thread of this process. */
const priorities = () =>
  readdirSync('/proc/self/task').map((id) => {
    const fields = readFileSync(`/proc/self/task/${id}/stat`, 'utf8').split(') ')[1]!;
    return Number(fields.split(' ')[16]);
  });

const LOWEST = 19;

test('a thread has a lower priority than the one that trains, and no other thread has', {
  skip:
    process.platform !== 'linux' ||
    (getPriority() === LOWEST && 'no priority is lower than that of the tests'),
}, async () => {
  const codec = createCodec(table.schema);
  const [batch] = await batchesOf(table, 0);
  const before = priorities().filter((nice) => nice > getPriority()).length;
  const thread = startThread(table.schema, codec, BATCH, NONE);
  try {
    await asked(thread, batch!, 1);
    assert.equal(priorities().filter((nice) => nice > getPriority()).length, before + 1);
  } finally {
    await thread.close();
  }
});

test('what was asked for and not wanted after all is left behind', async () => {
  const codec = createCodec(pictures.schema);
  const [first, second] = await batchesOf(pictures, 0);
  const thread = startThread(pictures.schema, codec, BATCH, NONE);
  try {
    await asked(thread, first!, 1);
    assert.ok(thread.ask(second!, 2));
    takesWhatIsMadeHere(thread, codec, second!, 2);
  } finally {
    await thread.close();
  }
});

test('a thread that is woken for nothing does nothing', async (t) => {
  const codec = createCodec(table.schema);
  const [first, second] = await batchesOf(table, 0);
  const notify = t.mock.method(Atomics, 'notify');
  const thread = startThread(table.schema, codec, BATCH, NONE);
  try {
    await asked(thread, first!, 1);
    assert.ok(thread.take(first!.index.length, arrays(codec, BATCH.batchSize)));
    const control = notify.mock.calls[0]!.arguments[0] as unknown as Int32Array<SharedArrayBuffer>;
    await setTimeout(20);
    assert.equal(Atomics.notify(control, ASKED), 1);
    await setTimeout(20);
    assert.equal(control[DONE], 1);
    assert.ok(thread.ask(second!, 2));
    takesWhatIsMadeHere(thread, codec, second!, 2);
  } finally {
    await thread.close();
  }
});

test('a thread that cannot begin, or has been closed, is never there', async () => {
  const codec = createCodec(pictures.schema);
  const [batch] = await batchesOf(pictures, 0);
  const warned = once(process, 'warning');
  const broken = startThread({ ...pictures.schema, fields: [] }, codec, BATCH, NONE);
  for (let tries = 0; tries < 100; tries++) {
    assert.equal(broken.ask(batch!, 1), false);
    await setTimeout(10);
  }
  const [warning] = (await warned) as [Error];
  assert.match(warning.message, /^no thread puts batches together, so that the one that trains does it: \w/);
  const thread = startThread(pictures.schema, codec, BATCH, NONE);
  await asked(thread, batch!, 1);
  await thread.close();
  assert.equal(thread.take(batch!.index.length, arrays(codec, BATCH.batchSize)), false);
  assert.equal(thread.ask(batch!, 2), false);
});

const threads = () => (process.report.getReport() as unknown as { workers: unknown[] }).workers.length;

/** What a learner sees of each batch, hashed, the engine resting for a while after it; and how many threads there were in the end. */
async function seen(data: Dataset, codec: Codec, options: TrainingOptions) {
  const source = trainingSource(data, codec, options);
  const into = arrays(codec, options.batchSize);
  const batches: string[] = [];
  try {
    for (let epoch = 0; epoch < 80; epoch++)
      for await (const batch of source.batches(epoch, 0)) {
        batch.fill(into, batches.length);
        batches.push(createHash('sha256').update(into.x).digest('hex'));
        batch.prepare?.(batches.length);
        await setTimeout(1);
      }
    return { batches, threads: threads() };
  } finally {
    await source.close();
  }
}

test('a training sees the same batches with a thread beside it and without', async () => {
  const codec = createCodec(pictures.schema);
  const before = threads();
  const alone = await seen(pictures, codec, { batchSize: 250, seed: 3 });
  assert.deepEqual([alone.batches.length, alone.threads], [80 * 4, before]);
  const shared = await seen(pictures, codec, { batchSize: 250, seed: 3, threads: 2 });
  assert.deepEqual(shared, { ...alone, threads: before + 1 });
});
