/** The named terms that an objective is made of (docs/decisions/001-terms.md). K samples, batch B; nats. */
import {
  add,
  dimAt,
  gather,
  integers,
  mul,
  reshape,
  scalar,
  slice,
  split,
  sub,
  sum,
  type Tensor,
} from '../graph/index.ts';
import { divergence } from './divergence.ts';
import { type LabelTerms, labelledTerms } from './label.ts';
import { logProb } from './likelihood.ts';
import {
  type BlockLikelihood,
  featuresOf,
  type Inference,
  type InferenceOptions,
  lawOf,
  type ModelSpec,
  type Observation,
  type Part,
  type Vae,
  type VaeParts,
} from './model.ts';
import type { Posterior } from './posterior.ts';
import type { Prior } from './prior.ts';

/** One level of latent variables. */
export interface Level {
  readonly posterior: Pick<Posterior, 'mean' | 'logVar' | 'logProb'>;
  readonly prior: Pick<Prior, 'logProb'>;
  readonly z: Tensor; // [K, B, Z]
  readonly logPz: Tensor; // [K, B]
  readonly logQz: Tensor; // [K, B]
  /** [1 or K, B, d]: in closed form where there is one, else log q − log p of the samples; d = Z, or the number of codes, where it separates, else 1. */
  readonly kl: Tensor;
  /** See `Draws`. */
  readonly symbols?: Tensor; // [K, B, N]
}

export interface Terms extends Inference {
  /** log p(x|z), missing values left out. */
  readonly logPx: Tensor; // [K, B]
  /** Its parts by field. */
  readonly fields: Readonly<Record<string, Tensor>>; // [K, B] each
  readonly decoded: readonly BlockLikelihood[];
  /** Where a label is inferred; the above are then means over its classes, but for `z`, which is of each. */
  readonly label?: LabelTerms;
}

/** The terms of a VAE for what is seen. */
export function terms(vae: VaeParts, observed: Observation, options: InferenceOptions): Terms {
  if (vae.label) return labelledTerms(vae.label, observed, options);
  const inferred = vae.infer(observed, options);
  const of = inferred.copies?.observed ?? observed;
  const decoded = inferred.decoded ?? vae.decode(inferred.z, of.condition);
  const { updates, ...data } = dataTerms(vae, of, decoded, options.scale !== undefined);
  return { ...inferred, ...data, updates: { ...inferred.updates, ...updates } };
}

/** log p(x, z) − log q(z|x) of each sample, [K, B]. */
export const logWeights = ({ logPx, levels, label }: Pick<Terms, 'logPx' | 'levels' | 'label'>): Tensor =>
  label?.logWeights ?? levels.reduce((w, { logPz, logQz }) => add(w, sub(logPz, logQz)), logPx);

/** Draws of one level and what they weigh. */
export function levelOf(posterior: Posterior, prior: Prior, samples: number, point: boolean): Level {
  const drawn = posterior.draw(samples);
  const logPz = prior.logProb(drawn.z);
  const kl = point ? nothing(posterior) : divergence(posterior, prior, drawn, logPz);
  return { posterior, prior, ...drawn, logPz, kl };
}

/** A point among real numbers has no KL: it enters as 0 and an autoencoder's terms have the same form. */
const nothing = ({ mean }: Posterior): Tensor => reshape(mul(mean, scalar(0, 2)), [1, ...mean.shape]);

/** log p(x|z), whole and by field; `weights` [B] say how much each example counts in what a rule moves. */
export function dataTerms(
  { spec }: Pick<Vae, 'spec'>,
  { x, mask }: Observation,
  decoded: readonly BlockLikelihood[],
  training: boolean,
  weights?: Tensor,
): Pick<Terms, 'logPx' | 'fields' | 'decoded' | 'updates'> {
  const blocks = decoded.map((block) => {
    const own = featuresOf(x, block);
    const there = mask && !lawOf(block).vanishes ? presenceOf(spec, mask, block.parts) : undefined;
    const counted = weights
      ? mul(there ?? add(mul(own, 0), 1), reshape(weights, [1, dimAt(weights.shape, 0), 1]))
      : there;
    const moved = training ? block.likelihood.updates?.(own, counted) : undefined;
    return { ...logTerms(block, own, there), moved };
  });
  const fields = Object.fromEntries(blocks.flatMap(({ fields }) => fields));
  const logPx = blocks.map((block) => block.logPx).reduce((a, b) => add(a, b));
  const updates = Object.assign({}, ...blocks.map(({ moved }) => moved)) as Terms['updates'];
  return { logPx, fields, decoded, updates };
}

/** Of the parts of one block: log p of all, and of each by its field; x [1, B, d], of which what is `there` counts. */
function logTerms({ likelihood, parts }: BlockLikelihood, x: Tensor, there?: Tensor) {
  const each = () => (there ? mul(likelihood.logProbs(x), there) : likelihood.logProbs(x)); // [K, B, d]
  if (parts.length === 1) {
    const logPx = there ? sum(each(), [-1]) : logProb(likelihood, x);
    return { logPx, fields: [[parts[0]!.field, logPx] as const] };
  }
  const all = each();
  const own = split(
    all,
    -1,
    parts.map((p) => p.size),
  );
  return { logPx: sum(all, [-1]), fields: parts.map(({ field }, i) => [field, sum(own[i]!, [-1])] as const) };
}

/** For each feature of neighbouring parts whether a row has it, [1, B, d]. */
function presenceOf({ parts: all }: ModelSpec, mask: Tensor, parts: readonly Part[]): Tensor {
  const first = all.indexOf(parts[0]!);
  const own = slice(mask, 1, first, first + parts.length);
  const single = parts.every(({ size }) => size === 1);
  const owners = parts.flatMap(({ size }, i) => Array<number>(size).fill(i));
  const each = single ? own : gather(own, integers(owners), 1);
  return reshape(each, [1, ...each.shape]);
}
