/** p(x|z): one entry a likelihood, and their product over the fields of a row with missing values masked out. */
import {
  add,
  dimAt,
  equal,
  exp,
  fixed,
  less,
  logSoftmax,
  max,
  mul,
  neg,
  sigmoid,
  softmax,
  softplus,
  square,
  sub,
  sum,
  type Tensor,
  toFloat,
} from '../graph/index.ts';
import { constantly, type Scope } from '../nn/index.ts';

/** A distribution over the features of one field; tensors are [..., D] with D the last axis of the field. */
export interface Likelihood {
  /** log p(x), summed over the last axis. */
  readonly logProb: (x: Tensor) => Tensor; // [..., D] → [...], nats
  readonly mean: Tensor; // [..., D]
  /** What the law is described by, by name: the outputs of the exported decoder. */
  readonly values: Readonly<Record<string, Tensor>>;
  /** A draw, from noise of the law that the kind names. */
  readonly sample: (noise: Tensor) => Tensor; // [..., D] → [..., D]
}

/** The law of the noise from which a likelihood draws. */
export type NoiseKind = 'normal' | 'uniform' | 'gumbel';

export interface LikelihoodKind {
  readonly doc: string;
  readonly noise: NoiseKind;
  /** Whether what is learned but not decoded is one for all fields. */
  readonly shared?: boolean;
  /** Names of the values that the decoder gives for each feature. */
  readonly parameters: readonly string[];
  /** From the decoder's values, one tensor [..., D] a parameter; `scope` is for what is learned but not decoded. */
  readonly build: (scope: Scope, values: readonly Tensor[]) => Likelihood;
}

/** x ∈ [0, 1]: x·l − log(1 + eˡ) with logits l, stable at any l. Fractions are weighted (a bound, not a density). */
export const bernoulli = (logits: Tensor): Likelihood => {
  const mean = sigmoid(logits);
  return {
    mean,
    values: { logits },
    logProb: (x) => sum(sub(mul(x, logits), softplus(logits)), [-1]),
    sample: (noise) => toFloat(less(noise, mean)),
  };
};

const LOG_2PI = Math.log(2 * Math.PI);

/** N(mean, exp(logVar)): −½ (log 2π + log σ² + (x − μ)²/σ²). `logVar` broadcasts over `mean`. */
export const gaussian = (mean: Tensor, logVar: Tensor): Likelihood => ({
  mean,
  values: { mean, logVar },
  logProb: (x) =>
    mul(-0.5, sum(add(mul(square(sub(x, mean)), exp(neg(logVar))), add(logVar, LOG_2PI)), [-1])),
  sample: (noise) => add(mean, mul(exp(mul(0.5, logVar)), noise)),
});

/** One of D classes, x one-hot: Σ x · log softmax(l). Draws by the Gumbel-max trick (Gumbel 1954; Maddison et al. 2014). */
export const categorical = (logits: Tensor): Likelihood => ({
  mean: softmax(logits),
  values: { logits },
  logProb: (x) => sum(mul(x, logSoftmax(logits)), [-1]),
  sample: (noise) => {
    const score = add(logits, noise);
    return toFloat(equal(score, max(score, [-1], { keepDims: true })));
  },
});

const LEAST_LOG_VAR = -12; // a standard deviation of 0.0025: below the step of 8-bit pixels
const SPEED = 10;

/**
 * A learned log variance, held above a floor smoothly so that no density runs to infinity (Rybkin et al. 2021, section
 * 3.3). It moves ten times as fast as a weight: it has further to go, and until it arrives the KL weighs too much.
 */
function learnedLogVar(scope: Scope, size: number, initial = 0): Tensor {
  const raw = scope.parameter('logVar', [size], constantly(initial / SPEED));
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
    build: (scope, [mean]) =>
      gaussian(mean!, learnedLogVar(scope, fixed(dimAt(mean!.shape, -1), 'features'))),
  },
  gaussianShared: {
    doc: 'Gaussian with one learned variance for all features (σ-VAE, Rybkin et al. 2021).',
    noise: 'normal',
    shared: true,
    parameters: ['mean'],
    build: (scope, [mean]) => gaussian(mean!, learnedLogVar(scope, 1, -3)),
  },
  categorical: {
    doc: 'Categorical, for one of several classes.',
    noise: 'gumbel',
    parameters: ['logits'],
    build: (_, [logits]) => categorical(logits!),
  },
} as const satisfies Record<string, LikelihoodKind>;

export type LikelihoodName = keyof typeof likelihoods;
