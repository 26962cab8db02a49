/** The library: the verbs of the command line that work on data and models, with the same names and options. */

export type { GivenChoices, GivenOptions, GivenSampler, ParsedOptions, TrainConfig } from './config/index.ts';
export {
  type Cell,
  type Codec,
  type Column,
  type Counts,
  contactSheet,
  type Field,
  formatNpy,
  type Given,
  type Joint,
  type Labels,
  type ModelField,
  modelFields,
  type NdArray,
  type Pictures,
  type Rows,
  rowObjects,
  type Schema,
  type SheetOptions,
  type Split,
  type WriteOptions,
  writeImages,
  writeRows,
} from './data/index.ts';
export { UserError } from './errors.ts';
export type { ModelFile, SamplerFile } from './model/index.ts';
export type { Runtime, Session, SessionOptions, Value, Values } from './runtime/index.ts';
export { nodeRuntime } from './runtime/node.ts';
export type { FitProgress } from './samplers/index.ts';
export * from './tasks/index.ts';
export type { FitEvent } from './train/index.ts';
