/** What can be said of a model by numbers: estimates with intervals, over plain arrays. */
export * from './aggregate.ts';
export * from './discrepancy.ts';
export * from './disentanglement/index.ts';
export * from './distances.ts';
export * from './estimate.ts';
export * from './frechet.ts';
export * from './importance.ts';
export * from './moves.ts';
export * from './neighbours.ts';
export * from './pictures.ts';
export * from './points.ts';
export * from './principal.ts';
export * from './symmetric.ts';
