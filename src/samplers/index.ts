/** Every sampler by name: what is fitted after training, to sample from in place of the prior. */
import { autoregressives } from './autoregressive.ts';
import { flows } from './flow.ts';
import { mixtures } from './gmm.ts';
import { spheres } from './sphere.ts';
import { twoStages } from './two-stage.ts';
import { vamps } from './vamp.ts';

export * from './sampler.ts';

export const samplers = {
  ...mixtures,
  ...flows,
  ...twoStages,
  ...vamps,
  ...spheres,
  ...autoregressives,
};

export type SamplerName = keyof typeof samplers;
