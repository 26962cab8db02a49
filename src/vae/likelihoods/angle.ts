/** Laws of angles. */
import { choice } from '../../choice.ts';
import {
  add,
  atan2,
  concat,
  cos,
  div,
  exp,
  logBesselI0,
  mul,
  neg,
  sin,
  sqrt,
  square,
  sub,
  type Tensor,
} from '../../graph/index.ts';
import { each, type Law, type Likelihood } from '../likelihood.ts';
import { between, spreadOption, withSpread } from './spread.ts';

/**
 * von Mises around the direction of (cosine, sine), a vector of any length: κ (cos d − 1) − log 2π e⁻ᵏ I₀(κ), d the
 * angle between the two, and cos d − 1 = −½ |e(x) − e(μ)|² for unit vectors e. No angle has a seam this way.
 */
export function vonMises(cosine: Tensor, sine: Tensor, logConcentration: Tensor): Likelihood {
  const length = sqrt(add(add(square(cosine), square(sine)), 1e-20));
  const [c, s] = [div(cosine, length), div(sine, length)];
  const concentration = exp(logConcentration);
  return {
    mean: atan2(s, c),
    values: { cosine: c, sine: s, logConcentration },
    logProbs: (x) => {
      const apart = add(square(sub(cos(x), c)), square(sub(sin(x), s)));
      const norm = add(logBesselI0(concentration), Math.log(2 * Math.PI));
      return neg(add(mul(mul(0.5, concentration), apart), norm));
    },
  };
}

export const angles = {
  vonMises: choice({
    doc: 'von Mises, the Gaussian of angles, for directions, times of day and of year.',
    options: { spread: spreadOption },
    build: ({ spread }): Law => ({
      support: 'angle',
      discrete: false,
      view: (x) => concat([cos(x), sin(x)], -1),
      ...withSpread(spread, ['cosine', 'sine'], 'logConcentration', ([cosine, sine], raw) =>
        vonMises(cosine!, sine!, between(raw, -12, 12)),
      ),
      draw: each((value, random) =>
        random.vonMises(Math.atan2(value('sine'), value('cosine')), Math.exp(value('logConcentration'))),
      ),
    }),
  }),
};
