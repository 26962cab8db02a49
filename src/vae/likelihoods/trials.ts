/** Laws of counts out of a number of trials. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { add, clip, constant, logSigmoid, mul, neg, sigmoid, sub, type Tensor } from '../../graph/index.ts';
import { each, type Law, type Likelihood } from '../likelihood.ts';
import { negativeBinomial, poisson } from './counts.ts';
import { logConcentrationOf, logitsOf, spreadOption, withSpread } from './spread.ts';

/** x successes and n − x failures, each part by its law; given their sum, which `whole` is the law of. */
const shared = (
  parts: readonly [Likelihood, Likelihood],
  whole: Likelihood,
  trials: number,
): Likelihood['logProbs'] => {
  const all = whole.logProbs(constant([trials], [1]));
  return (given) => {
    const x = clip(given, 0, trials);
    return add(parts[0].logProbs(x), sub(parts[1].logProbs(sub(trials, x)), all));
  };
};

/** log of np for either outcome, p = σ(l). */
const logMeans = (logits: Tensor, trials: number): [Tensor, Tensor] => [
  add(Math.log(trials), logSigmoid(logits)),
  add(Math.log(trials), logSigmoid(neg(logits))),
];

/** x successes of n trials with chance p = σ(l): two Poisson counts of means np and n(1 − p), given that their sum is n. */
export function binomial(logits: Tensor, trials: number): Likelihood {
  const [successes, failures] = logMeans(logits, trials);
  const whole = poisson(constant([Math.log(trials)], [1]));
  return {
    mean: mul(trials, sigmoid(logits)),
    values: { logits },
    logProbs: shared([poisson(successes), poisson(failures)], whole, trials),
  };
}

/**
 * Binomial whose chance is beta with mean p = σ(l) and concentration s: two negative binomials of means np and n(1 − p)
 * and sizes sp and s(1 − p), given that their sum is n, which is a negative binomial of size s.
 */
export function betaBinomial(logits: Tensor, logConcentration: Tensor, trials: number): Likelihood {
  const [successes, failures] = logMeans(logits, trials);
  const size = (l: Tensor) => add(logConcentration, logSigmoid(l));
  const parts = [
    negativeBinomial(successes, size(logits)),
    negativeBinomial(failures, size(neg(logits))),
  ] as const;
  const whole = negativeBinomial(constant([Math.log(trials)], [1]), logConcentration);
  return {
    mean: mul(trials, sigmoid(logits)),
    values: { logits, logConcentration },
    logProbs: shared(parts, whole, trials),
  };
}

const trialsOption = z
  .int()
  .min(1)
  .max(100_000)
  .default(1)
  .describe('number of trials: the largest count there can be');

const chance = (logits: number): number => 1 / (1 + Math.exp(-logits));

const law = (trials: number) =>
  ({
    support: 'count',
    discrete: true,
    levels: trials + 1,
    view: (x: Tensor) => mul(1 / trials, x),
  }) as const;

export const tried = {
  binomial: choice({
    doc: 'Binomial, for how many of a number of trials succeed.',
    options: { trials: trialsOption },
    build: ({ trials }): Law => ({
      ...law(trials),
      parameters: ['logits'],
      build: (_, [logits]) => binomial(logits!, trials),
      draw: each((value, random) => random.binomial(trials, chance(value('logits')))),
    }),
  }),
  betaBinomial: choice({
    doc: 'Binomial whose chance varies by a beta law, for uneven success.',
    options: { trials: trialsOption, spread: spreadOption },
    build: ({ trials, spread }): Law => ({
      ...law(trials),
      ...withSpread(
        spread,
        ['logits'],
        'logConcentration',
        ([logits], raw) => betaBinomial(logitsOf(logits!), logConcentrationOf(raw), trials),
        1,
      ),
      draw: each((value, random) => {
        const [l, s] = [value('logits'), Math.exp(value('logConcentration'))];
        return random.binomial(trials, random.beta(s * chance(l), s * chance(-l)));
      }),
    }),
  }),
};
