/** Distributions, models, terms and objectives. */
export { type Choice, make } from '../choice.ts';
export * from './codes.ts';
export { type Combination, clash, hasLevels, PLACES } from './combine.ts';
export * from './graphs.ts';
export * from './label.ts';
export * from './likelihood.ts';
export * from './likelihoods/index.ts';
export * from './modalities.ts';
export * from './model.ts';
export * from './objective.ts';
export * from './objectives/index.ts';
export * from './posterior.ts';
export * from './posteriors/index.ts';
export * from './prior.ts';
export * from './priors/index.ts';
export * from './response.ts';
export * from './terms.ts';
