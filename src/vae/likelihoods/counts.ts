/** Laws of counts without a limit. */
import { choice } from '../../choice.ts';
import {
  add,
  binet,
  digammaRise,
  div,
  excess,
  exp,
  greater,
  less,
  log,
  log1p,
  maximum,
  mul,
  neg,
  relu,
  sigmoid,
  softplus,
  sub,
  type Tensor,
  where,
  withGradient,
} from '../../graph/index.ts';
import type { Variates } from '../../random/index.ts';
import { each, type Law, type Likelihood } from '../likelihood.ts';
import { logConcentrationOf, logMeanOf, spreadOption, withSpread } from './spread.ts';

const LOG_2PI = Math.log(2 * Math.PI);

/** x where it is above 0, else 1: a count whose logarithm can be taken. */
const some = (x: Tensor): Tensor => where(greater(x, 0), x, 1);

/**
 * x log λ − λ − log x!, λ = exp(logMean), in the saddle-point form of Loader (2000): −λ for x = 0, else
 * −x E(log λ/x) − J(x) − ½ log 2πx with E(v) = eᵛ − 1 − v, in which nothing cancels however large the count.
 */
export function poisson(logMean: Tensor): Likelihood {
  const rate = exp(logMean);
  return {
    mean: rate,
    values: { logMean },
    logProbs: (x) => {
      const n = some(x);
      const far = mul(n, excess(sub(logMean, log(n))));
      const positive = neg(add(far, add(binet(n), mul(0.5, add(log(n), LOG_2PI)))));
      const value = where(greater(x, 0), positive, neg(rate));
      return withGradient([x, logMean], value, (dy) => [null, mul(dy, sub(x, rate))], true);
    },
  };
}

/**
 * A Poisson count whose rate is gamma of mean m and shape r, so of variance m + m²/r: log of
 * Γ(x + r) / (Γ(r) x!) · (r/(r + m))ʳ (m/(r + m))ˣ, in Loader's form (2000) as above. The gradient is written out, since
 * the parts of the mechanical one cancel where r is large.
 */
export function negativeBinomial(logMean: Tensor, logConcentration: Tensor): Likelihood {
  const [mean, size] = [exp(logMean), exp(logConcentration)];
  const both = add(mean, size);
  const odds = log1p(exp(sub(logMean, logConcentration))); // log (r + m)/r
  return {
    mean,
    values: { logMean, logConcentration },
    logProbs: (x) => {
      const n = some(x);
      const end = add(n, size);
      const shift = logRatio(sub(n, mean), both, end);
      const far = add(mul(size, excess(shift)), mul(n, excess(add(sub(logMean, log(n)), shift))));
      const width = mul(0.5, sub(logConcentration, add(log(mul(n, end)), LOG_2PI)));
      const gammas = sub(binet(end), add(binet(size), binet(n)));
      const value = where(greater(x, 0), sub(add(width, gammas), far), neg(mul(size, odds)));
      return withGradient(
        [x, logMean, logConcentration],
        value,
        (dy) => {
          const pull = mul(size, div(sub(x, mean), both));
          const slope = sub(mul(size, sub(digammaRise(size, relu(x)), odds)), pull);
          return [null, mul(dy, pull), mul(dy, slope)];
        },
        true,
      );
    },
  };
}

/** log(1 + change / total) = log(end / total): the first keeps the digits of a small change, the second those of a large. */
const logRatio = (change: Tensor, total: Tensor, end: Tensor): Tensor => {
  const part = div(change, total);
  return where(less(part, -0.5), sub(log(end), log(total)), log1p(maximum(part, -0.5)));
};

/** A count that is 0 with probability σ(zeroLogits), and else follows `law`, whose own zeros count too. */
export function zeroInflated(zeroLogits: Tensor, law: Likelihood): Likelihood {
  return {
    mean: mul(sigmoid(neg(zeroLogits)), law.mean),
    values: { ...law.values, zeroLogits },
    logProbs: (x) => {
      const own = law.logProbs(x);
      const zero = sub(softplus(sub(own, zeroLogits)), softplus(neg(zeroLogits)));
      return where(greater(x, 0), sub(own, softplus(zeroLogits)), zero);
    },
  };
}

type One = (value: (name: string) => number, random: Variates) => number;

const drawPoisson: One = (value, { poisson: draw }) => draw(Math.exp(value('logMean')));

const drawNegativeBinomial: One = (value, random) => {
  const size = Math.exp(value('logConcentration'));
  return random.poisson(Math.exp(value('logMean')) * (random.gamma(size) / size));
};

const orZero =
  (one: One): One =>
  (value, random) =>
    random.uniform() < 1 / (1 + Math.exp(-value('zeroLogits'))) ? 0 : one(value, random);

const count = { support: 'count', discrete: true, view: (x: Tensor) => log1p(relu(x)) } as const;

const negativeBinomialOf = (logMean: Tensor, raw: Tensor): Likelihood =>
  negativeBinomial(logMeanOf(logMean), logConcentrationOf(raw));

export const counts = {
  poisson: choice({
    doc: 'Poisson, for counts as even as chance makes them.',
    options: {},
    build: (): Law => ({
      ...count,
      parameters: ['logMean'],
      build: (_, [logMean]) => poisson(logMeanOf(logMean!)),
      draw: each(drawPoisson),
    }),
  }),
  negativeBinomial: choice({
    doc: 'Negative binomial, for counts more uneven than Poisson.',
    options: { spread: spreadOption },
    build: ({ spread }): Law => ({
      ...count,
      ...withSpread(spread, ['logMean'], 'logConcentration', ([logMean], raw) =>
        negativeBinomialOf(logMean!, raw),
      ),
      draw: each(drawNegativeBinomial),
    }),
  }),
  zeroInflatedPoisson: choice({
    doc: 'Poisson with zeros of another origin (Lambert 1992).',
    options: {},
    build: (): Law => ({
      ...count,
      parameters: ['logMean', 'zeroLogits'],
      build: (_, [logMean, zeroLogits]) => zeroInflated(zeroLogits!, poisson(logMeanOf(logMean!))),
      draw: each(orZero(drawPoisson)),
    }),
  }),
  zeroInflatedNegativeBinomial: choice({
    doc: 'Negative binomial with zeros of another origin, as single-cell counts have (Lopez et al. 2018).',
    options: { spread: spreadOption },
    build: ({ spread }): Law => ({
      ...count,
      ...withSpread(spread, ['logMean', 'zeroLogits'], 'logConcentration', ([logMean, zeroLogits], raw) =>
        zeroInflated(zeroLogits!, negativeBinomialOf(logMean!, raw)),
      ),
      draw: each(orZero(drawNegativeBinomial)),
    }),
  }),
};
