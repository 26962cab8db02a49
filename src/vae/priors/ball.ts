/** Priors on the Poincaré ball. */
import { choice } from '../../choice.ts';
import { constant } from '../../graph/index.ts';
import { noise } from '../../nn/index.ts';
import { fromCentre } from '../geometry/ball.ts';
import { wrappedNormal } from '../posteriors/ball.ts';
import type { Prior, PriorFamily } from '../prior.ts';

/** The wrapped normal around the centre with unit variance, by hyperbolic area (Mathieu et al. 2019, section 3). */
export function poincareNormal(latent: number): Prior {
  const zeros = constant(Array<number>(latent).fill(0), [1, latent]);
  return {
    logProb: wrappedNormal(zeros, zeros).logProb,
    draw: (name) => fromCentre(noise(name, 'normal', ['B', latent])),
  };
}

export const ballPriors = {
  poincareNormal: choice({
    doc: 'Wrapped standard normal around the centre of the Poincaré ball.',
    options: {},
    build: (): PriorFamily => ({ space: 'ball', build: poincareNormal }),
  }),
};
