/** The named terms that an objective is made of (docs/decisions/001-terms.md). K samples, batch B; nats. */
import {
  add,
  dimAt,
  fixed,
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
import type { Posterior } from './latent.ts';
import { featuresOf, kindOf, type ModelSpec, type Observation, type Part, type Vae } from './model.ts';

/** One level of latent variables. */
export interface Level {
  readonly posterior: Posterior;
  readonly z: Tensor; // [K, B, Z]
  readonly logPz: Tensor; // [K, B]
  readonly logQz: Tensor; // [K, B]
  /** [1 or K, B, d]: in closed form with d = Z where there is one, else log q − log p of the samples with d = 1. */
  readonly kl: Tensor;
}

export interface Terms {
  /** log p(x|z), missing values left out. */
  readonly logPx: Tensor; // [K, B]
  /** Its parts by field. */
  readonly fields: Readonly<Record<string, Tensor>>; // [K, B] each
  /** Top first; a plain VAE has one. */
  readonly levels: readonly Level[];
  /** Scalars that a model's parts ask to have added to any objective. */
  readonly penalties: Readonly<Record<string, Tensor>>;
}

/** The terms of a one-level VAE; noise ε ~ N(0, I) is [K, B, Z]. */
export function terms(vae: Vae, observed: Observation, noise: Tensor): Terms {
  const posterior = vae.encode(observed);
  const z = posterior.sample(noise);
  return { ...dataTerms(vae, observed, z), levels: [level(vae, posterior, z)], penalties: {} };
}

/** log p(x, z) − log q(z|x) of each sample, [K, B]. */
export const logWeights = ({ logPx, levels }: Terms): Tensor =>
  levels.reduce((w, { logPz, logQz }) => add(w, sub(logPz, logQz)), logPx);

function level({ prior }: Vae, posterior: Posterior, z: Tensor): Level {
  const logPz = prior.logProb(z);
  const logQz = posterior.logProb(z);
  return { posterior, z, logPz, logQz, kl: divergence(prior.kl(posterior), sub(logQz, logPz), posterior) };
}

/** A point posterior has no KL: it enters as 0 and an autoencoder's terms have the same form. */
function divergence(closed: Tensor | undefined, sampled: Tensor, { logVar, mean }: Posterior): Tensor {
  if (closed) return reshape(closed, [1, ...closed.shape]);
  if (!logVar) return reshape(mul(mean, scalar(0, 2)), [1, ...mean.shape]);
  return reshape(sampled, [...sampled.shape, 1]);
}

/** log p(x|z), whole and by field. */
function dataTerms(vae: Vae, { x, mask }: Observation, z: Tensor): Pick<Terms, 'logPx' | 'fields'> {
  const blocks = vae.decode(z).map((block) => {
    const each = block.likelihood.logProbs(featuresOf(x, block)); // [K, B, d]
    const masked = mask && !kindOf(block).vanishes;
    return { parts: block.parts, each: masked ? mul(each, presenceOf(vae.spec, mask, block.parts)) : each };
  });
  const fields = blocks.flatMap(({ parts, each }) => {
    const sizes = parts.length === 1 ? [fixed(dimAt(each.shape, -1), 'features')] : parts.map((p) => p.size);
    return split(each, -1, sizes).map((own, i) => [parts[i]!.field, sum(own, [-1])] as const);
  });
  const logPx = blocks.map(({ each }) => sum(each, [-1])).reduce((a, b) => add(a, b));
  return { logPx, fields: Object.fromEntries(fields) };
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
