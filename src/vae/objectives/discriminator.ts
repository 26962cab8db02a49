/** Discriminators, networks that tell draws of one law from those of another, and what they and their opponents minimise. */
import {
  add,
  concat,
  dimAt,
  fixed,
  flatten,
  leakyRelu,
  mul,
  neg,
  reshape,
  softplus,
  sum,
  type Tensor,
} from '../../graph/index.ts';
import { contextual, conv, linear, type Scope } from '../../nn/index.ts';

/** The log odds that each row is of the first law. */
export type Discriminator = (t: Tensor) => Tensor; // [B, …] → [B]

const act = (t: Tensor): Tensor => leakyRelu(t, 0.2);

const oneNumber = (scope: Scope, t: Tensor): Tensor => {
  const logit = linear(scope.at('output'), t, 1);
  return reshape(logit, [dimAt(logit.shape, 0)]);
};

/** Dense layers on z [B, Z], beside what is given, `condition` [B, C], where something is (Mirza & Osindero 2014). */
export const denseDiscriminator =
  (scope: Scope, hidden: readonly number[], condition?: Tensor): Discriminator =>
  (z) =>
    oneNumber(
      scope,
      hidden.reduce(
        (h, width, i) => act(linear(scope.at(i), h, width)),
        condition ? concat([z, condition], -1) : z,
      ),
    );

export interface Seen {
  /** What the layer before the last makes of a picture, [B, F]. */
  readonly features: Tensor;
  readonly logit: Tensor; // [B]
}

/**
 * Convolutions that each halve the picture [B, H, W, C], as many of them as leave a side of 4 (Radford et al. 2016). Where
 * something is given, what is linear in it has an inner product with the features (Miyato & Koyama 2018, eq. 3).
 */
export const pictureDiscriminator =
  (scope: Scope, channels: readonly number[], condition?: Tensor) =>
  (x: Tensor): Seen => {
    const side = Math.min(Number(dimAt(x.shape, 1)), Number(dimAt(x.shape, 2)));
    const used = channels.filter((_, i) => side >> (i + 1) >= 4);
    const top = used.reduce(
      (h, width, i) => act(conv(scope.at(i), h, width, { kernel: 4, stride: 2, padding: 1 })),
      x,
    );
    const features = flatten(top);
    const logit = oneNumber(scope, features);
    if (!condition) return { features, logit };
    const direction = contextual(scope.at('given'), condition, fixed(dimAt(features.shape, 1), 'features'));
    return { features, logit: add(logit, sum(mul(features, direction), [1])) };
  };

/** −log σ(l), the mean over the batch: what those minimise who would be taken for the first law (Goodfellow et al. 2014, section 3). */
export const nonSaturatingLoss = (logit: Tensor, scale: Tensor): Tensor =>
  mul(sum(softplus(neg(logit))), scale);
/** −log (1 − σ(l)). */
const takenForSecond = (logit: Tensor, scale: Tensor): Tensor => mul(sum(softplus(logit)), scale);

/** Cross-entropy of telling the laws apart, nats: log 2 where nothing is told (Goodfellow et al. 2014, eq. 1, halved). */
export const discriminatorLoss = (first: Tensor, second: Tensor, scale: Tensor): Tensor =>
  mul(0.5, add(nonSaturatingLoss(first, scale), takenForSecond(second, scale)));
