/** Learning-rate schedules: pure functions of where training is, so that resuming needs no state of theirs. */
import { UserError } from '../errors.ts';

export interface Progress {
  /** Of the update about to be made, from 1. */
  readonly step: number;
  /** Of the whole training. */
  readonly steps: number;
  /** From 0. */
  readonly epoch: number;
  /** Validation loss of each finished epoch. */
  readonly history: readonly number[];
}

/** A multiplier of the base rate. */
export type Schedule = (at: Progress) => number;

interface Warmed {
  /** Steps over which the rate climbs linearly to its full value. */
  readonly warmup?: number;
}

export const constant = ({ warmup = 0 }: Warmed = {}): Schedule => warmed('constant', warmup, () => 1);

/** Half a cosine from 1 after warm-up to `final` at the last step (Loshchilov & Hutter 2017, eq. 5 without restarts). */
export function cosine({ final = 0, warmup = 0 }: Warmed & { readonly final?: number } = {}): Schedule {
  fraction('cosine final', final);
  return warmed('cosine', warmup, ({ step, steps }) => {
    const done = Math.min(1, (step - warmup) / Math.max(1, steps - warmup));
    return final + (1 - final) * 0.5 * (1 + Math.cos(Math.PI * done));
  });
}

/** Multiplied by `factor` after every `every` epochs. */
export function step({
  every,
  factor = 0.1,
  warmup = 0,
}: Warmed & { readonly every: number; readonly factor?: number }): Schedule {
  whole('step every', every);
  fraction('step factor', factor);
  return warmed('step', warmup, ({ epoch }) => factor ** Math.floor(epoch / every));
}

export interface PlateauOptions extends Warmed {
  /** Epochs without a new best validation loss before the rate falls. */
  readonly patience?: number;
  readonly factor?: number;
  /** The multiplier never falls below this. */
  readonly minimum?: number;
}

/** Multiplied by `factor` each time `patience` epochs in a row bring no better validation loss. */
export function plateau({
  patience = 10,
  factor = 0.5,
  minimum = 0.01,
  warmup = 0,
}: PlateauOptions = {}): Schedule {
  whole('plateau patience', patience);
  fraction('plateau factor', factor);
  fraction('plateau minimum', minimum);
  return warmed('plateau', warmup, ({ history }) => Math.max(minimum, factor ** plateaus(history, patience)));
}

function plateaus(history: readonly number[], patience: number): number {
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  let count = 0;
  for (const loss of history) {
    waited = loss < best ? 0 : waited + 1;
    best = Math.min(best, Number.isNaN(loss) ? best : loss);
    if (waited < patience) continue;
    count++;
    waited = 0;
  }
  return count;
}

function warmed(kind: string, warmup: number, schedule: Schedule): Schedule {
  if (!(Number.isInteger(warmup) && warmup >= 0))
    throw new UserError(`${kind} warmup ${warmup}: expected a whole number of steps, 0 or more`);
  return (at) =>
    (at.step < warmup ? at.step / warmup : 1) * schedule(at.step < warmup ? { ...at, step: warmup } : at);
}

function whole(what: string, value: number): void {
  if (!(Number.isInteger(value) && value >= 1))
    throw new UserError(`${what} ${value}: expected a whole number from 1`);
}

function fraction(what: string, value: number): void {
  if (!(value >= 0 && value <= 1)) throw new UserError(`${what} ${value}: expected a number from 0 to 1`);
}
