/** What the thread that trains and the one that puts batches together both see. */
import type { Column, Schema } from '../data/index.ts';
import type { BatchArrays } from '../train/index.ts';

/** A batch is asked for by the next number in `control`, and done when that is there too. */
export interface Assembly extends BatchArrays {
  readonly schema: Schema;
  readonly seed: number;
  readonly control: Int32Array;
  /** All pictures, where they may be copied. */
  readonly all: readonly Column[];
  /** The rows of a batch that is not of `all`, at the front. */
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
