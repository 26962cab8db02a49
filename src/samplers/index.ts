/** Every sampler by name: what is fitted after training, to sample from in place of the prior. */
import { autoregressives } from './autoregressive.ts';
import { mixtures } from './gmm.ts';

export * from './sampler.ts';

export const samplers = { ...mixtures, ...autoregressives };

export type SamplerName = keyof typeof samplers;
