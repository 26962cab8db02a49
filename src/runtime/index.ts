/** What every runtime shares; node.ts and web.ts are imported by name, so that neither drags in the other's engine. */
export { type Arena, createArena } from './arena.ts';
export type { Runtime, Session, SessionOptions, Value, Values } from './session.ts';
export { readTrace, type Trace, type TracedNode } from './trace.ts';
