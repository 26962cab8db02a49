/** A VAE: encode x to q(z|x), a prior p(z), decode z to p(x|z), put together from one choice of each. */
import {
  type Arg,
  add,
  concat,
  constant,
  dimAt,
  flatten,
  input,
  mul,
  multiply,
  reshape,
  type Shape,
  slice,
  split,
  type Tensor,
} from '../graph/index.ts';
import {
  type Chain,
  type Ladder,
  type Network,
  type Parameter,
  parameters,
  type Scope,
} from '../nn/index.ts';
import { createChain } from './chain.ts';
import type { Codes } from './codes.ts';
import { checkModel, hasLevels } from './combine.ts';
import { createHierarchy } from './hierarchy.ts';
import { type LabelModel, type LabelSpec, withLabel } from './label.ts';
import type { Law, Likelihood, LikelihoodField } from './likelihood.ts';
import { copiesOf, encodeEach, type Modality } from './modalities.ts';
import { tiled } from './moments.ts';
import { isPoint, type Posterior, type PosteriorFamily } from './posterior.ts';
import type { Prior, PriorFamily } from './prior.ts';
import { type Level, levelOf } from './terms.ts';

/** One field of the data: the features `start` to `start + size` of the last axis, and the law they follow. */
export interface Part {
  readonly field: string;
  /** Neighbours of a row whose law is the same value are decoded together. */
  readonly law: Law;
  readonly start: number;
  readonly size: number;
}

/** What a model is made from. */
export interface ModelSpec {
  /** Of one example: [D] for a row, [H, W, C] for a picture. */
  readonly shape: readonly number[];
  /** One after the other, they cover the last axis. */
  readonly parts: readonly Part[];
  /** Whether values may be missing: then a mask says which are there. */
  readonly masked: boolean;
  /** C: features of what is given, where something is. The encoder and the decoder see it, and x has it not. */
  readonly condition?: number;
  /** What of the condition is a label that is inferred where it is not known. Not for several levels of z. */
  readonly label?: LabelSpec;
  /** Groups of fields, for posteriors of experts; each field is one where not said. */
  readonly modalities?: readonly Modality[];
  /** Dimensions of z; of a ladder, at every place of every level; of a chain, in the highest level. */
  readonly latent: number;
  /** Ladders and chains have several levels of z, and conditional Gaussians for posterior, bent in a ladder, and prior. */
  readonly network: Network | Levels;
  readonly posterior: PosteriorFamily;
  readonly prior: PriorFamily;
}

/** A network of several levels of z. */
export type Levels = Ladder | Chain;

/** What is seen of a batch. */
export interface Observation {
  readonly x: Tensor; // [B, …shape]; zeros where missing
  readonly mask?: Tensor; // [B, parts]; 1 where there
  readonly condition?: Tensor; // [B, C]
}

/** p(x|z) of neighbouring fields of one law, together; its tensors are [K, B, d]. */
export interface BlockLikelihood extends Block {
  readonly likelihood: Likelihood;
}

/** The features `start` to `start + size` of the last axis of x. */
interface Block {
  readonly parts: readonly Part[];
  readonly start: number;
  readonly size: number;
}

export interface InferenceOptions {
  readonly samples: number;
  /** See `PosteriorContext`. */
  readonly progress: Arg;
  readonly scale?: Tensor;
  /** What is done to the encoder's view of x [B, …shape], as a denoising autoencoder does. */
  readonly corrupt?: (seen: Tensor) => Tensor;
}

/** Latent variables drawn for what is seen. */
export interface Inference {
  readonly z: Tensor; // [K, B, Z]
  /** Top first; a plain VAE has one. */
  readonly levels: readonly Level[];
  /** Scalars that the model's parts ask to have added to any objective. */
  readonly penalties: Readonly<Record<string, Tensor>>;
  /** New values of parameters that a rule moves, by name. */
  readonly updates: Readonly<Record<string, Tensor>>;
  /** p(x|z), where inference has decoded z on its way. */
  readonly decoded?: readonly BlockLikelihood[];
  /** Where training has each example several times: how often, and what is seen of all of them, [count·B, …]. */
  readonly copies?: { readonly count: number; readonly observed: Observation };
}

export interface Vae {
  /** With `latent` dimensions of z in all. */
  readonly spec: ModelSpec;
  readonly encode: (observed: Observation) => Posterior;
  readonly infer: (observed: Observation, options: InferenceOptions) => Inference;
  /** Given the graph's own `condition`, where it depends on that. */
  readonly prior: Prior;
  /** What the whole of z is made of, where that is finitely many values. */
  readonly codes?: Codes;
  /** Where a label is inferred: then terms are means over its classes, and x is encoded with its likeliest. */
  readonly label?: LabelModel;
  /** z [K, B, Z] → p(x|z), a product over the fields; p(x|z, c) given the graph's own `condition` or another [B, C]. */
  readonly decode: (z: Tensor, condition?: Tensor) => readonly BlockLikelihood[];
  /** Every parameter, declared by building the parts above. */
  readonly parameters: readonly Parameter[];
  /** The same model by the same parameters as training builds it, with dropout. */
  readonly inTraining: () => Vae;
}

/** Parameters of the inference network: some objectives move them by another loss than the rest. */
export const isInference = (parameter: string): boolean => /^(encoder|posterior)\./.test(parameter);

/** Builds a model. Throws a `UserError` where the parts of `spec` do not make one. */
export function createVae(spec: ModelSpec): Vae {
  checkModel(spec);
  const declared = parameters();
  const { network } = spec;
  const built = (root: Scope) =>
    hasLevels(network) ? hierarchical(spec, network, root) : flat(spec, network, root);
  const model = built(declared.root);
  model.decode(model.infer(observation(spec), { samples: 1, progress: 1 }).z); // building all declares the parameters
  const vae = (parts: VaeParts): Vae => ({
    ...parts,
    parameters: declared.all(),
    inTraining: () => vae(built(declared.training)),
  });
  return vae(model);
}

/** What is built of a model, in training or not. */
export type VaeParts = Omit<Vae, 'parameters' | 'inTraining'>;

/** x as the encoder is shown it, and what is there of it. */
const shownOf = (
  spec: ModelSpec,
  { x, mask }: Observation,
  { corrupt = (seen) => seen }: Pick<InferenceOptions, 'corrupt'> = {},
): Tensor => {
  const seen = corrupt(viewOf(spec, x));
  return mask ? concat([seen, mask], -1) : seen;
};

function hierarchical(spec: ModelSpec, network: Levels, root: Scope): VaeParts {
  const { latent, encode, infer, prior, decode } =
    network.inference === 'bottom up'
      ? createChain(network, root, spec.latent)
      : createHierarchy(network, root, spec);
  const own = observation(spec).condition;
  return {
    spec: { ...spec, latent },
    encode: (observed) => encode(shownOf(spec, observed), observed.condition),
    infer: (observed, options) => {
      const shown = shownOf(spec, observed, options);
      const { decodeDrawn, ...inferred } = infer(shown, options, observed.condition);
      if (!decodeDrawn) return inferred;
      const body: DecoderBody = (_, outputs) => decodeDrawn(outputs);
      return { ...inferred, decoded: decodeBlocks(spec, root, inferred.z, body) };
    },
    prior: prior(own),
    decode: (z, condition = own) => decodeBlocks(spec, root, z, decode, condition),
  };
}

function flat(spec: ModelSpec, network: Network, root: Scope): VaeParts {
  const encodeWith = (observed: Observation, options: Omit<InferenceOptions, 'samples'>): Posterior => {
    const { progress, scale, corrupt = (seen: Tensor) => seen } = options;
    const own = root.at('encoder');
    const encodeOne = (scope: Scope, seen: Tensor) => network.encode(scope, seen, observed.condition);
    const { features, ...more } = spec.posterior.experts
      ? encodeEach(spec, observed, corrupt, (name, seen) => encodeOne(own.at(name), seen))
      : { features: encodeOne(own, shownOf(spec, observed, options)) };
    const context = { scope: root.at('posterior'), progress, ...(scale && { scale }), ...more };
    return spec.posterior.build(features, spec.latent, context);
  };
  const encode = (observed: Observation) => encodeWith(observed, { progress: 1 });
  const codes = spec.posterior.codes?.(spec.latent, root.at('posterior'));
  const own = observation(spec).condition;
  const priorGiven = (condition: Tensor | undefined): Prior =>
    spec.prior.build(spec.latent, {
      scope: root.at('prior'),
      shape: spec.shape,
      parts: spec.parts,
      ...(codes && { codes }),
      ...(condition && { condition }),
      encode: (x) => encode(pseudoExamples(spec, x)),
    });
  const prior = priorGiven(own);
  const infer = (observed: Observation, options: InferenceOptions): Inference => {
    const posterior = encodeWith(observed, options);
    const { penalties = {}, updates = {}, copies } = posterior;
    const of = copies ? copiesOf(spec, observed, copies) : observed;
    const p = spec.prior.given ? priorGiven(of.condition) : prior;
    const level = levelOf(posterior, p, options.samples, isPoint(spec.posterior));
    const inferred = { z: level.z, levels: [level], penalties, updates };
    return copies ? { ...inferred, copies: { count: copies.count, observed: of } } : inferred;
  };
  const body: DecoderBody = (z, outputs, condition) =>
    network.decode(root.at('decoder'), condition ? concat([z, condition], -1) : z, outputs);
  const model: VaeParts = {
    spec,
    encode,
    infer,
    prior,
    decode: (z, condition = own) => decodeBlocks(spec, root, z, body, condition),
    ...(codes && spec.posterior.space === 'codes' && { codes }),
  };
  if (!spec.label) return model;
  const features = (observed: Observation) =>
    network.encode(root.at('encoder').at('label'), shownOf(spec, observed), observed.condition);
  return withLabel(model, spec.label, features, root.at('posterior').at('label'));
}

/** The graph's data inputs: `x`, where values may be missing `mask`, and where something is given `condition`. */
export function observation({ shape, parts, masked, condition }: ModelSpec): Observation {
  return {
    x: input('x', ['B', ...shape]),
    ...(masked && { mask: input('mask', ['B', parts.length]) }),
    ...(condition && { condition: input('condition', ['B', condition]) }),
  };
}

/** Pseudo-examples x [M, …shape] as if they had been seen: nothing is missing, and nothing given. */
function pseudoExamples({ masked, parts, condition }: ModelSpec, x: Tensor): Observation {
  return {
    x,
    ...(masked && { mask: constantRows(x, 1, parts.length) }),
    ...(condition && { condition: constantRows(x, 0, condition) }),
  };
}

/** `value` in [M, size], for as many rows as x [M, …] has. */
function constantRows(x: Tensor, value: number, size: number): Tensor {
  return add(mul(slice(flatten(x), 1, 0, 1), 0), constant(Array<number>(size).fill(value), [1, size]));
}

/** What the encoder is shown of x. */
function viewOf(spec: ModelSpec, x: Tensor): Tensor {
  const blocks = blocksOf(spec);
  if (!blocks.some((block) => lawOf(block).view)) return x;
  const seen = blocks.map((block) => {
    const own = slice(x, -1, block.start, block.start + block.size);
    return lawOf(block).view?.(own) ?? own;
  });
  return concat(seen, -1);
}

/** Rows: neighbours with one law belong together. The parts of a picture share its space and stay apart. */
function blocksOf({ shape, parts }: ModelSpec): Block[] {
  const blocks: { parts: Part[]; start: number; size: number }[] = [];
  for (const part of parts) {
    const last = blocks.at(-1);
    if (shape.length === 1 && last && last.parts[0]!.law === part.law) {
      last.parts.push(part);
      last.size += part.size;
    } else blocks.push({ parts: [part], start: part.start, size: part.size });
  }
  return blocks;
}

export const lawOf = ({ parts }: Pick<Block, 'parts'>): Law => parts[0]!.law;

/** z [N, Z], condition [N, C] → [N, …outputs]. */
type DecoderBody = (z: Tensor, outputs: readonly number[], condition?: Tensor) => Tensor;

function decodeBlocks(
  spec: ModelSpec,
  root: Scope,
  z: Tensor,
  body: DecoderBody,
  condition?: Tensor,
): BlockLikelihood[] {
  const [samples, batch, latent] = z.shape as Shape & [number, 'B', number];
  const rows = reshape(z, [multiply(samples, batch), latent]);
  const space = spec.shape.slice(0, -1);
  const blocks = blocksOf(spec).map((block) => {
    const fields = fieldsOf(block, space, root.at('likelihood'));
    return { ...block, fields, each: widthsOf(lawOf(block), fields) };
  });
  const widths = blocks.map(({ each }) => each.reduce((a, b) => a + b, 0));
  const outputs = [...space, widths.reduce((a, b) => a + b, 0)];
  const raw = body(rows, outputs, condition && tiled(condition, samples));
  return split(raw, -1, widths).map((own, i) => {
    const { fields, each, ...block } = blocks[i]!;
    const values = split(own, -1, each);
    const flat = values.map((v) => reshape(v, [samples, batch, multiply(...v.shape.slice(1))]));
    return { ...block, likelihood: lawOf(block).build(fields, flat) };
  });
}

const fieldsOf = (block: Block, space: readonly number[], learned: Scope): LikelihoodField[] =>
  block.parts.map(({ field, size }) => ({
    scope: lawOf(block).shared ? learned.at('shared') : learned.at('field').at(field),
    size: space.reduce((a, b) => a * b, size),
    space,
    channels: size,
  }));

/** How many values of each parameter the decoder gives for all fields at each place. */
const widthsOf = ({ parameters: names, width }: Law, fields: readonly LikelihoodField[]): number[] =>
  names
    .map((name) => fields.reduce((sum, field) => sum + (width?.(name, field) ?? field.channels), 0))
    .filter((n) => n > 0);

/** The features of x that a block describes, [1, B, d]. */
export function featuresOf(x: Tensor, { start, size }: Pick<Block, 'start' | 'size'>): Tensor {
  const own = slice(x, -1, start, start + size);
  return reshape(own, [1, dimAt(x.shape, 0), multiply(...own.shape.slice(1))]);
}
