/** The named terms that an objective is made of (docs/decisions/001-terms.md). K samples, batch B; nats. */
import { add, mul, reshape, scalar, sub, type Tensor } from '../graph/index.ts';
import type { Posterior } from './latent.ts';
import { featuresOf, type Observation, presenceOf, type Vae } from './model.ts';

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
  const fields = fieldTerms(vae, observed, z);
  const logPx = Object.values(fields).reduce((a, b) => add(a, b));
  return { logPx, fields, levels: [level(vae, posterior, z)], penalties: {} };
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

function fieldTerms(vae: Vae, { x, mask }: Observation, z: Tensor): Record<string, Tensor> {
  const each = vae.decode(z).map(({ part, likelihood }, i) => {
    const logPx = likelihood.logProb(featuresOf(x, part));
    return [part.field, mask ? mul(logPx, presenceOf(mask, i)) : logPx] as const;
  });
  return Object.fromEntries(each);
}
