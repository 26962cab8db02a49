/** p(x|z): one entry a likelihood. Neighbouring fields of one law are one block, so that a wide table is a small graph. */
import {
  add,
  affine,
  concat,
  constant,
  equal,
  exp,
  expand,
  less,
  logSoftmax,
  max,
  mul,
  neg,
  sigmoid,
  softmax,
  softplus,
  split,
  square,
  sub,
  sum,
  type Tensor,
  toFloat,
  transpose,
  withGradient,
} from '../graph/index.ts';
import { constantly, type Scope } from '../nn/index.ts';

/** A distribution over the features of one field or of several; tensors are [..., D]. */
export interface Likelihood {
  /** What each feature adds to log p(x): those of a field sum to its log p. */
  readonly logProbs: (x: Tensor) => Tensor; // [..., D] → [..., D], nats
  readonly mean: Tensor; // [..., D]
  /** What the law is described by, by name: the outputs of the exported decoder. */
  readonly values: Readonly<Record<string, Tensor>>;
  /** A draw, from noise of the law that the kind names. */
  readonly sample: (noise: Tensor) => Tensor; // [..., D] → [..., D]
}

/** log p(x), summed over the last axis: [..., D] → [...], nats. */
export const logProb = ({ logProbs }: Pick<Likelihood, 'logProbs'>, x: Tensor): Tensor =>
  sum(logProbs(x), [-1]);

/** The law of the noise from which a likelihood draws. */
export type NoiseKind = 'normal' | 'uniform' | 'gumbel';

export interface LikelihoodKind {
  readonly doc: string;
  readonly noise: NoiseKind;
  /** Whether what is learned but not decoded is one for all fields. */
  readonly shared?: boolean;
  /** Whether log p(x) is 0 for x = 0, as which missing values come: then they need no mask. */
  readonly vanishes?: boolean;
  /** Names of the values that the decoder gives for each feature. */
  readonly parameters: readonly string[];
  /** From the fields and the decoder's values for them, one tensor [..., D] a parameter. */
  readonly build: (fields: readonly LikelihoodField[], values: readonly Tensor[]) => Likelihood;
}

export interface LikelihoodField {
  /** For what is learned but not decoded. */
  readonly scope: Scope;
  /** Features; those of all fields add up to D. */
  readonly size: number;
}

/**
 * x ∈ [0, 1]: x·l − log(1 + eˡ) with logits l, stable at any l. Fractions are weighted (a bound, not a density). Its
 * gradient, x − σ(l), is written out: the mechanical one takes one more pass over the largest tensors of the graph.
 */
export const bernoulli = (logits: Tensor): Likelihood => {
  const mean = sigmoid(logits);
  return {
    mean,
    values: { logits },
    logProbs: (x) =>
      withGradient(
        [x, logits],
        sub(mul(x, logits), softplus(logits)),
        (dy) => [mul(dy, logits), mul(dy, sub(x, mean))],
        true,
      ),
    sample: (noise) => toFloat(less(noise, mean)),
  };
};

const LOG_2PI = Math.log(2 * Math.PI);

/** N(mean, exp(logVar)): −½ (log 2π + log σ² + (x − μ)²/σ²). `logVar` broadcasts over `mean`. */
export const gaussian = (mean: Tensor, logVar: Tensor): Likelihood => ({
  mean,
  values: { mean, logVar },
  logProbs: (x) => mul(-0.5, add(mul(square(sub(x, mean)), exp(neg(logVar))), add(logVar, LOG_2PI))),
  sample: (noise) => add(mean, mul(exp(mul(0.5, logVar)), noise)),
});

/**
 * One of as many classes as each field has features, x one-hot: Σ x · log softmax(l). Draws by the Gumbel-max trick
 * (Gumbel 1954; Maddison et al. 2014). The gradient dl = w − softmax(l) · Σ_field w with w = x · dy is written out for all
 * fields at once, with products for the sums: mechanically it is four small ops a field.
 */
export function categorical(logits: Tensor, sizes: readonly number[]): Likelihood {
  const each = (t: Tensor, f: (field: Tensor) => Tensor) => concat(split(t, -1, sizes).map(f), -1);
  const logP = each(logits, (l) => logSoftmax(l));
  return {
    mean: each(logits, (l) => softmax(l)),
    values: { logits },
    logProbs: (x) =>
      withGradient(
        [x, logits],
        mul(x, logP),
        (dy) => {
          const w = mul(x, dy);
          return [mul(dy, logP), sub(w, mul(exp(logP), fieldSums(w, sizes)))];
        },
        true,
      ),
    sample: (noise) =>
      each(add(logits, noise), (score) => toFloat(equal(score, max(score, [-1], { keepDims: true })))),
  };
}

const MOST_ONES = 2 ** 16;

/** In place of each feature the sum over its field, [..., D] → [..., D]: by products with zeros and ones while these are few. */
function fieldSums(t: Tensor, sizes: readonly number[]): Tensor {
  const total = (field: Tensor) => sum(field, [-1], { keepDims: true });
  if (sizes.length === 1) return total(t);
  const owners = sizes.flatMap((size, i) => Array<number>(size).fill(i));
  if (owners.length * sizes.length > MOST_ONES)
    return concat(
      split(t, -1, sizes).map((field) => expand(total(field), field.shape, field)),
      -1,
    );
  const ones = owners.flatMap((owner) => sizes.map((_, i) => Number(owner === i)));
  const table = constant(ones, [owners.length, sizes.length]);
  return affine(affine(t, table), transpose(table));
}

const LEAST_LOG_VAR = -12; // a standard deviation of 0.0025: below the step of 8-bit pixels
const SPEED = 10;

/**
 * A learned log variance, held above a floor smoothly so that no density runs to infinity (Rybkin et al. 2021, section
 * 3.3). It moves ten times as fast as a weight: it has further to go, and until it arrives the KL weighs too much.
 */
function learnedLogVar(fields: readonly LikelihoodField[], initial = 0): Tensor {
  const each = fields.map(({ scope, size }) =>
    scope.parameter('logVar', [size], constantly(initial / SPEED)),
  );
  const raw = concat(each, 0);
  return add(LEAST_LOG_VAR, softplus(sub(mul(SPEED, raw), LEAST_LOG_VAR)));
}

export const likelihoods = {
  bernoulli: {
    doc: 'Bernoulli, for binary values and binarised pixels.',
    noise: 'uniform',
    parameters: ['logits'],
    build: (_, [logits]) => bernoulli(logits!),
  },
  gaussian: {
    doc: 'Gaussian with one learned variance a feature, shared by all examples.',
    noise: 'normal',
    parameters: ['mean'],
    build: (fields, [mean]) => gaussian(mean!, learnedLogVar(fields)),
  },
  gaussianShared: {
    doc: 'Gaussian with one learned variance for all features (σ-VAE, Rybkin et al. 2021).',
    noise: 'normal',
    shared: true,
    parameters: ['mean'],
    build: ([field], [mean]) => gaussian(mean!, learnedLogVar([{ ...field!, size: 1 }], -3)),
  },
  categorical: {
    doc: 'Categorical, for one of several classes.',
    noise: 'gumbel',
    vanishes: true,
    parameters: ['logits'],
    build: (fields, [logits]) =>
      categorical(
        logits!,
        fields.map(({ size }) => size),
      ),
  },
} as const satisfies Record<string, LikelihoodKind>;

export type LikelihoodName = keyof typeof likelihoods;
