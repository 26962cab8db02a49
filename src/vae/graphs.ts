/** The graphs that a VAE is run as: one to train, one to evaluate, one to encode, one to decode, one to weigh samples. */
import {
  argMax,
  concat,
  dimAt,
  exp,
  fixed,
  gradients,
  input,
  logSumExp,
  mul,
  oneHot,
  reshape,
  type Shape,
  split,
  sub,
  sum,
  type Tensor,
  toFloat,
  toInteger,
} from '../graph/index.ts';
import { type Parameter, parameters } from '../nn/index.ts';
import { countEntries, lookUp, symbolsOf } from './codes.ts';
import { checkObjective } from './combine.ts';
import { knownLabel, type LabelModel } from './label.ts';
import { type BlockLikelihood, isInference, type Observation, observation, type Vae } from './model.ts';
import {
  expectedLogPx,
  isOfObjective,
  type Knobs,
  type Losses,
  type Objective,
  totalKl,
} from './objective.ts';
import { logWeights, terms } from './terms.ts';

/** Named results of a graph. */
export type Outputs = Readonly<Record<string, Tensor>>;

const knobs = (): Knobs => ({
  scale: input('scale', []),
  beta: input('beta', []),
  progress: input('progress', []),
});

/** The gradient of a parameter is the output named so. */
export const gradientName = (parameter: string): string => `gradient ${parameter}`;

export interface TrainingGraph {
  readonly outputs: Outputs;
  /** Those of the model, then those of the objective's own networks. */
  readonly parameters: readonly Parameter[];
  /** Names of parameters that have a new value among the outputs, under `gradientName`, in place of a gradient. */
  readonly updated: ReadonlySet<string>;
  /** Names of scalars among the outputs: `loss`, `logPx`, `kl` and the objective's own terms, batch means in nats. */
  readonly reported: readonly string[];
}

/**
 * x, mask, noise, scale, beta, progress → the reported scalars and a gradient for each parameter. Throws a `UserError` where the
 * objective is not for such a model.
 */
export function trainingGraph(whole: Vae, objective: Objective, rows = 1): TrainingGraph {
  checkObjective(objective, whole.spec);
  const vae = whole.inTraining();
  const set = knobs();
  const observed = observation(vae.spec);
  const { samples, corrupt } = objective;
  const { progress, scale } = set;
  const t = terms(vae, observed, { samples, progress, scale, ...(corrupt && { corrupt }) });
  const own = parameters();
  const each = t.copies ? { ...set, scale: mul(scale, 1 / t.copies.count) } : set; // means over copies too
  const losses = objective.losses(t, { ...each, vae, observed, rows, scope: own.root.at('objective') });
  const all = [...vae.parameters, ...own.all()];
  const reported = {
    loss: losses.loss,
    logPx: expectedLogPx(t, each),
    kl: totalKl(t, each),
    ...t.penalties,
    ...losses.report,
  };
  const updates = { ...t.updates, ...losses.updates };
  const moved = all.map((p) => [gradientName(p.name), updates[p.name]] as const);
  const outputs = {
    ...reported,
    ...gradientsOf(losses, all),
    ...Object.fromEntries(moved.filter(([, value]) => value)),
  };
  return {
    outputs: outputs as Outputs,
    parameters: all,
    updated: new Set(Object.keys(updates)),
    reported: Object.keys(reported),
  };
}

/** Each parameter's gradient of the loss that is its own. */
function gradientsOf(
  { loss, inference = loss, adversary = loss }: Losses,
  all: readonly Parameter[],
): Outputs {
  const lossOf = ({ name }: Parameter): Tensor =>
    isInference(name) ? inference : isOfObjective(name) ? adversary : loss;
  const entries = [...new Set([loss, inference, adversary])].flatMap((own) => {
    const some = all.filter((p) => lossOf(p) === own);
    const of = gradients(
      own,
      some.map((p) => p.tensor),
    );
    return some.map((p, i) => [gradientName(p.name), of[i]!] as const);
  });
  return Object.fromEntries(entries);
}

const first = (t: Tensor): Tensor => reshape(t, t.shape.slice(1));
const ONE = { samples: 1, progress: 1 };

/**
 * x, mask, noise → for each example `logPx` [B], `kl` [B, d], each field's share `logPx field` [B], and of codes that are
 * inferred without doubt how often each entry of each book occurs, `codes` [B, books · K]. Of a label that is inferred its
 * KL, `klLabel` [B], whether it is `known` [B], and whether its likeliest class is then `right` [B].
 */
export function evaluationGraph(vae: Vae): Outputs {
  const observed = observation(vae.spec);
  const t = terms(vae, observed, ONE);
  const fields = Object.entries(t.fields).map(([field, value]) => [`logPx ${field}`, first(value)]);
  const symbols = vae.spec.posterior.random ? undefined : t.levels[0]!.symbols;
  return {
    logPx: first(t.logPx),
    kl: concat(
      t.levels.map(({ kl }) => first(kl)),
      -1,
    ),
    ...(vae.codes && symbols && { codes: countEntries(vae.codes, symbols) }),
    ...(vae.label && t.label && { klLabel: t.label.kl, ...guesses(vae.label, observed) }),
    ...Object.fromEntries(fields),
  };
}

/** What each entry of `kl` above is of: a dimension, or a code; a level, or the whole of z, where it is not known by dimension. */
export function klOf(vae: Vae): 'dimension' | 'level' | 'whole' {
  const { levels } = vae.infer(observation(vae.spec), ONE);
  if (vae.spec.latent === levels.length || levels.some(({ kl }) => dimAt(kl.shape, -1) !== 1))
    return 'dimension';
  return levels.length > 1 ? 'level' : 'whole';
}

function guesses({ spec, logPosterior }: LabelModel, observed: Observation): Outputs {
  const { classes, known } = knownLabel(spec, observed);
  const guess = oneHot(argMax(logPosterior(observed)), spec.size);
  return { known: reshape(known, ['B']), right: sum(mul(classes, guess), [-1]) };
}

/**
 * x, mask, noise → `logWeight` [K, B] = log p(x, z) − log q(z|x) of each sample; where a label is inferred, log of its sum over
 * the classes, and then `elbo` [K, B] too, which is less.
 */
export function importanceGraph(vae: Vae, samples: number): Outputs {
  const t = terms(vae, observation(vae.spec), { ...ONE, samples });
  const { label, ...data } = t;
  return { logWeight: logWeights(t), ...(label && { elbo: sub(logWeights(data), label.kl) }) };
}

/** x, mask, noise → for each example log 1/K Σₖ wₖ over these samples (Burda et al. 2016, eq. 8), `bound` [B]. */
export function boundGraph(vae: Vae, samples: number): Outputs {
  const { logWeight } = importanceGraph(vae, samples);
  return { bound: sub(logSumExp(logWeight!, 0), Math.log(samples)) };
}

/**
 * x, mask, noise → `mean`, `logVar` (where q is a diagonal Gaussian) and `z`, all [B, Z]; of a label that is inferred the
 * probability of each class, `classes` [B, Y].
 */
export function encoderGraph(vae: Vae): Outputs {
  const observed = observation(vae.spec);
  const { mean, logVar, draw } = vae.encode(observed);
  const z = first(draw(1).z);
  const classes = vae.label && exp(vae.label.logPosterior(observed));
  return { mean, ...(logVar && { logVar }), z, ...(classes && { classes }) };
}

/** x, mask, noise → `symbols` [B, N] of the codes, as floats. */
export function symbolGraph(vae: Vae): Outputs {
  const { symbols } = vae.encode(observation(vae.spec)).draw(1);
  return { symbols: toFloat(first(symbols!)) };
}

/** symbols [B, N], as floats → `z` [B, Z] that they stand for. */
export function lookUpGraph({ codes }: Vae): Outputs {
  return { z: lookUp(codes!, toInteger(input('symbols', ['B', symbolsOf(codes!)]))) };
}

/** noise → `z` [B, Z] drawn from the prior. */
export const priorGraph = (vae: Vae): Outputs => ({ z: vae.prior.draw('noise') });

const latentInput = (vae: Vae): Tensor =>
  reshape(input('z', ['B', vae.spec.latent]), [1, 'B', vae.spec.latent]);

/** z [B, Z] → `logPz` [B] under the prior. */
export const priorDensityGraph = (vae: Vae): Outputs => ({
  logPz: first(vae.prior.logProb(latentInput(vae))),
});

/** z [B, Z] → the values of p(x|z), `field.parameter` each [B, …], or what is learned for all rows [D], and nothing drawn. */
export function decoderGraph(vae: Vae): Outputs {
  const values = vae
    .decode(latentInput(vae))
    .flatMap((block) =>
      Object.entries(block.likelihood.values).flatMap(([name, value]) =>
        byPart(vae, block, value).map((own, i) => [`${block.parts[i]!.field}.${name}`, own] as const),
      ),
    );
  return Object.fromEntries(values);
}

/** A value of a block, for each of its parts: its own features of what has some number of values a feature, else the whole. */
function byPart({ spec }: Vae, { parts, size }: BlockLikelihood, value: Tensor): Tensor[] {
  const space = spec.shape.slice(0, -1);
  const decoded = value.shape.length === 3; // [1, B, …]; what is learned has one axis
  const width = fixed(dimAt(value.shape, -1), 'values') / (decoded ? space.reduce((a, b) => a * b, 1) : 1);
  const whole = decoded ? reshape(value, ['B', ...space, width]) : value;
  if (parts.length === 1 || width % size !== 0) return parts.map(() => whole);
  const lead = whole.shape.slice(0, -1);
  const layered = width === size ? whole : reshape(whole, [...lead, width / size, size]);
  const sizes = parts.map((part) => part.size);
  return split(layered, -1, sizes).map((own, i) =>
    width === size ? own : reshape(own, [...lead, (width / size) * sizes[i]!]),
  );
}

/** Names of the values of p(x|z) that each part is drawn from: `field.name` in `decoderGraph`. */
export const valueNames = (vae: Vae): (readonly string[])[] =>
  vae
    .decode(latentInput(vae))
    .flatMap(({ parts, likelihood }) => parts.map(() => Object.keys(likelihood.values)));

/** z [B, Z] → the mean of x, [B, …shape]. */
export function meanGraph(vae: Vae): Outputs {
  const blocks = vae.decode(latentInput(vae));
  return {
    mean: concat(
      blocks.map(({ likelihood, size }) => reshape(likelihood.mean, blockShape(vae, size))),
      -1,
    ),
  };
}

const blockShape = (vae: Vae, size: number): Shape => ['B', ...vae.spec.shape.slice(0, -1), size];
