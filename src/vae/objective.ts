/** The form of an objective: from terms to what training minimises, in nats an example. */
import { add, dimAt, fixed, mul, sum, type Tensor } from '../graph/index.ts';
import type { Scope } from '../nn/index.ts';
import type { Observation, Vae } from './model.ts';
import type { Terms } from './terms.ts';

/** Graph inputs that change during training, so that a schedule never compiles anything. */
export interface Knobs {
  /** 1/B. */
  readonly scale: Tensor;
  /** Weight of the KL, warm-up included. */
  readonly beta: Tensor;
  /** Part of the training that is done, from 0 to 1. */
  readonly progress: Tensor;
}

export interface ObjectiveContext extends Knobs {
  readonly vae: Vae;
  readonly observed: Observation;
  /** Training examples in all. */
  readonly rows: number;
  /** For networks of the objective's own: they are trained and not saved. */
  readonly scope: Scope;
}

/** Scalars to be minimised, and what is told of them. */
export interface Losses {
  readonly loss: Tensor;
  /** Minimised by the parameters of the inference network instead of `loss`. */
  readonly inference?: Tensor;
  /** Minimised by the objective's own networks; without it they too minimise `loss`. */
  readonly adversary?: Tensor;
  /** Further terms of the loss by name, means over the batch in nats. */
  readonly report?: Readonly<Record<string, Tensor>>;
  /** New values of parameters of the objective's own that a rule moves and no gradient, by the parameter's name. */
  readonly updates?: Readonly<Record<string, Tensor>>;
}

/** How the networks of an adversary are moved: by Adam, whatever moves the model. */
export interface Adversary {
  /** Its learning rate, as a part of the model's. */
  readonly rate: number;
  /** Decay of the mean of its gradient. */
  readonly beta1: number;
}

export interface Objective {
  /** K: draws of z for each example. */
  readonly samples: number;
  /** Weight of the KL once warmed up. */
  readonly beta: number;
  /** By what an epoch is judged, the less the better, from means over validation rows; by default β·KL − log p(x|z). */
  readonly judge?: (means: { readonly logPx: number; readonly kl: number }) => number;
  /** Whether it is made of importance weights: an epoch is then judged by the bound of as many samples, log 1/K Σₖ wₖ. */
  readonly weighs?: boolean;
  /** Whether log q(z|x) is needed with gradients through z alone. */
  readonly density?: boolean;
  /** Whether log p(z) may not depend on the encoder in another way than through z, nor a draw on another. */
  readonly apart?: boolean;
  /** Whether μ and σ² of each latent dimension are needed. */
  readonly diagonal?: boolean;
  /** Whether z must be drawn. */
  readonly random?: boolean;
  /** Whether it is made of E_q[log p(x|z)] and the KL alone, so that means over a label's classes can stand for them. */
  readonly ofMeans?: boolean;
  /** Whether z is a point where nothing else was asked for. */
  readonly point?: boolean;
  /** Whether each example must be in the batch once: it is compared with as many draws, or decoded again. */
  readonly once?: boolean;
  /** Whether x must be pictures. */
  readonly pictures?: boolean;
  /** How the objective's own networks are moved; without it as the model is. */
  readonly adversary?: Adversary;
  /** What training does to the encoder's view of x [B, …shape]. */
  readonly corrupt?: (seen: Tensor) => Tensor;
  readonly losses: (terms: Terms, context: ObjectiveContext) => Losses;
}

/** Parameters of networks of the objective's own. */
export const isOfObjective = (parameter: string): boolean => parameter.startsWith('objective.');

/** Mean over samples and batch of t [K, B, …], summed over what follows. */
export const batchMean = (t: Tensor, scale: Tensor): Tensor =>
  mul(sum(t), mul(scale, 1 / fixed(dimAt(t.shape, 0), 'samples')));

/** E_q[log p(x|z)], a mean over the batch. */
export const expectedLogPx = ({ logPx }: Terms, { scale }: Pick<Knobs, 'scale'>): Tensor =>
  batchMean(logPx, scale);

/** KL(q(z|x) ‖ p(z)) of all levels, and that of a label, a mean over the batch. */
export const totalKl = (terms: Terms, { scale }: Pick<Knobs, 'scale'>): Tensor =>
  withLabelKl(
    terms.levels.map(({ kl }) => batchMean(kl, scale)),
    terms,
    scale,
  );

/** The sum of KLs, with that of a label where one is inferred. */
export const withLabelKl = (kls: readonly Tensor[], { label }: Terms, scale: Tensor): Tensor =>
  [...kls, ...(label ? [mul(sum(label.kl), scale)] : [])].reduce((a, b) => add(a, b));

/** `loss` with what the model's parts ask to have added. */
export const penalised = (loss: Tensor, { penalties }: Terms): Tensor =>
  Object.values(penalties).reduce((a, b) => add(a, b), loss);
