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
import { drawAt, encodeInto } from './encoding.ts';

/** What both threads see. A batch is asked for by the next number in `control`, and done when that is there too. */
export interface Assembly extends BatchArrays {
  readonly schema: Schema;
  readonly seed: number;
  readonly control: Int32Array;
  /** All rows, where batches are picked out of the same ones each time: none where they are not, or are too large to copy. */
  readonly all: readonly Column[];
  /** The rows of a batch that is not of those, at the front. */
  readonly own: readonly Column[];
  /** Which of the rows are in the batch. */
  readonly index: Int32Array;
}

/** Places in `control`. */
export const ASKED = 0;
export const DONE = 1;
/** Whether the thread is there: it has begun, and nothing has gone wrong. */
export const READY = 2;
export const COUNT = 3;
export const STEP = 4;
/** Whether the batch is of `all`. */
export const OF_ALL = 5;

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
/** Bytes of rows that may be copied, so that the thread can pick out of them. */
const MOST_COPIED = 2 ** 28;
/** Milliseconds after which the thread is taken for dead. */
const LONGEST_WAIT = 1000;

/** A thread starts where it pays, and keeps no process alive. */
export function createAssembler(schema: Schema, codec: Codec, options: AssemblerOptions): Assembler {
  const overlaps: number[] = [];
  let resting = 0; // since when; before the first batch, since long
  let first: Rows | undefined;
  let thread: Thread | undefined;
  let begun: { readonly batch: Batch; readonly step: number } | undefined;

  /** Does it here, and sees what a thread would gain: the shorter of this and of what comes between two batches. */
  const fillAlone: Assembler['fill'] = (batch, step, into) => {
    const started = performance.now();
    encodeInto(codec, batch, into, drawAt(options.seed, step));
    if (overlaps.length === TIMED) return;
    first ??= batch.rows;
    overlaps.push(Math.min(performance.now() - started, started - resting));
    if (overlaps.length === TIMED && median(overlaps) > PAYS_FROM)
      thread = startThread(schema, codec, options, first === batch.rows ? first : undefined);
  };
  return {
    begin: (batch, step) => {
      resting = performance.now();
      begun = thread?.ask(batch, step) ? { batch, step } : undefined;
    },
    fill: (batch, step, into) => {
      const isBegun = begun?.batch === batch && begun.step === step;
      if (!isBegun || !thread?.take(batch.index.length, into)) fillAlone(batch, step, into);
    },
    close: async () => thread?.close(),
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

/** `all`: what batches are picked out of. */
export function startThread(
  schema: Schema,
  codec: Codec,
  options: AssemblerOptions,
  all: Rows | undefined,
): Thread {
  const assembly = share(schema, codec, options, all);
  const { control, own, index } = assembly;
  const fields = modelFields(schema);
  const script = new URL(`./assembly-thread${extname(import.meta.url)}`, import.meta.url);
  const worker = new Worker(script, { workerData: assembly });
  worker.unref();
  worker.on('error', () => {}); // what it cannot do is done here
  worker.on('exit', () => Atomics.store(control, READY, 0));
  return {
    ask: (batch, step) => {
      if (Atomics.load(control, READY) === 0) return false;
      const isOfAll = batch.rows === all && assembly.all.length > 0;
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
      if (!isDone(control)) return false;
      for (const name of ['x', 'mask', 'condition'] as const) {
        const made = assembly[name];
        into[name].set(made.subarray(0, count * (made.length / options.batchSize)));
      }
      return true;
    },
    close: async () => {
      await worker.terminate();
    },
  };
}

function share(
  schema: Schema,
  { shape, parts, masked, conditionSize }: Codec,
  { batchSize, seed }: AssemblerOptions,
  all: Rows | undefined,
): Assembly {
  const floats = (width: number) => new Float32Array(new SharedArrayBuffer(4 * batchSize * width));
  const ints = (length: number) => new Int32Array(new SharedArrayBuffer(4 * length));
  const columns = all?.columns ?? [];
  const bytes = columns.reduce((sum, column) => sum + column.byteLength, 0);
  return {
    schema,
    seed,
    control: ints(OF_ALL + 1),
    all: bytes > MOST_COPIED ? [] : columns.map(sharedCopy),
    own: modelFields(schema).map((field) => sharedCopy(newColumn(field, batchSize))),
    index: ints(batchSize),
    x: floats(shape.reduce((a, b) => a * b, 1)),
    mask: floats(masked ? parts.length : 0),
    condition: floats(conditionSize),
  };
}

function sharedCopy(column: Column): Column {
  const Kind = column.constructor as new (memory: SharedArrayBuffer) => Column;
  const copy = new Kind(new SharedArrayBuffer(column.byteLength));
  copy.set(column);
  return copy;
}

/** Waits for what was asked for; false where it will not come. */
function isDone(control: Int32Array): boolean {
  const asked = Atomics.load(control, ASKED);
  for (let done = Atomics.load(control, DONE); done !== asked; done = Atomics.load(control, DONE)) {
    if (Atomics.wait(control, DONE, done, LONGEST_WAIT) !== 'timed-out') continue;
    Atomics.store(control, READY, 0);
    return false;
  }
  return Atomics.load(control, READY) === 1;
}
