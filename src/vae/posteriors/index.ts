/** Every posterior by name. */
import { ballPosteriors } from './ball.ts';
import { classPosteriors } from './classes.ts';
import { expertPosteriors } from './experts.ts';
import { flowPosteriors } from './flows.ts';
import { gaussians } from './gaussian.ts';
import { points } from './point.ts';
import { quantisedPosteriors } from './quantised.ts';
import { spherePosteriors } from './sphere.ts';

export { wrappedNormal } from './ball.ts';
export { codebook, follow, nearest } from './codebook.ts';
export { type Gaussians, mixtureOfExperts, productOfExperts } from './experts.ts';
export { flowed, rotated } from './flows.ts';
export { diagonalGaussian, fullGaussian, normalNoise } from './gaussian.ts';
export { point } from './point.ts';
export { vonMisesFisher } from './sphere.ts';

export const posteriors = {
  ...gaussians,
  ...flowPosteriors,
  ...expertPosteriors,
  ...spherePosteriors,
  ...ballPosteriors,
  ...points,
  ...classPosteriors,
  ...quantisedPosteriors,
};

export type PosteriorName = keyof typeof posteriors;
