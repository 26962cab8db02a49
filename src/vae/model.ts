/** A VAE: encode x to q(z|x), a prior p(z), decode z to p(x|z), put together from one choice of each. */
import {
  concat,
  dimAt,
  input,
  multiply,
  reshape,
  type Shape,
  slice,
  split,
  type Tensor,
} from '../graph/index.ts';
import { type Network, type Parameter, parameters, type Scope } from '../nn/index.ts';
import {
  type Posterior,
  type PosteriorName,
  type Prior,
  type PriorName,
  posteriors,
  priors,
} from './latent.ts';
import { type Likelihood, type LikelihoodKind, type LikelihoodName, likelihoods } from './likelihoods.ts';

/** One field of the data: the features `start` to `start + size` of the last axis, and the law they follow. */
export interface Part {
  readonly field: string;
  readonly likelihood: LikelihoodName;
  readonly start: number;
  readonly size: number;
}

/** What a model is made from. */
export interface ModelSpec {
  /** Of one example: [D] for a row, [H, W, C] for a picture. */
  readonly shape: readonly number[];
  readonly parts: readonly Part[];
  /** Whether values may be missing: then a mask says which are there. */
  readonly masked: boolean;
  readonly latent: number;
  readonly network: Network;
  readonly posterior: PosteriorName;
  readonly prior: PriorName;
}

/** What is seen of a batch. */
export interface Observation {
  readonly x: Tensor; // [B, …shape]; zeros where missing
  readonly mask?: Tensor; // [B, parts]; 1 where there
}

/** p(x|z) of one field; its tensors are [K, B, d]. */
export interface PartLikelihood {
  readonly part: Part;
  readonly likelihood: Likelihood;
}

export interface Vae {
  readonly spec: ModelSpec;
  readonly encode: (observed: Observation) => Posterior;
  readonly prior: Prior;
  /** z [K, B, Z] → p(x|z), a product over the fields. */
  readonly decode: (z: Tensor) => readonly PartLikelihood[];
  /** Every parameter, declared by building the parts above. */
  readonly parameters: readonly Parameter[];
}

export function createVae(spec: ModelSpec): Vae {
  const declared = parameters();
  const { root } = declared;
  const encode = ({ x, mask }: Observation): Posterior => {
    const features = spec.network.encode(root.at('encoder'), mask ? concat([x, mask], -1) : x);
    return posteriors[spec.posterior].build(root.at('posterior'), features, spec.latent);
  };
  const prior = priors[spec.prior].build();
  const decode = (z: Tensor) => decodeParts(spec, root, z);
  const z = encode(observation(spec)).mean; // building both once declares their parameters
  decode(reshape(z, [1, ...z.shape]));
  return { spec, encode, prior, decode, parameters: declared.all() };
}

/** The graph's data inputs: `x` and, where values may be missing, `mask`. */
export function observation(spec: ModelSpec): Observation {
  const x = input('x', ['B', ...spec.shape]);
  return spec.masked ? { x, mask: input('mask', ['B', spec.parts.length]) } : { x };
}

const kindOf = (part: Part): LikelihoodKind => likelihoods[part.likelihood];
const parametersOf = (part: Part): readonly string[] => kindOf(part).parameters;
const width = (part: Part): number => part.size * parametersOf(part).length;

function decodeParts(spec: ModelSpec, root: Scope, z: Tensor): PartLikelihood[] {
  const [samples, batch, latent] = z.shape as Shape & [number, 'B', number];
  const rows = reshape(z, [multiply(samples, batch), latent]);
  const total = spec.parts.reduce((n, part) => n + width(part), 0);
  const raw = spec.network.decode(root.at('decoder'), rows, [...spec.shape.slice(0, -1), total]);
  let start = 0;
  return spec.parts.map((part) => {
    const own = slice(raw, -1, start, (start += width(part)));
    const values = split(
      own,
      -1,
      parametersOf(part).map(() => part.size),
    );
    const learned = root.at('likelihood');
    const scope = kindOf(part).shared ? learned.at('shared') : learned.at('field').at(part.field);
    const flat = values.map((v) => reshape(v, [samples, batch, multiply(...v.shape.slice(1))]));
    return { part, likelihood: kindOf(part).build(scope, flat) };
  });
}

/** The features of one part of x, [1, B, d]. */
export function featuresOf(x: Tensor, part: Part): Tensor {
  const own = slice(x, -1, part.start, part.start + part.size);
  return reshape(own, [1, dimAt(x.shape, 0), multiply(...own.shape.slice(1))]);
}

/** Whether each row has the part, [1, B]. */
export const presenceOf = (mask: Tensor, index: number): Tensor =>
  reshape(slice(mask, 1, index, index + 1), [1, dimAt(mask.shape, 0)]);
