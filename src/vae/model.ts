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

export interface Vae {
  readonly spec: ModelSpec;
  readonly encode: (observed: Observation) => Posterior;
  readonly prior: Prior;
  /** z [K, B, Z] → p(x|z), a product over the fields. */
  readonly decode: (z: Tensor) => readonly BlockLikelihood[];
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
  const decode = (z: Tensor) => decodeBlocks(spec, root, z);
  const z = encode(observation(spec)).mean; // building both once declares their parameters
  decode(reshape(z, [1, ...z.shape]));
  return { spec, encode, prior, decode, parameters: declared.all() };
}

/** The graph's data inputs: `x` and, where values may be missing, `mask`. */
export function observation(spec: ModelSpec): Observation {
  const x = input('x', ['B', ...spec.shape]);
  return spec.masked ? { x, mask: input('mask', ['B', spec.parts.length]) } : { x };
}

/** Rows: neighbours with one likelihood belong together. The parts of a picture share its space and stay apart. */
function blocksOf({ shape, parts }: ModelSpec): Block[] {
  const blocks: { parts: Part[]; start: number; size: number }[] = [];
  for (const part of parts) {
    const last = blocks.at(-1);
    if (shape.length === 1 && last && last.parts[0]!.likelihood === part.likelihood) {
      last.parts.push(part);
      last.size += part.size;
    } else blocks.push({ parts: [part], start: part.start, size: part.size });
  }
  return blocks;
}

export const kindOf = ({ parts }: Pick<Block, 'parts'>): LikelihoodKind => likelihoods[parts[0]!.likelihood];

function decodeBlocks(spec: ModelSpec, root: Scope, z: Tensor): BlockLikelihood[] {
  const [samples, batch, latent] = z.shape as Shape & [number, 'B', number];
  const rows = reshape(z, [multiply(samples, batch), latent]);
  const blocks = blocksOf(spec);
  const widths = blocks.map((block) => block.size * kindOf(block).parameters.length);
  const space = spec.shape.slice(0, -1);
  const raw = spec.network.decode(root.at('decoder'), rows, [...space, widths.reduce((a, b) => a + b, 0)]);
  const learned = root.at('likelihood');
  return split(raw, -1, widths).map((own, i) => {
    const block = blocks[i]!;
    const { parameters: names, shared, build } = kindOf(block);
    const values = split(
      own,
      -1,
      names.map(() => block.size),
    );
    const flat = values.map((v) => reshape(v, [samples, batch, multiply(...v.shape.slice(1))]));
    const fields = block.parts.map(({ field, size }) => ({
      scope: shared ? learned.at('shared') : learned.at('field').at(field),
      size: space.reduce((a, b) => a * b, size),
    }));
    return { ...block, likelihood: build(fields, flat) };
  });
}

/** The features of x that a block describes, [1, B, d]. */
export function featuresOf(x: Tensor, { start, size }: Pick<Block, 'start' | 'size'>): Tensor {
  const own = slice(x, -1, start, start + size);
  return reshape(own, [1, dimAt(x.shape, 0), multiply(...own.shape.slice(1))]);
}
