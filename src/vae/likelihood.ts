/** The form of p(x|z): what every likelihood is to the rest of the house. */
import { sum, type Tensor } from '../graph/index.ts';
import type { Scope } from '../nn/index.ts';
import type { Variates } from '../random/index.ts';

/** A distribution over the features of one field or of several; tensors are [..., D]. */
export interface Likelihood {
  /** What each feature adds to log p(x): those of a field sum to its log p. */
  readonly logProbs: (x: Tensor) => Tensor; // [..., D] → [..., D], nats
  readonly mean: Tensor; // [..., D]
  /** What the law is described by, by name: the outputs of the exported decoder. */
  readonly values: Readonly<Record<string, Tensor>>;
}

/** log p(x), summed over the last axis: [..., D] → [...], nats. */
export const logProb = ({ logProbs }: Pick<Likelihood, 'logProbs'>, x: Tensor): Tensor =>
  sum(logProbs(x), [-1]);

/** The set a feature is in: 0 or 1 · [0, 1] · ℝ · (0, ∞) · 0, 1, 2, … · one-hot · one-hot of an order · angle in radians. */
export type Support = 'binary' | 'unit' | 'real' | 'positive' | 'count' | 'class' | 'order' | 'angle';

export interface LikelihoodField {
  /** For what is learned but not decoded. */
  readonly scope: Scope;
  /** Features; those of all fields add up to D. */
  readonly size: number;
  /** Of a picture: the length of its last axis. Of a row's field: its size. */
  readonly channels: number;
}

/** What a draw is made from: `values` of one field of one example, each with one number a feature. */
export type FieldValues = Readonly<Record<string, Float32Array>>;

/** A likelihood before it knows its fields. */
export interface Law {
  readonly support: Support;
  /** Whether p(x) is a probability: then bits per dimension are those of a lossless code. */
  readonly discrete: boolean;
  /** Whether what is learned but not decoded is one for all fields. */
  readonly shared?: boolean;
  /** Whether log p(x) is 0 for x = 0, as which missing values come: then they need no mask. */
  readonly vanishes?: boolean;
  /** Names of the values that the decoder gives for each feature. */
  readonly parameters: readonly string[];
  /** What the encoder is shown instead of x, where x itself would be a poor input. */
  readonly view?: (x: Tensor) => Tensor;
  /** From the fields and the decoder's values for them, one tensor [..., D] a parameter. */
  readonly build: (fields: readonly LikelihoodField[], values: readonly Tensor[]) => Likelihood;
  /** Fills `out` with the features of one field of one example, drawn; picture fields have `channels` a pixel. */
  readonly draw: (values: FieldValues, random: Variates, out: Float32Array, channels: number) => void;
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
