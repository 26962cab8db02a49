/** Codes against the factors that generated the rows. */
export type { Coded, Factor } from './factors.ts';
export { type Disentanglement, disentanglement } from './scores.ts';
