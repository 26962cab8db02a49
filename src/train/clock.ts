/** How long the parts of a step take around the engine, measured only when a profile is wanted. */
import type { BatchSource } from './source.ts';

/** In the order in which they come; there is no `norm` where the optimiser finds it on its way. */
export type StepPart = 'noise' | 'batch' | 'engine' | 'norm' | 'update';

/** Seconds of one step, and how many rows it had. */
export type StepTimes = Readonly<Record<StepPart | 'rows', number>>;

export interface Profile {
  /** Of the engine's trace: on Node, of the path of a file. */
  readonly prefix: string;
  /** The first `TRACED` steps, slowed by the trace, then up to `TIMED` without it; filled in place. */
  readonly steps: StepTimes[];
  /** Waiting for batches, over the whole training; counted in place. */
  readonly reading: { seconds: number; batches: number };
}

/** Steps in the trace: a trace takes about 650 bytes a node and step. (A thread for batches starts later than the steps that are timed.) */
export const TRACED = 100;
const TIMED = 100;

export const createProfile = (prefix: string): Profile => ({
  prefix,
  steps: [],
  reading: { seconds: 0, batches: 0 },
});

export interface StepClock {
  start(rows: number): void;
  /** Ends a part, which may come twice; `update` is the last of a step. */
  lap(part: StepPart): void;
}

const NO_CLOCK: StepClock = { start: () => {}, lap: () => {} };

const NOTHING: StepTimes = { rows: 0, noise: 0, batch: 0, engine: 0, norm: 0, update: 0 };

/** Notes the first steps in `profile`. `endTrace` is called once, after the last traced step. */
export function stepClock(profile: Profile | undefined, endTrace: () => void): StepClock {
  if (!profile) return NO_CLOCK;
  const { steps } = profile;
  let step = NOTHING;
  let at = 0;
  return {
    start: (rows) => {
      step = { ...NOTHING, rows };
      at = performance.now();
    },
    lap: (part) => {
      const now = performance.now();
      step = { ...step, [part]: step[part] + (now - at) / 1000 };
      at = now;
      if (part !== 'update' || steps.length === TRACED + TIMED) return;
      steps.push(step);
      if (steps.length === TRACED) endTrace();
    },
  };
}

/** `source`, its batches counted and waited for by the clock of `profile`. */
export const timedSource = (source: BatchSource, { reading }: Profile): BatchSource => ({
  rows: source.rows,
  batches: async function* (epoch, skip) {
    let asked = performance.now();
    for await (const batch of source.batches(epoch, skip)) {
      reading.seconds += (performance.now() - asked) / 1000;
      reading.batches++;
      yield batch;
      asked = performance.now();
    }
  },
});
