/**
 * Batches put together on a thread of their own while the optimiser runs: the engine rests then, and all cores but one with it.
 * What the thread has not done is done here, to the same bits.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import {
  type Batch,
  type Codec,
  type Column,
  copyRows,
  modelFields,
  newColumn,
  type Rows,
  type Schema,
} from '../data/index.ts';
import type { BatchArrays } from '../train/index.ts';
import { ASKED, type Assembly, COUNT, DONE, OF_ALL, READY, STEP } from './assembly-desk.ts';
import { copyBatch, drawAt, encodeInto, widthsOf } from './encoding.ts';

export interface Assembler {
  /** Called when the engine begins to rest: begins with the batch of a step, if the thread is there. */
  readonly begin: (batch: Batch, step: number) => void;
  /** Writes the batch of a step to the front of `into`. */
  readonly fill: (batch: Batch, step: number, into: BatchArrays) => void;
  readonly close: () => Promise<void>;
}

export interface AssemblerOptions {
  /** Rows in the largest batch. */
  readonly batchSize: number;
  readonly seed: number;
}

/** Steps that are timed before a thread is started: shorter trainings are over before it pays. */
const TIMED = 200;
/** Milliseconds of a step in which two threads would be busy; waking one and handing over takes nearly as long. */
const PAYS_FROM = 0.1;
/** Bytes of pictures that may be copied, so that the thread can pick its batches out of them. */
const MOST_COPIED = 2 ** 28;
/** Milliseconds after which the thread is taken for dead. */
const LONGEST_WAIT = 1000;
/** Training goes on as it would have, only slower. */
const ALONE = 'no thread puts batches together, so that the one that trains does it: ';

/** A thread starts where it pays, and keeps no process alive. */
export function createAssembler(schema: Schema, codec: Codec, options: AssemblerOptions): Assembler {
  const overlaps: number[] = [];
  let resting: number | undefined; // the engine, since when
  let thread: Thread | undefined;
  let begun: { readonly batch: Batch; readonly step: number } | undefined;

  /** Does it here, and sees what a thread would gain: the shorter of this and of what comes between two batches. */
  const fillAlone: Assembler['fill'] = (batch, step, into) => {
    const started = performance.now();
    encodeInto(codec, batch, into, drawAt(options.seed, step));
    if (resting === undefined || overlaps.length === TIMED) return;
    overlaps.push(Math.min(performance.now() - started, started - resting));
    if (overlaps.length < TIMED || median(overlaps) < PAYS_FROM) return;
    try {
      thread = startThread(schema, codec, options, batch.rows);
    } catch (error) {
      process.emitWarning(`${ALONE}${(error as Error).message}`);
    }
  };
  const dismiss = async () => {
    const dismissed = thread;
    thread = undefined;
    await dismissed?.close();
  };
  return {
    begin: (batch, step) => {
      resting = performance.now();
      begun = thread?.ask(batch, step) ? { batch, step } : undefined;
    },
    fill: (batch, step, into) => {
      const isBegun = begun?.batch === batch && begun.step === step;
      const isTaken = isBegun && thread?.take(batch.index.length, into);
      if (isBegun && !isTaken) void dismiss();
      if (!isTaken) fillAlone(batch, step, into);
      resting = undefined;
    },
    close: dismiss,
  };
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

export interface Thread {
  /** Hands a batch over; false where the thread is not there to take it. */
  readonly ask: (batch: Batch, step: number) => boolean;
  /** Copies what was made of its `count` rows; false where that will not come. */
  readonly take: (count: number, into: BatchArrays) => boolean;
  readonly close: () => Promise<void>;
}

/** Of pictures the thread picks its batches out of `rows`. Throws where the system gives no thread or no memory. */
export function startThread(schema: Schema, codec: Codec, options: AssemblerOptions, rows: Rows): Thread {
  const assembly = share(schema, codec, options, rows);
  const { control, all, own, index } = assembly;
  const fields = modelFields(schema);
  const widths = widthsOf(codec);
  const script = new URL(`./assembly-thread${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(script, { workerData: assembly });
  worker.unref();
  worker.on('error', ({ message }) => process.emitWarning(`${ALONE}${message}`)); // what it cannot do is done here
  worker.on('exit', () => Atomics.store(control, READY, 0));
  return {
    ask: (batch, step) => {
      if (Atomics.load(control, READY) === 0) return false;
      const isOfAll = batch.rows === rows && all.length > 0;
      if (isOfAll) index.set(batch.index);
      else {
        copyRows(fields, batch.rows, batch.index, own);
        for (let i = 0; i < batch.index.length; i++) index[i] = i;
      }
      control[OF_ALL] = Number(isOfAll);
      control[COUNT] = batch.index.length;
      control[STEP] = step;
      Atomics.add(control, ASKED, 1);
      Atomics.notify(control, ASKED);
      return true;
    },
    take: (count, into) => {
      if (!waitForDone(control)) return false;
      copyBatch(assembly, into, count, widths);
      return true;
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

function share(
  schema: Schema,
  codec: Codec,
  { batchSize, seed }: AssemblerOptions,
  { columns }: Rows,
): Assembly {
  const floats = (width: number) => new Float32Array(new SharedArrayBuffer(4 * batchSize * width));
  const ints = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));
  const widths = widthsOf(codec);
  const fields = modelFields(schema);
  const bytes = columns.reduce((sum, column) => sum + column.byteLength, 0);
  const isCopied = bytes <= MOST_COPIED && fields.some(({ type }) => type === 'image');
  return {
    schema,
    seed,
    control: ints(OF_ALL + 1),
    all: isCopied ? columns.map(sharedCopy) : [],
    own: fields.map((field) => sharedCopy(newColumn(field, batchSize))),
    index: ints(batchSize),
    x: floats(widths.x),
    mask: floats(widths.mask),
    condition: floats(widths.condition),
  };
}

function sharedCopy(column: Column): Column {
  const Kind = column.constructor as new (memory: SharedArrayBuffer) => Column;
  const copy = new Kind(new SharedArrayBuffer(column.byteLength));
  copy.set(column);
  return copy;
}

/** Waits for what was asked for; false where it does not come. */
function waitForDone(control: Int32Array): boolean {
  const asked = Atomics.load(control, ASKED);
  const deadline = performance.now() + LONGEST_WAIT;
  for (;;) {
    const done = Atomics.load(control, DONE);
    const left = deadline - performance.now();
    const isThere = Atomics.load(control, READY) === 1;
    if (done === asked || !isThere || left <= 0) return done === asked && isThere;
    Atomics.wait(control, DONE, done, left);
  }
}
