/** Every likelihood by name. */
import { binary } from './binary.ts';
import { classes } from './classes.ts';
import { reals } from './real.ts';

export { bernoulli } from './binary.ts';
export { categorical } from './classes.ts';
export { gaussian } from './real.ts';

export const likelihoods = { ...binary, ...reals, ...classes };

export type LikelihoodName = keyof typeof likelihoods;
