/** Optimisers, what surrounds an update, and schedules. */
export { type Block, type Run, runsOf } from './block.ts';
export { averageParams, averageWeight, clipGlobalNorm } from './gradients.ts';
export { type Kernels, openKernels } from './kernels.ts';
export {
  type AdamOptions,
  type AdamWOptions,
  adam,
  adamW,
  type Optimizer,
  type SgdOptions,
  sgd,
} from './optimisers.ts';
export type { Progress, Schedule } from './schedules.ts';
export * as schedules from './schedules.ts';
export * as warmups from './warmups.ts';
export { checkWarmup, type Span, type Warmup, type WarmupProgress } from './warmups.ts';
