/** The library: every verb of the command line, with the same names and options. */

export {
  contactSheet,
  formatNpy,
  type Given,
  type Rows,
  type Schema,
  writeImages,
  writeRows,
} from './data/index.ts';
export { UserError } from './errors.ts';
export { nodeRuntime } from './runtime/node.ts';
export * from './tasks/index.ts';
export type { FitEvent } from './train/index.ts';
