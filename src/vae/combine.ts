/** Which choices go together, and why others do not. */
import type { Ladder, Network } from '../nn/index.ts';
import { isLadder } from './model.ts';
import type { Objective } from './objective.ts';
import { isPoint, type PosteriorFamily, type Space } from './posterior.ts';
import type { PriorFamily } from './prior.ts';

export interface Combination {
  readonly network: Network | Ladder;
  readonly posterior: PosteriorFamily;
  readonly prior: PriorFamily;
  readonly objective: Objective;
}

const PLACES: Readonly<Record<Space, string>> = {
  real: 'real vectors',
  sphere: 'unit vectors',
  ball: 'points of the Poincaré ball',
  codes: 'codes',
  mixed: 'real vectors with classes',
};

/** Why these cannot be one model, as a sentence; undefined where they can. */
export function clash({ network, posterior, prior, objective }: Combination): string | undefined {
  if (isLadder(network) && !(posterior.conditional && prior.conditional))
    return 'a ladder has Gaussians for both at every level, conditional on those above: leave --posterior gaussian and --prior normal';
  if (posterior.space !== prior.space)
    return `the posterior gives ${PLACES[posterior.space]} and the prior is over ${PLACES[prior.space]}: choose a prior for the same`;
  if (prior.ofPosteriors && !posterior.density)
    return 'this prior is made of posteriors and needs their density, which this posterior does not have: choose a Gaussian posterior';
  if (objective.random && isPoint(posterior))
    return 'this objective needs a posterior that is drawn from, and a point is not';
  if (objective.density && !posterior.density)
    return 'this objective needs the density of the posterior at any z, which this posterior does not have: choose a Gaussian posterior';
  if (objective.samples > 1 && !posterior.random)
    return 'this posterior is not drawn from and has no second sample: give --samples 1';
  return undefined;
}
