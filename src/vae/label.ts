/**
 * A label y that is known for some examples and inferred for the others: p(y) p(z) p(x|y, z), with q(y|x) and q(z|x, y)
 * (M2 of Kingma, Rezende, Mohamed & Welling 2014, section 3.1.2). The label is part of the condition. All terms are means
 * over y, exact ones: over q(y|x) where y is unknown, and y itself where it is known.
 */
import {
  add,
  argMax,
  constant,
  dimAt,
  divide,
  exp,
  fixed,
  logSoftmax,
  logSumExp,
  mul,
  multiply,
  oneHot,
  pad,
  reshape,
  type Shape,
  slice,
  sub,
  sum,
  type Tensor,
  transpose,
} from '../graph/index.ts';
import { linear, type Scope } from '../nn/index.ts';
import type { InferenceOptions, Observation, VaeParts } from './model.ts';
import { tiled } from './moments.ts';
import { dataTerms, type Level, logWeights, type Terms } from './terms.ts';

/** Where a label lies in the condition, and how common its classes are. */
export interface LabelSpec {
  /** Features `start` to `start + size` of the condition are one-hot, and the one behind them is 1 where y is known. */
  readonly start: number;
  readonly size: number;
  /** How often each class was seen. */
  readonly counts: readonly number[];
  /** Share of the training examples whose label is known. */
  readonly known: number;
  /** w: the mean of −log q(y|x) over these weighs w·N/Nₗ, of N examples Nₗ of which have one. */
  readonly weight: number;
}

type Given = Omit<VaeParts, 'label'>;

export interface LabelModel {
  readonly spec: LabelSpec;
  /** log q(y|x), [B, Y]. */
  readonly logPosterior: (observed: Observation) => Tensor;
  /** The model where every label is known. */
  readonly given: Given;
}

export interface LabelTerms {
  /** KL(q(y|x) ‖ p(y)), which is −log p(y) where y is known, [B]. */
  readonly kl: Tensor;
  /** log p(x, y, z) − log q(z|x, y) where y is known, else log Σ_y p(x, y, z_y) / q(z_y|x, y), [K, B]. */
  readonly logWeights: Tensor;
}

/** What of the label is known: y one-hot, zeros where it is not [B, Y], and whether it is [B, 1]. */
export function knownLabel({ start, size }: LabelSpec, { condition }: Observation) {
  return {
    classes: slice(condition!, -1, start, start + size),
    known: slice(condition!, -1, start + size, start + size + 1),
  };
}

/** `given` with q(y|x) from `features` [B, H] of what is seen without the label. */
export function withLabel(
  given: Given,
  spec: LabelSpec,
  features: (observed: Observation) => Tensor,
  scope: Scope,
): VaeParts {
  const logPosterior = (observed: Observation): Tensor => {
    const condition = withoutLabel(spec, observed.condition!);
    return logSoftmax(linear(scope, features({ ...observed, condition }), spec.size));
  };
  /** With the likeliest label where none is known. */
  const completed = (observed: Observation): Observation => {
    const { classes, known } = knownLabel(spec, observed);
    const guess = oneHot(argMax(logPosterior(observed)), spec.size);
    const condition = withClasses(spec, observed.condition!, add(classes, mul(sub(1, known), guess)));
    return { ...observed, condition };
  };
  return {
    ...given,
    encode: (observed) => given.encode(completed(observed)),
    infer: (observed, options) => given.infer(completed(observed), options),
    label: { spec, logPosterior, given },
  };
}

/** The condition [B, C] with zeros for the label. */
function withoutLabel({ start, size }: LabelSpec, condition: Tensor): Tensor {
  const features = fixed(dimAt(condition.shape, -1), 'condition');
  const others = Array.from({ length: features }, (_, j) => Number(j < start || j > start + size));
  return mul(condition, constant(others, [1, features]));
}

/** The condition [B, C] with these classes, [B, Y] or [1, Y], as known. */
function withClasses(spec: LabelSpec, condition: Tensor, classes: Tensor): Tensor {
  const behind = fixed(dimAt(condition.shape, -1), 'condition') - spec.start - spec.size - 1;
  const known = pad(classes, 1, 0, 1, 1); // the feature behind the classes is 1
  return add(withoutLabel(spec, condition), pad(known, 1, spec.start, behind));
}

/** What is seen, once with each class: [Y·B, …], the whole batch with the first class first. */
function eachClass(spec: LabelSpec, { x, mask, condition }: Observation): Observation {
  const { size } = spec;
  const identity = Array.from({ length: size ** 2 }, (_, i) => Number(i % (size + 1) === 0));
  const batch = dimAt(condition!.shape, 0);
  const copies = reshape(mul(slice(condition!, -1, 0, 1), 0), [1, batch, 1]);
  const classes = reshape(add(constant(identity, [size, 1, size]), copies), [multiply(size, batch), size]);
  return {
    x: tiled(x, size),
    ...(mask && { mask: tiled(mask, size) }),
    condition: withClasses(spec, tiled(condition!, size), classes),
  };
}

/** log p(y) of each class, [1, Y]: as it was seen, none impossible. */
function logPrior({ counts, size }: LabelSpec): Tensor {
  const total = counts.reduce((a, b) => a + b, 0) + size;
  return constant(
    counts.map((n) => Math.log((n + 1) / total)),
    [1, size],
  );
}

/**
 * The terms of −L(x, y) where y is known and of −U(x) where it is not (eq. 6 and 7), and as a penalty the mean of
 * −log q(y|x) over the examples whose label is known (eq. 9), the more the fewer these are: a fixed weight lets them drown.
 */
export function labelledTerms(
  { spec, logPosterior, given }: LabelModel,
  observed: Observation,
  options: InferenceOptions,
): Terms {
  const logQ = logPosterior(observed);
  const { classes, known } = knownLabel(spec, observed);
  const unknown = sub(1, known);
  const weights = transpose(add(classes, mul(unknown, exp(logQ)))); // [Y, B]
  const each = eachClass(spec, observed);
  const inferred = given.infer(each, options);
  const counts = reshape(weights, [dimAt(each.x.shape, 0)]);
  const decoded = given.decode(inferred.z, each.condition);
  const data = dataTerms(given, each, decoded, options.scale !== undefined, counts);
  const mean = (t: Tensor) => overClasses(t, weights);
  const p = logPrior(spec);
  const negativeEntropy = mul(unknown, sum(mul(exp(logQ), logQ), [-1], { keepDims: true })); // [B, 1]
  const cross = sum(mul(transpose(weights), p), [-1], { keepDims: true });
  const { scale } = options;
  const told = scale && mul(sum(mul(classes, logQ)), mul(scale, -spec.weight / spec.known ** 2));
  return {
    z: inferred.z,
    levels: inferred.levels.map((level) => meanLevel(level, mean)),
    penalties: { ...inferred.penalties, ...(told && { classification: told }) },
    updates: { ...inferred.updates, ...data.updates },
    logPx: mean(data.logPx),
    fields: Object.fromEntries(Object.entries(data.fields).map(([name, t]) => [name, mean(t)])),
    decoded,
    label: {
      kl: reshape(sub(negativeEntropy, cross), [dimAt(known.shape, 0)]),
      logWeights: jointWeights(logWeights({ logPx: data.logPx, levels: inferred.levels }), p, {
        classes,
        known,
      }),
    },
  };
}

/** [K, Y·B, …] → [K, Y, B, …] */
const byClass = (t: Tensor, size: number): Tensor => {
  const [samples, , ...rest] = t.shape;
  return reshape(t, [samples!, size, divide(dimAt(t.shape, 1), size)!, ...rest]);
};

/** The mean over classes of t [K, Y·B, …] by weights [Y, B] → [K, B, …]. */
function overClasses(t: Tensor, weights: Tensor): Tensor {
  const rest: Shape = t.shape.slice(2).map(() => 1);
  return sum(
    mul(
      byClass(t, fixed(dimAt(weights.shape, 0), 'classes')),
      reshape(weights, [1, ...weights.shape, ...rest]),
    ),
    [1],
  );
}

/** A level whose logs and KL are means; its draws, posterior and prior stay those of each class. */
const meanLevel = (level: Level, mean: (t: Tensor) => Tensor): Level => ({
  ...level,
  logPz: mean(level.logPz),
  logQz: mean(level.logQz),
  kl: mean(level.kl),
});

/** log of p(x, y, z)/q(z|x, y) where y is known, elsewhere of its sum over y; from p(x, z|y)/q(z|x, y) [K, Y·B] → [K, B]. */
function jointWeights(
  weights: Tensor,
  logPy: Tensor,
  { classes, known }: { readonly classes: Tensor; readonly known: Tensor },
): Tensor {
  const size = fixed(dimAt(classes.shape, 1), 'classes');
  const each = add(byClass(weights, size), reshape(logPy, [1, size, 1])); // [K, Y, B]
  const flag = transpose(known); // [1, B]
  const own = sum(mul(each, reshape(transpose(classes), [1, size, dimAt(classes.shape, 0)])), [1]);
  return add(mul(flag, own), mul(sub(1, flag), logSumExp(each, 1)));
}
