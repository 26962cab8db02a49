/** The training loop and what it tells. */
export * from './buffers.ts';
export * from './evaluate.ts';
export * from './events.ts';
export * from './fit.ts';
export * from './learner.ts';
export * from './session.ts';
export * from './source.ts';
