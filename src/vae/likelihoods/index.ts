/** Every likelihood by name. */
import { angles } from './angle.ts';
import { autoregressive } from './autoregressive.ts';
import { binary } from './binary.ts';
import { classes } from './classes.ts';
import { counts } from './counts.ts';
import { gaussians } from './gaussian.ts';
import { mixtures } from './mixture.ts';
import { pixels } from './pixels.ts';
import { positives } from './positive.ts';
import { reals } from './real.ts';
import { tried } from './trials.ts';
import { units } from './unit.ts';

export { bernoulli } from './binary.ts';
export { categorical } from './classes.ts';
export { gaussian } from './gaussian.ts';

export const likelihoods = {
  ...binary,
  ...autoregressive,
  ...units,
  ...pixels,
  ...gaussians,
  ...reals,
  ...mixtures,
  ...positives,
  ...counts,
  ...tried,
  ...angles,
  ...classes,
};

export type LikelihoodName = keyof typeof likelihoods;
