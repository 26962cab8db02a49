/** Which law of p(x|z) a numeric column has, and so how its values are brought into model space. */

import type * as z from 'zod';
import { UserError } from '../errors.ts';
import { type Law, type LikelihoodName, likelihoods, make, type Support } from '../vae/index.ts';
import type { LawChoice, NumericField, Transform } from './schema.ts';

/** The set that values are in after each transform. */
const SUPPORTS = {
  quantile: 'real',
  standard: 'real',
  scale: 'positive',
  count: 'count',
  range: 'unit',
  turn: 'angle',
} as const satisfies Record<Transform['kind'], Support>;

export const supportAfter = ({ kind }: Transform): Support => SUPPORTS[kind];

/**
 * The transform for a law over a support; undefined where numbers have none. Normal scores are for the Gaussian alone: they
 * would take away the tails and peaks that other laws are chosen for.
 */
export const transformTo = (support: Support, law: string): Transform['kind'] | undefined =>
  support === 'real' && law !== 'gaussian'
    ? 'standard'
    : (Object.keys(SUPPORTS) as Transform['kind'][]).find((kind) => SUPPORTS[kind] === support);

/** `'poisson'` is `{ kind: 'poisson' }`. */
export const asChoice = (law: LawChoice): { readonly kind: string } =>
  typeof law === 'string' ? { kind: law } : law;

export function lawOf(law: LawChoice): Law {
  const { kind, ...options } = asChoice(law);
  if (!Object.hasOwn(likelihoods, kind))
    throw new UserError(
      `there is no likelihood "${kind}", expected one of ${Object.keys(likelihoods).join(', ')}`,
    );
  return make<z.ZodRawShape, Law>(likelihoods[kind as LikelihoodName] as never, options);
}

/** Why values from `min` to `max` are not all in the set that a law is over, in words; undefined where they are. */
export function misfit(
  { support, levels = Number.POSITIVE_INFINITY }: Pick<Law, 'support' | 'levels'>,
  { min, max, isWhole }: { readonly min: number; readonly max: number; readonly isWhole: boolean },
): string | undefined {
  if (!Object.values<Support>(SUPPORTS).includes(support)) return 'it is for categories or for yes and no';
  if (support === 'count' && !(isWhole && min >= 0)) return 'it needs whole numbers from 0';
  if (support === 'count' && max >= levels)
    return `it is for counts of up to ${levels - 1}: say how many trials there are (--likelihood-trials ${max})`;
  if (support === 'positive' && !(min > 0)) return 'it needs numbers above 0';
  if (support === 'angle' && turnOf(min, max) === undefined)
    return 'it needs angles: up to 6.28, 24 or 360, or a "period" in a --schema file';
  return undefined;
}

/** Whether a value is in the set that the law of a field is over; undefined where every number is. */
export function accepts({ likelihood, transform }: NumericField): ((v: number) => boolean) | undefined {
  const { support, levels = Number.POSITIVE_INFINITY } = lawOf(likelihood);
  if (support === 'count') return (v) => v >= 0 && v < levels && Number.isInteger(v);
  if (support === 'positive') return (v) => v > 0;
  return isShares(transform) ? (v) => v >= 0 && v <= 1 : undefined;
}

/** From 0 to 1 as they are; other ranges are those that training has seen, and values beyond count as their ends. */
export const isShares = (transform: Transform): boolean =>
  transform.kind === 'range' && transform.low === 0 && transform.high === 1;

const TURNS = [2 * Math.PI, 24, 360];
const SLACK = 1e-3;

/** The length of a turn that values seem to be parts of: radians, hours or degrees. */
export const turnOf = (min: number, max: number): number | undefined =>
  TURNS.find((turn) => min >= -turn / 2 - SLACK && max <= turn + SLACK);

/** What a field's values are in, in a word, where they are not real numbers. */
export function describeLaw({ likelihood, transform }: NumericField): string[] {
  const { kind } = asChoice(likelihood);
  if (transform.kind === 'turn') return [`${kind}, a turn is ${Number(transform.period.toPrecision(6))}`];
  return kind === 'gaussian' ? [] : [kind];
}
