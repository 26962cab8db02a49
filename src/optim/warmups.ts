/** Warm-ups of the KL weight: pure functions of the step with values in [0, 1] that always reach 1 and end there. */
import { UserError } from '../errors.ts';

/** `step` from 1, `steps` of the whole training. */
export interface WarmupProgress {
  readonly step: number;
  readonly steps: number;
}

export interface Warmup {
  (at: WarmupProgress): number;
  /** The first step with the full weight for good. */
  readonly end: (steps: number) => number;
  /** As the user wrote it, for messages. */
  readonly describe: string;
}

/** A length of training: a number of steps, or a fraction of all of them. */
export type Span = { readonly steps: number } | { readonly fraction: number };

/** No warm-up: the full weight from the first step. */
export const none: Warmup = Object.assign(() => 1, { end: () => 1, describe: 'no warm-up' });

/** Straight up to 1 over `over` (Bowman et al. 2016 introduced KL annealing; linear as in Sønderby et al. 2016). */
export function linear(over: Span): Warmup {
  const length = lengthOf(over);
  return Object.assign(({ step, steps }: WarmupProgress) => Math.min(1, step / length(steps)), {
    end: length,
    describe: `a linear warm-up over ${show(over)}`,
  });
}

/** Half a cosine up to 1 over `over`: slow at both ends, twice as fast as linear in the middle. */
export function cosine(over: Span): Warmup {
  const length = lengthOf(over);
  const weight = ({ step, steps }: WarmupProgress): number =>
    0.5 * (1 - Math.cos(Math.PI * Math.min(1, step / length(steps))));
  return Object.assign(weight, { end: length, describe: `a cosine warm-up over ${show(over)}` });
}

export interface CyclicalOptions {
  readonly over: Span;
  readonly cycles?: number;
  /** The part of each cycle spent rising; the rest stays at 1. */
  readonly rise?: number;
}

/** `cycles` times from 0 to 1, then 1 (Fu et al. 2019, eq. 6, with a linear rise). */
export function cyclical({ over, cycles = 4, rise = 0.5 }: CyclicalOptions): Warmup {
  if (!(Number.isInteger(cycles) && cycles >= 1))
    throw new UserError(`cyclical warm-up with ${cycles} cycles: expected a whole number from 1`);
  if (!(rise > 0 && rise <= 1))
    throw new UserError(`cyclical warm-up rising for ${rise}: expected above 0, up to 1`);
  const length = lengthOf(over);
  const weight = ({ step, steps }: WarmupProgress): number => {
    const period = length(steps) / cycles;
    return step >= length(steps) ? 1 : Math.min(1, (((step - 1) % period) + 1) / period / rise);
  };
  return Object.assign(weight, {
    end: (steps: number) => Math.ceil(length(steps) * (1 - (1 - rise) / cycles)),
    describe: `a cyclical warm-up over ${show(over)}`,
  });
}

/** Refuses a warm-up that training of `steps` steps would stop short of its end. */
export function checkWarmup(warmup: Warmup, steps: number): void {
  const end = warmup.end(steps);
  if (end > steps)
    throw new UserError(
      `${warmup.describe} reaches its end at step ${end}, but training has ${steps} steps: ` +
        `train longer, or shorten it to at most ${steps} steps (a fraction, such as 0.25, always fits)`,
    );
}

function lengthOf(span: Span): (steps: number) => number {
  if ('steps' in span) {
    if (!(Number.isInteger(span.steps) && span.steps >= 1))
      throw new UserError(`warm-up over ${span.steps} steps: expected a whole number from 1`);
    return () => span.steps;
  }
  if (!(span.fraction > 0 && span.fraction <= 1))
    throw new UserError(`warm-up over ${span.fraction} of training: expected above 0, up to 1`);
  return (steps) => Math.max(1, Math.floor(span.fraction * steps));
}

const show = (span: Span): string =>
  'steps' in span ? `${span.steps} steps` : `${span.fraction} of training`;
