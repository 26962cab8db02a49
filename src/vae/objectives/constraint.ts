/** The KL made as small as a reconstruction that is good enough allows. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { add, clip, exp, mul, neg, stopGradient, sub, sum } from '../../graph/index.ts';
import { constantly } from '../../nn/index.ts';
import {
  expectedLogPx,
  type Losses,
  type Objective,
  type ObjectiveContext,
  penalised,
  totalKl,
} from '../objective.ts';
import type { Terms } from '../terms.ts';

export interface ConstraintOptions {
  /** κ: the −log p(x|z) that is good enough, nats. */
  readonly tolerance: number;
  /** How fast the multiplier follows, for each nat and step. */
  readonly multiplierRate: number;
  /** Decay of the running mean of the constraint. */
  readonly constraintDecay: number;
}

/** What an epoch pays for a nat that its reconstruction lacks. */
const MISSING = 10;
/** ln λ stays within these. */
const MOST_LOG = 10;

/**
 * KL + λ·C with the constraint C = −E_q[log p(x|z)] − κ ≤ 0 and λ ← λ·exp(rate · C̄), C̄ a running mean whose gradient is that
 * of C (Rezende & Viola 2018, eq. 2 and algorithm 1). ln λ and C̄ are parameters of the graph: a resumed training finds them
 * in its checkpoint. A step's change of ln λ is held within ±1.
 */
export function constrained(
  terms: Terms,
  { scale, beta, scope }: Pick<ObjectiveContext, 'scale' | 'beta' | 'scope'>,
  { tolerance, multiplierRate, constraintDecay }: ConstraintOptions,
): Losses {
  const own = scope.at('constraint');
  const logMultiplier = own.parameter('logMultiplier', [1], constantly(0));
  const average = own.parameter('average', [1], constantly(0));
  const logPx = expectedLogPx(terms, { scale });
  const constraint = sub(neg(logPx), tolerance);
  const followed = stopGradient(add(mul(constraintDecay, average), mul(1 - constraintDecay, constraint)));
  const change = clip(mul(multiplierRate, followed), -1, 1);
  const multiplier = sum(exp(stopGradient(logMultiplier)));
  const loss = add(mul(beta, totalKl(terms, { scale })), mul(multiplier, constraint));
  return {
    loss: penalised(loss, terms),
    report: { constraint, multiplier },
    updates: {
      [`${own.path}.logMultiplier`]: clip(add(logMultiplier, change), -MOST_LOG, MOST_LOG),
      [`${own.path}.average`]: followed,
    },
  };
}

export const constraints = {
  geco: choice({
    doc: 'The least KL with a reconstruction as good as asked for (Rezende & Viola 2018).',
    options: {
      tolerance: z.number().default(100).describe('−log p(x|z) that is good enough, nats'),
      multiplierRate: z
        .number()
        .positive()
        .default(1e-4)
        .describe('part by which the weight of the reconstruction grows in a step, for each nat missing'),
      constraintDecay: z
        .number()
        .min(0)
        .lt(1)
        .default(0.99)
        .describe('decay of the running mean of what is missing'),
    },
    build: (options): Objective => ({
      samples: 1,
      beta: 1,
      judge: ({ logPx, kl }) => kl + MISSING * Math.max(0, -logPx - options.tolerance),
      random: true,
      losses: (terms, context) => constrained(terms, context, options),
    }),
  }),
};
