/** The training loop and what it tells. */

export type { Runtime, Session, SessionOptions, Trace, Value, Values } from '../runtime/index.ts';
export * from './advice.ts';
export * from './buffers.ts';
export * from './clock.ts';
export * from './evaluate.ts';
export * from './events.ts';
export * from './fit.ts';
export * from './learner.ts';
export * from './profile.ts';
export * from './session.ts';
export * from './source.ts';
