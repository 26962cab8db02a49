/** Objectives that hold the KL, the rate of the code, at a figure instead of a price. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { UserError } from '../../errors.ts';
import { abs, add, clip, minimum, mul, neg, sigmoid, stopGradient, sub, sum } from '../../graph/index.ts';
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
import { weightOption } from './options.ts';

export interface CapacityOptions {
  /** C in the end, nats. */
  readonly capacity: number;
  readonly capacityWeight: number;
  /** Part of training over which C rises from 0. */
  readonly capacityRise: number;
}

/** γ·|KL − C| − E_q[log p(x|z)] with C rising linearly (Burgess et al. 2018). */
export function heldAtCapacity(
  terms: Terms,
  context: Pick<ObjectiveContext, 'scale' | 'progress'>,
  { capacity: most, capacityWeight, capacityRise }: CapacityOptions,
): Losses {
  const capacity = mul(minimum(mul(context.progress, 1 / capacityRise), 1), most);
  const distance = abs(sub(totalKl(terms, context), capacity));
  const loss = sub(mul(capacityWeight, distance), expectedLogPx(terms, context));
  return { loss: penalised(loss, terms), report: { capacity } };
}

export interface ControlOptions {
  /** The KL aimed at, nats. */
  readonly targetKl: number;
  readonly gain: number;
  readonly integralGain: number;
  readonly betaLeast: number;
  readonly betaMost: number;
}

/**
 * The ELBO with a weight of the KL that a controller moves until the KL is at its target: with the error e = target − KL,
 * w = P / (1 + exp(e)) + Σ (−I·e) + least, between least and most (Shao et al. 2020, algorithm 1). The sum is held between the
 * same bounds, so that it never has far to come back, and starts where w is about 1. It is a parameter of the graph: a
 * resumed training finds it in its checkpoint.
 */
export function controlled(
  terms: Terms,
  { scale, beta, scope }: Pick<ObjectiveContext, 'scale' | 'beta' | 'scope'>,
  { targetKl, gain, integralGain, betaLeast: least, betaMost: most }: ControlOptions,
): Losses {
  const own = scope.at('control');
  const start = Math.min(Math.max(1 - least, 0), most - least);
  const state = own.parameter('sum', [1], constantly(start));
  const kl = totalKl(terms, { scale });
  const error = stopGradient(sub(targetKl, kl));
  const next = clip(sub(state, mul(integralGain, error)), 0, most - least);
  const pulled = add(mul(gain, sigmoid(neg(error))), add(sum(next), least));
  const weight = clip(pulled, least, most);
  const loss = sub(mul(mul(beta, stopGradient(weight)), kl), expectedLogPx(terms, { scale }));
  return {
    loss: penalised(loss, terms),
    report: { klWeight: weight },
    updates: { [`${own.path}.sum`]: next },
  };
}

export const rates = {
  capacity: choice({
    doc: 'Reconstruction with the KL held at a capacity that rises (Burgess et al. 2018).',
    options: {
      capacity: z.number().min(0).default(25).describe('nats of KL in the end'),
      capacityWeight: weightOption(10, 'the distance between KL and capacity'),
      capacityRise: z
        .number()
        .gt(0)
        .max(1)
        .default(0.75)
        .describe('part of training over which the capacity rises'),
    },
    build: (options): Objective => ({
      samples: 1,
      beta: 0,
      judge: ({ logPx, kl }) => options.capacityWeight * Math.abs(kl - options.capacity) - logPx,
      random: true,
      ofMeans: true,
      losses: (terms, context) => heldAtCapacity(terms, context, options),
    }),
  }),
  controlVae: choice({
    doc: 'The ELBO with a weight of the KL that adapts until the KL reaches a target (Shao et al. 2020).',
    options: {
      targetKl: z.number().min(0).default(25).describe('nats of KL aimed at'),
      gain: z.number().min(0).default(0.01).describe('proportional gain of the controller'),
      integralGain: z.number().min(0).default(0.001).describe('integral gain of the controller'),
      betaLeast: z.number().min(0).default(0).describe('least weight of the KL'),
      betaMost: z.number().positive().default(100).describe('largest weight of the KL'),
    },
    build: (options): Objective => {
      const { betaLeast, betaMost } = options;
      if (betaLeast >= betaMost)
        throw new UserError(`the weight of the KL cannot be from ${betaLeast} to ${betaMost}`);
      return {
        samples: 1,
        beta: 1,
        judge: ({ logPx, kl }) => Math.abs(kl - options.targetKl) - logPx,
        random: true,
        ofMeans: true,
        losses: (terms, context) => controlled(terms, context, options),
      };
    },
  }),
};
