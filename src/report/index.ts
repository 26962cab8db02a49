/** The report of a model, for people. */
export type * from './data.ts';
export { project } from './projection.ts';
export { report } from './report.ts';
