/** Laws of what is above 0. */
import { choice } from '../../choice.ts';
import {
  add,
  binet,
  excess,
  exp,
  greater,
  log,
  log1p,
  maximum,
  mul,
  relu,
  sub,
  type Tensor,
  where,
} from '../../graph/index.ts';
import { each, type Law, type Likelihood } from '../likelihood.ts';
import { gaussian } from './gaussian.ts';
import { between, logConcentrationOf, logMeanOf, spreadOption, withSpread } from './spread.ts';

const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/** Missing values come as 0, of which the logarithm is taken before they are masked. */
const logOf = (x: Tensor): Tensor => log(maximum(x, 1e-30));

/** log x ~ N(location, exp(2 logScale)): the density of log x, over x. */
export function logNormal(location: Tensor, logScale: Tensor): Likelihood {
  const logVar = mul(2, logScale);
  return {
    mean: exp(add(location, mul(0.5, exp(logVar)))),
    values: { location, logScale },
    logProbs: (x) => {
      const logX = logOf(x);
      return sub(gaussian(location, logVar).logProbs(logX), logX);
    },
  };
}

/**
 * Gamma with mean m and shape a (of variance m²/a), the gammas by Stirling's formula:
 * ½ log(a / 2π) − J(a) − a E(log x/m) − log x with E(v) = eᵛ − 1 − v.
 */
export function gamma(logMean: Tensor, logConcentration: Tensor): Likelihood {
  const shape = exp(logConcentration);
  return {
    mean: exp(logMean),
    values: { logMean, logConcentration },
    logProbs: (x) => {
      const logX = logOf(x);
      const norm = sub(sub(mul(0.5, logConcentration), HALF_LOG_2PI), binet(shape));
      return sub(norm, add(mul(shape, excess(sub(logX, logMean))), logX));
    },
  };
}

const positive = { support: 'positive', discrete: false } as const;

export const positives = {
  logNormal: choice({
    doc: 'Log-normal: a Gaussian of the logarithm, for sizes over many magnitudes.',
    options: { spread: spreadOption },
    build: ({ spread }): Law => ({
      ...positive,
      view: (x) => where(greater(x, 0), logOf(x), 0),
      ...withSpread(spread, ['location'], 'logScale', ([location], raw) =>
        logNormal(between(location!, -30, 30), between(raw, -6, 2)),
      ),
      draw: each((value, { normal }) => Math.exp(value('location') + Math.exp(value('logScale')) * normal())),
    }),
  }),
  gamma: choice({
    doc: 'Gamma, for amounts and waiting times.',
    options: { spread: spreadOption },
    build: ({ spread }): Law => ({
      ...positive,
      view: (x) => log1p(relu(x)),
      ...withSpread(spread, ['logMean'], 'logConcentration', ([logMean], raw) =>
        gamma(logMeanOf(logMean!), logConcentrationOf(raw)),
      ),
      draw: each((value, random) => {
        const shape = Math.exp(value('logConcentration'));
        return Math.exp(value('logMean')) * (random.gamma(shape) / shape);
      }),
    }),
  }),
};
