/** The form of p(x|z): what every likelihood is to the rest of the house. */
import { sum, type Tensor } from '../graph/index.ts';
import type { Scope } from '../nn/index.ts';
import type { Variates } from '../random/index.ts';

/** A distribution over the features of one field or of several; tensors are [..., D]. */
export interface Likelihood {
  /** What each feature adds to log p(x): those of a field sum to its log p. */
  readonly logProbs: (x: Tensor) => Tensor; // [..., D] → [..., D], nats
  /** Their sum, where it takes fewer passes than they do. */
  readonly logProb?: (x: Tensor) => Tensor; // [..., D] → [...], nats
  readonly mean: Tensor; // [..., D]
  /** Standard deviation of a Gaussian; broadcasts over the mean. */
  readonly deviation?: Tensor;
  /** What the law is described by, by name: the outputs of the exported decoder. */
  readonly values: Readonly<Record<string, Tensor>>;
  /**
   * New values of parameters that a rule moves and no gradient, by the parameter's name, in training: from x [1, B, D] and
   * what of it is there, 1 or 0, where values may be missing.
   */
  readonly updates?: (x: Tensor, there?: Tensor) => Readonly<Record<string, Tensor>>;
}

/** log p(x), summed over the last axis: [..., D] → [...], nats. */
export const logProb = (likelihood: Pick<Likelihood, 'logProbs' | 'logProb'>, x: Tensor): Tensor =>
  likelihood.logProb?.(x) ?? sum(likelihood.logProbs(x), [-1]);

/** The set a feature is in: 0 or 1 · [0, 1] · ℝ · (0, ∞) · 0, 1, 2, … · one-hot · one-hot of an order · angle in radians. */
export type Support = 'binary' | 'unit' | 'real' | 'positive' | 'count' | 'class' | 'order' | 'angle';

/** Where the features of a field lie. */
export interface Grid {
  /** Height and width of a picture; none of a row's field. */
  readonly space: readonly number[];
  /** Of a picture: the length of its last axis. Of a row's field: its size. */
  readonly channels: number;
}

export interface LikelihoodField extends Grid {
  /** For what is learned but not decoded. */
  readonly scope: Scope;
  /** Features; those of all fields add up to D. */
  readonly size: number;
}

/** What a draw is made from: `values` of one field of one example, as the decoder gives them, or one that all share. */
export type FieldValues = Readonly<Record<string, Float32Array>>;

/** A likelihood before it knows its fields. */
export interface Law {
  readonly support: Support;
  /** Whether p(x) is a probability: then bits per dimension are those of a lossless code. */
  readonly discrete: boolean;
  /** How many values there are, where finitely many numbers: 0 … levels − 1 of a count, of a unit so many evenly from 0 to 1. */
  readonly levels?: number;
  /** Whether what is learned but not decoded is one for all fields. */
  readonly shared?: boolean;
  /** Whether log p(x) is 0 for x = 0, as which missing values come: then they need no mask. */
  readonly vanishes?: boolean;
  /** Whether it is for binarised pictures alone. */
  readonly pictures?: boolean;
  /** Names of what the decoder gives. */
  readonly parameters: readonly string[];
  /**
   * How many values of a parameter the decoder gives at each place: a pixel of a picture, or the whole of a row's field.
   * Without it one for each feature there, `channels`. A parameter with none is not given, and comes last.
   */
  readonly width?: (parameter: string, field: LikelihoodField) => number;
  /** What the encoder is shown instead of x, where x itself would be a poor input: [..., d] → [..., any width]. */
  readonly view?: (x: Tensor) => Tensor;
  /** From the fields and the decoder's values for them, one tensor [..., D] (or of `width`) a parameter. */
  readonly build: (fields: readonly LikelihoodField[], values: readonly Tensor[]) => Likelihood;
  /** Fills `out` with the features of one field of one example, drawn. */
  readonly draw: (values: FieldValues, random: Variates, out: Float32Array, grid: Grid) => void;
}

/** A law whose features are drawn one by one. */
export const each =
  (one: (value: (name: string) => number, random: Variates) => number): Law['draw'] =>
  (values, random, out) => {
    for (let i = 0; i < out.length; i++) {
      const value = (name: string) => {
        const all = values[name]!;
        return all[all.length === 1 ? 0 : i]!;
      };
      out[i] = one(value, random);
    }
  };
