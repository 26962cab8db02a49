/** The form of q(z|x). */
import type { Arg, Tensor } from '../graph/index.ts';
import type { Scope } from '../nn/index.ts';
import type { Codes } from './codes.ts';
import type { Flow } from './flows/flow.ts';

/** Where z lives: ℝᶻ · the unit sphere · the Poincaré ball · entries of codebooks (one-hot classes among them) · ℝ and classes. */
export type Space = 'real' | 'sphere' | 'ball' | 'codes' | 'mixed';

/** K draws of z with their own log density. */
export interface Draws {
  readonly z: Tensor; // [K, B, Z]
  readonly logQz: Tensor; // [K, B]
  /** Of codes: the entries that z is made of, int64. */
  readonly symbols?: Tensor; // [K, B, N]
  /** Of a flow: the draws [K, B, Z] that it bent, what they are from, and log |det dz/dz₀| [K, B]. */
  readonly bent?: { readonly from: Posterior; readonly z: Tensor; readonly logDet: Tensor };
}

/** What a Gaussian's KL to another is made of, for each dimension; [B, Z] each. */
export interface GaussianMoments {
  readonly mean: Tensor;
  readonly variance: Tensor;
  /** log of the variance given the dimensions before: these add up to the log-determinant of the covariance. */
  readonly logVar: Tensor;
  /** Whether they are along axes that a rotation takes to those of z: good for priors that no rotation changes. */
  readonly rotated?: boolean;
}

/** Some of the modalities: whether each is in it. */
export type Subset = readonly boolean[];

/** That training has each example several times in a batch: all tensors of a posterior are then [count·B, …], copy after copy. */
export interface Copies {
  readonly count: number;
  /** The modalities that each copy has been shown, and p is to explain; all where not said. */
  readonly shown?: readonly Subset[];
}

/** q(z|x) for a batch. */
export interface Posterior {
  readonly copies?: Copies;
  /** What x is encoded as where one value is wanted, [B, Z]. */
  readonly mean: Tensor;
  /** log σ² of each dimension, [B, Z], where q is Gaussian with a diagonal covariance. */
  readonly logVar?: Tensor;
  /** Of a Gaussian whose covariance is not diagonal. */
  readonly moments?: GaussianMoments;
  /** −E_q[log q(z|x)], [B, 1], where it has a closed form that is not made of `logVar` or `moments`. */
  readonly entropy?: Tensor;
  /** log probability of each class, where z is groups of classes. */
  readonly logits?: Tensor; // [B, N, K]
  /** The independent parts that z is made of, side by side, where these are of several kinds. */
  readonly parts?: readonly Posterior[];
  /** From the noise inputs `name`, which is `noise` if not said otherwise, and `name.something`. */
  readonly draw: (samples: number, name?: string) => Draws;
  /**
   * log q(z|x) at any z [K, B, Z], or at [K, 1, Z] for every q of the batch → [K, B]; `fixed` lets gradients through z
   * alone and not through q.
   */
  readonly logProb?: (z: Tensor, fixed?: boolean) => Tensor;
  /** Scalars that training should add to any objective: a commitment, a codebook's loss. Means over the batch. */
  readonly penalties?: Readonly<Record<string, Tensor>>;
  /** New values of parameters that a rule moves and no gradient, by the parameter's name. */
  readonly updates?: Readonly<Record<string, Tensor>>;
}

/** Where the features of several encoders stand side by side, [B, M·H]. */
export interface Experts {
  /** M */
  readonly count: number;
  /** Whether each of their modalities is there, [B, M]; all are where absent. */
  readonly there?: Tensor;
}

export interface PosteriorContext {
  readonly scope: Scope;
  readonly experts?: Experts;
  /** Part of the training that is done, from 0 to 1: what an annealed temperature depends on. 1 outside training. */
  readonly progress: Arg;
  /** 1/B. Absent outside training: penalties and updates are then not asked for. */
  readonly scale?: Tensor;
}

/** A posterior before it knows its network: features [B, H] → q(z|x) over `latent` dimensions. */
export interface PosteriorFamily {
  readonly space: Space;
  /** Whether z is drawn; a point needs no noise. */
  readonly random: boolean;
  /** Whether log q(z|x) can be had at any z, as many objectives and VampPrior need. */
  readonly density: boolean;
  /** Whether it is a Gaussian with a diagonal covariance: `logVar` is there. */
  readonly diagonal?: boolean;
  /** Whether each modality has an encoder of its own, and `experts` is there. */
  readonly experts?: boolean;
  /** Whether in training all draws of an example come from the same one of several parts of q. */
  readonly stratified?: boolean;
  /** Whether networks of several levels have it at each of them. */
  readonly conditional?: boolean;
  /** What bends it, where it is a Gaussian with a diagonal covariance before: features [N, H] → a flow of z [K, N, latent]. */
  readonly flow?: (scope: Scope, features: Tensor, latent: number) => Flow;
  /** How many dimensions it takes, where nobody says, in place of so many real ones; as many if absent. */
  readonly dimensions?: (real: number) => number;
  /** What z is made of, where that is finitely many values; of a mixed z, its last dimensions. */
  readonly codes?: (latent: number, scope: Scope) => Codes;
  readonly build: (features: Tensor, latent: number, context: PosteriorContext) => Posterior;
}

/** Whether there is no KL: q is a single point among real numbers. Among codes a point has one, −log p(z). */
export const isPoint = ({ random, space }: Pick<PosteriorFamily, 'random' | 'space'>): boolean =>
  !random && space !== 'codes';
