/**
 * Data in and out: schema, codec, datasets of every format, writers. (For Node; codec, schema and rows
 * alone run anywhere.)
 */
export { type Codec, createCodec, type Draw, type Part } from './codec.ts';
export type { ConditionPart } from './condition-codec.ts';
export { describeField, describeSchema } from './describe.ts';
export { type FieldEdit, loadSchemaFile, parseSchemaOrEdits, type SchemaEdits } from './edits.ts';
export { readFactors } from './factors.ts';
export { type Given, givenValues } from './given.ts';
export {
  conditionsOf,
  drawConditions,
  formatJoint,
  type Joint,
  jointOf,
  labelIndex,
  parseJoint,
} from './joint.ts';
export { asChoice } from './laws.ts';
export { formatNpy, formatNpz, type NdArray, parseNpy, readNumpy } from './npy.ts';
export { openDataset } from './open.ts';
export type { GivenPaths, ImageOptions, OpenOptions } from './options.ts';
export {
  type Batch,
  type BatchOptions,
  type Column,
  type Counts,
  concatRows,
  copyRows,
  type Dataset,
  type Factor,
  type Labels,
  newColumn,
  type Rows,
  rowBytes,
  type Split,
  takeRows,
} from './rows.ts';
export {
  conditionFields,
  DEFAULT_MISSING,
  type Field,
  type IgnoredField,
  type ModelField,
  modelFields,
  parseSchema,
  type Schema,
} from './schema.ts';
export { SPRITE_FACTORS, type Sprites, sprites } from './sprites.ts';
export { type Cell, rowObjects } from './texts.ts';
export { type WriteOptions, writeBytes, writeRows } from './write.ts';
export { contactSheet, type Pictures, pngOf, type SheetOptions, writeImages } from './write-images.ts';
