/** The form of q(z|x). */
import type { Arg, Tensor } from '../graph/index.ts';
import type { Scope } from '../nn/index.ts';

/** Where z lives: ℝᶻ · the unit sphere · the Poincaré ball · one-hot groups · vectors of a codebook or a grid. */
export type Space = 'real' | 'sphere' | 'ball' | 'classes' | 'codes';

/** K draws of z with their own log density. */
export interface Draws {
  readonly z: Tensor; // [K, B, Z]
  readonly logQz: Tensor; // [K, B]
}

/** q(z|x) for a batch. */
export interface Posterior {
  /** What x is encoded as where one value is wanted, [B, Z]. */
  readonly mean: Tensor;
  /** log σ² of each dimension, [B, Z], where q is Gaussian with a diagonal covariance. */
  readonly logVar?: Tensor;
  readonly draw: (samples: number) => Draws;
  /** log q(z|x) at any z [K, B, Z] → [K, B]; `fixed` lets gradients through z alone and not through q. */
  readonly logProb?: (z: Tensor, fixed?: boolean) => Tensor;
  /** Scalars that training should add to any objective: a commitment, a codebook's loss. Means over the batch. */
  readonly penalties?: Readonly<Record<string, Tensor>>;
  /** New values of parameters that a rule moves and no gradient, by the parameter's name. */
  readonly updates?: Readonly<Record<string, Tensor>>;
}

export interface PosteriorContext {
  readonly scope: Scope;
  /** Part of the training that is done, from 0 to 1: what an annealed temperature depends on. 1 outside training. */
  readonly progress: Arg;
  /** 1/B. Absent outside training: penalties and updates are then not asked for. */
  readonly scale?: Tensor;
}

/** A posterior before it knows its network: features [B, H] → q(z|x) over `latent` dimensions. */
export interface PosteriorFamily {
  readonly space: Space;
  /** Whether z is drawn; a point needs no noise and has no KL. */
  readonly random: boolean;
  /** Whether log q(z|x) can be had at any z, as many objectives and VampPrior need. */
  readonly density: boolean;
  /** Whether a ladder has it at each of its levels. */
  readonly conditional?: boolean;
  readonly build: (features: Tensor, latent: number, context: PosteriorContext) => Posterior;
}
