/** Where the numbers of a law come from that are not its location, and how they are held where densities stay finite. */
import * as z from 'zod';
import { add, concat, mul, softplus, sub, type Tensor, tanh } from '../../graph/index.ts';
import { constantly } from '../../nn/index.ts';
import type { Law, Likelihood, LikelihoodField } from '../likelihood.ts';

const SPEED = 10;

/**
 * A number learned for each feature and not decoded. It moves ten times as fast as a weight: it has further to go, and
 * until it arrives the KL weighs too much.
 */
export function learned(fields: readonly LikelihoodField[], name: string, initial = 0): Tensor {
  const all = fields.map(({ scope, size }) => scope.parameter(name, [size], constantly(initial / SPEED)));
  return mul(SPEED, concat(all, 0));
}

/** Held above a floor smoothly, so that no density runs to infinity (as Rybkin et al. 2021 do). */
export const floored = (raw: Tensor, least: number): Tensor => add(least, softplus(sub(raw, least)));

/** Bent into (low, high): half-way between the two it is itself. */
export function between(raw: Tensor, low: number, high: number): Tensor {
  const [centre, half] = [(low + high) / 2, (high - low) / 2];
  return add(centre, mul(half, tanh(mul(1 / half, sub(raw, centre)))));
}

/** Of logarithms: the scale of real numbers. */
export const logScaleOf = (raw: Tensor): Tensor => between(raw, -6, 14);

/** Of logarithms: the mean of counts and of what is positive, from 2e-9 to 5e8. */
export const logMeanOf = (raw: Tensor): Tensor => between(raw, -20, 20);

/** Of logarithms: concentrations, sizes and shapes; at the upper end most laws have become their narrow limit. */
export const logConcentrationOf = (raw: Tensor): Tensor => between(raw, -10, 10);

/** Of probabilities: between 6e-6 and its complement, where a law divides by them. */
export const logitsOf = (raw: Tensor): Tensor => between(raw, -12, 12);

export const spreadOption = z
  .enum(['learned', 'decoded'])
  .default('learned')
  .describe(
    'whether the width of the law is one number learned for each feature, or decoded for each example',
  );

type Spread = z.output<typeof spreadOption>;

/** A law of the decoded values and of its width, called `name`, which is learned or decoded too. */
export const withSpread = (
  from: Spread,
  decoded: readonly string[],
  name: string,
  build: (values: readonly Tensor[], spread: Tensor, fields: readonly LikelihoodField[]) => Likelihood,
  initial = 0,
): Pick<Law, 'parameters' | 'build'> => ({
  parameters: from === 'decoded' ? [...decoded, name] : decoded,
  build: (fields, values) => {
    const own = values[decoded.length];
    return build(values, own ? add(own, initial) : learned(fields, name, initial), fields);
  },
});
