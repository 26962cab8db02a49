/** Laws of real numbers with heavier tails than a Gaussian. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  abs,
  add,
  binet,
  constant,
  div,
  exp,
  log1p,
  mul,
  neg,
  square,
  sub,
  type Tensor,
} from '../../graph/index.ts';
import { each, type Law, type Likelihood } from '../likelihood.ts';
import { between, learned, logScaleOf, spreadOption, withSpread } from './spread.ts';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

const real = { support: 'real', discrete: false } as const;

/** −|x − μ|/b − log 2b, b = exp(logScale). */
export const laplace = (mean: Tensor, logScale: Tensor): Likelihood => ({
  mean,
  values: { mean, logScale },
  logProbs: (x) => neg(add(mul(abs(sub(x, mean)), exp(neg(logScale))), add(logScale, Math.LN2))),
});

/**
 * Student's t with ν degrees of freedom, location `mean` (the mean where ν > 1) and scale s: with a = ν/2 and
 * z = (x − μ)/s, log Γ(a + ½)/Γ(a) − ½ log νπ − log s − (a + ½) log(1 + z²/ν), the gammas by Stirling's formula, in
 * which what grows with ν cancels.
 */
export function studentT(mean: Tensor, logScale: Tensor, freedom: Tensor): Likelihood {
  const a = mul(0.5, freedom);
  const above = add(a, 0.5);
  const gammas = add(mul(a, log1p(div(0.5, a))), sub(binet(above), binet(a)));
  const norm = sub(sub(gammas, 0.5 + HALF_LOG_2PI), logScale);
  return {
    mean,
    values: { mean, logScale, freedom },
    logProbs: (x) => {
      const z = mul(sub(x, mean), exp(neg(logScale)));
      return sub(norm, mul(above, log1p(div(square(z), freedom))));
    },
  };
}

/** Above 1, so that there is a mean, and up to 1100, where it is as good as a Gaussian. */
const freedomOf = (raw: Tensor): Tensor => add(1, exp(between(raw, -3, 7)));
const FIVE = 1.3; // raw: five degrees to start with

export const reals = {
  laplace: choice({
    doc: 'Laplace: absolute error, for outliers.',
    options: { spread: spreadOption },
    build: ({ spread }): Law => ({
      ...real,
      ...withSpread(spread, ['mean'], 'logScale', ([mean], raw) => laplace(mean!, logScaleOf(raw))),
      draw: each((value, { uniform }) => {
        const side = 2 * uniform() - 1;
        const size = -Math.log(uniform());
        return value('mean') + Math.exp(value('logScale')) * Math.sign(side) * size;
      }),
    }),
  }),
  studentT: choice({
    doc: "Student's t, for outliers far away (Takahashi et al. 2018).",
    options: {
      spread: spreadOption,
      freedom: z
        .number()
        .positive()
        .optional()
        .describe('degrees of freedom; without it learned for each feature, above 1'),
    },
    build: ({ spread, freedom }): Law => ({
      ...real,
      ...withSpread(spread, ['mean'], 'logScale', ([mean], raw, fields) => {
        const degrees =
          freedom === undefined ? freedomOf(learned(fields, 'freedom', FIVE)) : constant([freedom], [1]);
        return studentT(mean!, logScaleOf(raw), degrees);
      }),
      draw: each((value, { normal, gamma }) => {
        const a = value('freedom') / 2;
        return value('mean') + Math.exp(value('logScale')) * normal() * Math.sqrt(a / gamma(a));
      }),
    }),
  }),
};
