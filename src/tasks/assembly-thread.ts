/** The thread that puts batches together: one after another as they are asked for, until it is terminated. */
import { getPriority, setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';
import { createCodec } from '../data/codec.ts';
import { ASKED, type Assembly, COUNT, DONE, OF_ALL, READY, STEP } from './assembly-desk.ts';
import { drawAt, encodeInto } from './encoding.ts';

const assembly = workerData as Assembly;
const { schema, seed, control, all, own } = assembly;
const codec = createCodec(schema);

/** How much lower the thread's priority is. (With 19 it would hardly run while other programs keep all cores busy.) */
const LOWER = 10;
const LOWEST = 19;

/**
 * Linux often wakes a thread on the core of the one that woke it, which has to wait then, though another core is idle. A thread
 * of lower priority does not push it aside, and is run on the idle core.
 */
function makeWay(): void {
  if (process.platform !== 'linux') return; // where the priority would be that of the whole process
  setPriority(Math.min(LOWEST, getPriority() + LOWER));
}

function assemble(): void {
  const count = control[COUNT]!;
  const index = assembly.index.slice(0, count);
  const rows = { count, columns: control[OF_ALL] === 1 ? all : own };
  // whose rows they are in the data does not matter where what is random is drawn for the step
  encodeInto(codec, { rows, index, ids: index }, assembly, drawAt(seed, control[STEP]!));
}

makeWay();
Atomics.store(control, READY, 1);
for (let done = 0; ; ) {
  Atomics.wait(control, ASKED, done);
  const asked = Atomics.load(control, ASKED);
  if (asked === done) continue; // woken late, for what was seen without waiting
  try {
    assemble();
  } catch {
    Atomics.store(control, READY, 0); // what is wrong is said where the batch is then put together
  }
  done = asked;
  Atomics.store(control, DONE, done);
  Atomics.notify(control, DONE);
}
