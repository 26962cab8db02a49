/** Every posterior by name. */
import { gaussians } from './gaussian.ts';
import { points } from './point.ts';

export { diagonalGaussian, normalNoise } from './gaussian.ts';
export { point } from './point.ts';

export const posteriors = { ...gaussians, ...points };

export type PosteriorName = keyof typeof posteriors;
