/**
 * Do two cores share a cache? The host of a virtual machine moves its cores about, for some seconds at a time to where each has a cache of
 * its own. What one core wrote the other then reads half as fast, and a step that both work on takes up to twice as long; yet no time is
 * stolen, and a product of large matrices or anything on one core alone is as fast as ever, so that nothing else shows it.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

const LINES = 8192; // of 64 bytes: half of what the cache of a core holds
const READS = 15;
/** How much longer than the best a read takes where the cores share no cache: 1.0 to 1.3 ns a line, 2.4 and more. */
const APART = 1.6;

/** Writes every line when the turn is 1, and gives it back as 2; sleeps while it is 0. */
const writer = `
const { turn, lines } = require('node:worker_threads').workerData;
for (;;) {
  Atomics.wait(turn, 0, 0);
  for (let now; (now = Atomics.load(turn, 0)) !== 0; ) {
    if (now !== 1) continue;
    for (let i = 0; i < lines.length; i += 16) lines[i]++;
    Atomics.store(turn, 0, 2);
  }
}`;

export interface Cores {
  /** Nanoseconds in which a core reads a line that the other just wrote, the median of some; 0 where there is one core. */
  readonly exchange: () => number;
  /** Waits until the cores share a cache, as far as was seen so far, or `seconds` have passed, and gives the last exchange. */
  readonly together: (seconds: number) => Promise<number>;
  /** Whether an exchange is about as fast as the best so far. */
  readonly shared: (nanoseconds: number) => boolean;
  readonly close: () => Promise<unknown>;
}

export function watchCores(): Cores {
  const lines = new Int32Array(new SharedArrayBuffer(LINES * 64));
  const turn = new Int32Array(new SharedArrayBuffer(4));
  const alone = availableParallelism() < 2;
  const worker = alone ? undefined : new Worker(writer, { eval: true, workerData: { turn, lines } });
  worker?.unref();
  let best = Number.POSITIVE_INFINITY;
  const exchange = (): number => {
    if (alone) return 0;
    const times = Array.from({ length: READS }, () => readOnce(turn, lines)).sort((a, b) => a - b);
    Atomics.store(turn, 0, 0);
    const nanoseconds = (times[READS >> 1]! / LINES) * 1e6;
    best = Math.min(best, nanoseconds);
    return nanoseconds;
  };
  const shared = (nanoseconds: number): boolean => nanoseconds <= APART * best;
  return {
    exchange,
    shared,
    together: async (seconds) => {
      const end = performance.now() + seconds * 1000;
      for (;;) {
        const nanoseconds = exchange();
        if (shared(nanoseconds) || performance.now() > end) return nanoseconds;
        await sleep(200);
      }
    },
    close: async () => worker?.terminate(),
  };
}

/** Milliseconds in which all lines are read after the other core wrote them. */
function readOnce(turn: Int32Array, lines: Int32Array): number {
  Atomics.store(turn, 0, 1);
  Atomics.notify(turn, 0);
  while (Atomics.load(turn, 0) !== 2); // both awake, so that they are on two cores
  const started = performance.now();
  let sum = 0;
  for (let i = 0; i < lines.length; i += 16) sum += lines[i]!;
  const took = performance.now() - started;
  lines[1] = sum; // used, so that no compiler leaves the reading out
  return took;
}
