/** One verb a file: what a person does with data and models. */
export type { ConditionOptions } from './conditions.ts';
export { type DecodeOptions, decode } from './decode.ts';
export { type Encoded, type EncodeOptions, encode, type Prediction } from './encode.ts';
export type { SpaceName } from './evaluate/features.ts';
export type { Absence, Figure, FigureName, Measured } from './evaluate/figures.ts';
export type { ColumnErrors } from './evaluate/reconstruction.ts';
export type { EvaluateProgress, Tell } from './evaluate/subject.ts';
export {
  type ColumnReport,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Interval,
} from './evaluate.ts';
export type { Dimension } from './explain/dimensions.ts';
export type { Effect, WordEffect } from './explain/effects.ts';
export type { Neighbour, Neighbourhood } from './explain/neighbours.ts';
export type { FieldTerm, KlTerm, RowExplanation, Term } from './explain/rows.ts';
export type { Traversal } from './explain/traversal.ts';
export { type ExplainOptions, type Explanation, explain, type Topic } from './explain.ts';
export { type Imputed, type ImputeOptions, impute, type Uncertainty } from './impute.ts';
export { type Info, info } from './info.ts';
export { type LoadOptions, load, type Model } from './model.ts';
export type { ProfileEvent } from './profile.ts';
export { type Reconstructed, type ReconstructOptions, reconstruct } from './reconstruct.ts';
export { type RefitEvent, type RefitOptions, type RefitPlan, type RefitSaved, refit } from './refit.ts';
export type { RowOptions, SplitName } from './rows.ts';
export { type SampleOptions, sample } from './sample.ts';
export type { Metrics } from './save.ts';
export { type SchemaOptions, type SchemaResult, schema } from './schema.ts';
export { type PlanEvent, type SavedEvent, type TrainEvent, type TrainOptions, train } from './train.ts';
