/** Distributions, models, terms and objectives. */
export * from './graphs.ts';
export * from './latent.ts';
export * from './likelihoods.ts';
export * from './model.ts';
export * from './objectives.ts';
export * from './terms.ts';
