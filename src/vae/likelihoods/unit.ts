/** Laws of the unit interval. */
import { choice } from '../../choice.ts';
import {
  add,
  binet,
  clip,
  excess,
  exp,
  langevin,
  log,
  logSigmoid,
  logSinhc,
  mul,
  neg,
  sigmoid,
  sub,
  type Tensor,
  withGradient,
} from '../../graph/index.ts';
import { each, type Law, type Likelihood } from '../likelihood.ts';
import { logConcentrationOf, logitsOf, spreadOption, withSpread } from './spread.ts';

const LOG_2PI = Math.log(2 * Math.PI);

/**
 * x ∈ [0, 1] with density ∝ λˣ(1 − λ)¹⁻ˣ (Loaiza-Ganem & Cunningham 2019). In logits l it is an exponential,
 * (x − ½) l − log (sinh(l/2) / (l/2)), and λ = ½, where their constant is 0/0, is no special point.
 */
export const continuousBernoulli = (logits: Tensor): Likelihood => {
  const half = mul(0.5, logits);
  const mean = add(0.5, mul(0.5, langevin(half)));
  return {
    mean,
    values: { logits },
    logProbs: (x) =>
      withGradient(
        [x, logits],
        sub(mul(sub(x, 0.5), logits), logSinhc(half)),
        (dy) => [mul(dy, logits), mul(dy, sub(x, mean))],
        true,
      ),
  };
};

/** The quantile at u, from the end where the density is high. */
function drawExponential(logits: number, u: number): number {
  if (Math.abs(logits) < 1e-6) return u;
  const distance = Math.log1p(u * Math.expm1(-Math.abs(logits))) / -Math.abs(logits);
  return logits < 0 ? distance : 1 - distance;
}

/** Data on an end of the interval is taken as this far inside. */
const EDGE = 1e-6;

/**
 * Beta with mean p = σ(l) and concentration s = a + b, a = sp, b = s(1 − p). With y = 1 − x, q = 1 − p and the gammas
 * by Stirling's formula: −a E(log x/p) − b E(log y/q) + ½ log(ab / 2πs) − J(a) − J(b) + J(s) − log xy, E(v) = eᵛ − 1 − v.
 */
export function beta(logits: Tensor, logConcentration: Tensor): Likelihood {
  const sides = [logSigmoid(logits), logSigmoid(neg(logits))] as const;
  const total = exp(logConcentration);
  return {
    mean: sigmoid(logits),
    values: { logits, logConcentration },
    logProbs: (given) => {
      const x = clip(given, EDGE, 1 - EDGE);
      const [first, second] = [x, sub(1, x)].map((part, i) => {
        const logShape = add(logConcentration, sides[i]!);
        const shape = exp(logShape);
        const logPart = log(part);
        const far = mul(shape, excess(sub(logPart, sides[i]!)));
        return sub(sub(mul(0.5, logShape), binet(shape)), add(far, logPart));
      });
      return sub(add(add(first!, second!), binet(total)), mul(0.5, add(logConcentration, LOG_2PI)));
    },
  };
}

export const units = {
  continuousBernoulli: choice({
    doc: 'Continuous Bernoulli, for intensities in [0, 1] (Loaiza-Ganem & Cunningham 2019).',
    options: {},
    build: (): Law => ({
      support: 'unit',
      discrete: false,
      parameters: ['logits'],
      build: (_, [logits]) => continuousBernoulli(logits!),
      draw: each((value, { uniform }) => drawExponential(value('logits'), uniform())),
    }),
  }),
  beta: choice({
    doc: 'Beta, for shares and rates strictly between 0 and 1.',
    options: { spread: spreadOption },
    build: ({ spread }): Law => ({
      support: 'unit',
      discrete: false,
      ...withSpread(
        spread,
        ['logits'],
        'logConcentration',
        ([logits], raw) => beta(logitsOf(logits!), logConcentrationOf(raw)),
        1,
      ),
      draw: each((value, random) => {
        const [l, s] = [value('logits'), Math.exp(value('logConcentration'))];
        return random.beta(s / (1 + Math.exp(-l)), s / (1 + Math.exp(l)));
      }),
    }),
  }),
};
