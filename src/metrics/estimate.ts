/** Figures with their 95 % confidence intervals. */

/** A figure and where it may lie. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** The 97.5 % point of the standard normal distribution. */
export const NORMAL_95 = 1.959963984540054;

/** value ± 1.96 standard errors. */
export const around = (value: number, standardError: number): Estimate => ({
  value,
  low: value - NORMAL_95 * standardError,
  high: value + NORMAL_95 * standardError,
});

/** Running mean and variance of values that come one by one (Welford 1962). */
export interface Moments {
  readonly add: (value: number) => void;
  readonly count: () => number;
  readonly mean: () => number;
  /** Unbiased. */
  readonly variance: () => number;
}

export function moments(values: Iterable<number> = []): Moments {
  let [count, mean, squares] = [0, 0, 0];
  const add = (value: number) => {
    count++;
    const before = value - mean;
    mean += before / count;
    squares += before * (value - mean);
  };
  for (const value of values) add(value);
  return { add, count: () => count, mean: () => mean, variance: () => squares / Math.max(1, count - 1) };
}

/** The mean of what was added, with the interval of the normal distribution; a single value says nothing of how far it is off. */
export const meanOf = (m: Moments): Estimate =>
  around(m.mean(), m.count() > 1 ? Math.sqrt(m.variance() / m.count()) : Number.POSITIVE_INFINITY);

/** A share of n, by Wilson (1927): sensible at 0 and at n too. */
export function shareOf(hits: number, n: number): Estimate {
  const p = hits / n;
  const z2 = NORMAL_95 ** 2 / n;
  const centre = (p + z2 / 2) / (1 + z2);
  const half = (NORMAL_95 * Math.sqrt((p * (1 - p)) / n + z2 / (4 * n))) / (1 + z2);
  return {
    value: p,
    low: Math.min(p, Math.max(0, centre - half)),
    high: Math.max(p, Math.min(1, centre + half)),
  };
}

/** An estimate through a function that only rises or only falls. */
export function through({ value, low, high }: Estimate, f: (value: number) => number): Estimate {
  const ends = [f(low), f(high)] as const;
  return { value: f(value), low: Math.min(...ends), high: Math.max(...ends) };
}

/** Share of ascending values that are below, those that are the same counted half. */
export function rankOf(sorted: ArrayLike<number>, value: number): number {
  let [below, same] = [0, 0];
  for (let i = 0; i < sorted.length && sorted[i]! <= value; i++)
    if (sorted[i]! < value) below++;
    else same++;
  return (below + same / 2) / sorted.length;
}

/** The 97.5 % point of Student's t with 9 degrees of freedom. */
const STUDENT_9 = 2.2621571627982;
const GROUPS = 10;

/**
 * A score of rows 0 … n − 1 with the interval of the delete-a-group jackknife (Kott 2001): the score without each tenth
 * of the rows in turn. `order` says which row is in which tenth.
 */
export function jackknife(
  order: ArrayLike<number>,
  score: (rows: Int32Array) => Readonly<Record<string, number>>,
): Record<string, Estimate> {
  const all = Int32Array.from(order).sort();
  const whole = score(all);
  const without = Array.from({ length: GROUPS }, (_, g) =>
    score(
      Int32Array.from(order)
        .filter((_, i) => i % GROUPS !== g)
        .sort(),
    ),
  );
  const entries = Object.entries(whole).map(([name, value]) => {
    const each = moments(without.map((scores) => scores[name]!));
    const error = Math.sqrt(((GROUPS - 1) ** 2 / GROUPS) * each.variance());
    return [name, { value, low: value - STUDENT_9 * error, high: value + STUDENT_9 * error }] as const;
  });
  return Object.fromEntries(entries);
}
