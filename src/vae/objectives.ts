/** What training minimises: functions from terms to a scalar, in nats an example. */
import { add, dimAt, fixed, logSumExp, maximum, mul, neg, sub, sum, type Tensor } from '../graph/index.ts';
import { logWeights, type Terms } from './terms.ts';

/** Graph inputs that change during training, so that a schedule never compiles anything. */
export interface Knobs {
  /** 1/B. */
  readonly scale: Tensor;
  /** Weight of the KL, warm-up included. */
  readonly beta: Tensor;
}

export type Objective = (terms: Terms, knobs: Knobs) => Tensor;

/** Mean over samples and batch of t [K, B, …], summed over what follows. */
export const batchMean = (t: Tensor, scale: Tensor): Tensor =>
  mul(sum(t), mul(scale, 1 / fixed(dimAt(t.shape, 0), 'samples')));

/** E_q[log p(x|z)], a mean over the batch. */
export const expectedLogPx = ({ logPx }: Terms, { scale }: Knobs): Tensor => batchMean(logPx, scale);

/** KL(q(z|x) ‖ p(z)) of all levels, a mean over the batch. */
export const totalKl = ({ levels }: Terms, { scale }: Knobs): Tensor =>
  levels.map(({ kl }) => batchMean(kl, scale)).reduce((a, b) => add(a, b));

const penalised = (loss: Tensor, { penalties }: Terms): Tensor =>
  Object.values(penalties).reduce((a, b) => add(a, b), loss);

export interface ElboOptions {
  /** λ: nats that each latent dimension may use at no cost. */
  readonly freeBits?: number;
}

/**
 * −ELBO = β·KL − E_q[log p(x|z)] (Kingma & Welling 2014, eq. 3; β: Higgins et al. 2017, eq. 4). With free bits the
 * KL is Σⱼ max(λ, mean over the batch of KLⱼ) (Kingma et al. 2016, eq. 15).
 */
export const elbo =
  ({ freeBits = 0 }: ElboOptions = {}): Objective =>
  (terms, knobs) => {
    const kl = freeBits > 0 ? freeKl(terms, knobs, freeBits) : totalKl(terms, knobs);
    return penalised(sub(mul(knobs.beta, kl), expectedLogPx(terms, knobs)), terms);
  };

function freeKl({ levels }: Terms, { scale }: Knobs, freeBits: number): Tensor {
  const each = levels.map(({ kl }) => {
    const perDimension = mul(sum(kl, [0, 1]), mul(scale, 1 / fixed(dimAt(kl.shape, 0), 'samples')));
    return sum(maximum(perDimension, freeBits));
  });
  return each.reduce((a, b) => add(a, b));
}

/** −log (1/K) Σₖ p(x, zₖ) / q(zₖ|x), the importance-weighted bound (Burda et al. 2016, eq. 8); K = 1 is the ELBO. */
export const iwae: Objective = (terms, knobs) => {
  const weights = logWeights(terms);
  const samples = fixed(dimAt(weights.shape, 0), 'samples');
  const bound = sub(mul(sum(logSumExp(weights, 0)), knobs.scale), Math.log(samples));
  return penalised(neg(bound), terms);
};

/** −log p(x|z) alone: the plain autoencoder, with a point posterior. */
export const reconstruction: Objective = (terms, knobs) => penalised(neg(expectedLogPx(terms, knobs)), terms);
