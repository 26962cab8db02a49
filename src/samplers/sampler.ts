/**
 * The form of a sampler: a distribution over z fitted after training to what the encoder makes of the data, in place of
 * the prior. Everything here is rows of numbers [count, width], z itself or the symbols of its codes.
 */
import type { Stream } from '../random/index.ts';
import type { Runtime } from '../runtime/index.ts';
import type { Space } from '../vae/index.ts';

/** What the rows are. */
export interface RowForm {
  readonly width: number;
  /** Rows of symbols hold whole numbers below this; without it the numbers are real. */
  readonly entries?: number;
  /** C: features of what is given with every row, where something is: the sampler is then p(z|c). */
  readonly given?: number;
  /** Whether q(z|x) of a row is a Gaussian with a diagonal covariance. */
  readonly gaussian?: boolean;
}

/** Rows, and what goes with each of them. */
export interface LatentRows {
  readonly rows: Float32Array; // [n, width]
  /** What is given. */
  readonly given?: Float32Array; // [n, C]
  /** What a row was drawn from, N(mean, diag exp(logVar)), where that is Gaussian. */
  readonly mean?: Float32Array; // [n, width]
  readonly logVar?: Float32Array; // [n, width]
}

/** Float32 arrays with their shapes, by name: what a fitted sampler is kept as. */
export type Tensors = Readonly<
  Record<string, { readonly shape: readonly number[]; readonly data: Float32Array }>
>;

export interface Fitting {
  readonly form: RowForm;
  readonly train: LatentRows;
  /** Held back; what a fit is judged by. */
  readonly validation: LatentRows;
  readonly seed: number;
  readonly runtime: Runtime;
  /** The fit ends with what it has soon after this becomes true. */
  readonly signal?: { readonly aborted: boolean } | undefined;
}

/** After each round, an iteration or an epoch. Mean log probabilities of a row, nats. */
export interface FitProgress {
  readonly type: 'progress';
  readonly round: number;
  /** At most. */
  readonly rounds: number;
  readonly train: number;
  readonly validation?: number;
}

export interface Sampler {
  /** `temperature` below 1 keeps to what is likely, above 1 strays from it. `given` [count, C] as the form says. */
  readonly draw: (
    count: number,
    random: Stream,
    temperature: number,
    given?: Float32Array,
  ) => Promise<Float32Array>;
  /** log density, or log probability of symbols, of each row, nats. */
  readonly logProbs: (rows: LatentRows) => Promise<Float64Array>;
  /** Whether normal numbers are what its draws are made of, so that without their tails they keep to the middle. */
  readonly normal?: boolean;
  /** Where that is not exact, how it comes about. */
  readonly estimate?: string;
  readonly dispose: () => Promise<void>;
}

/** A sampler before it is fitted. */
export interface SamplerFamily {
  /** The z that it is for. */
  readonly space: Space;
  /** Whether it can be p(z|c). */
  readonly conditional?: boolean;
  /** Why it cannot be fitted to such rows, as a sentence; undefined where it can. */
  readonly refuses?: (form: RowForm) => string | undefined;
  readonly fit: (fitting: Fitting) => AsyncGenerator<FitProgress, Tensors>;
  /** The tensors that `open` needs. */
  readonly shapes: (form: RowForm) => Readonly<Record<string, readonly number[]>>;
  readonly open: (tensors: Tensors, form: RowForm, runtime: Runtime) => Promise<Sampler>;
}

/** Why a family cannot be fitted to rows of such z, as a sentence; undefined where it can. */
export function unfit(family: SamplerFamily, form: RowForm): string | undefined {
  if (form.given && !family.conditional)
    return 'the model is given some of its fields, and this sampler would not see them';
  return family.refuses?.(form);
}

export const meanOf = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;
