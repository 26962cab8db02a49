/** Every posterior by name. */
import { classPosteriors } from './classes.ts';
import { gaussians } from './gaussian.ts';
import { points } from './point.ts';
import { quantisedPosteriors } from './quantised.ts';

export { codebook, follow, nearest } from './codebook.ts';
export { diagonalGaussian, normalNoise } from './gaussian.ts';
export { point } from './point.ts';

export const posteriors = { ...gaussians, ...points, ...classPosteriors, ...quantisedPosteriors };

export type PosteriorName = keyof typeof posteriors;
