/** The form of p(z). */
import type { Tensor } from '../graph/index.ts';
import type { Scope } from '../nn/index.ts';
import type { Codes } from './codes.ts';
import type { Part } from './model.ts';
import type { Posterior, Space } from './posterior.ts';

export interface Prior {
  readonly logProb: (z: Tensor) => Tensor; // [K, B, Z] → [K, B]
  /** z [B, Z] from noise inputs of its own, whose names start with `name`. */
  readonly draw: (name: string) => Tensor;
  /** KL(q ‖ p) of each dimension, [B, Z] or of each code [B, N] or whole [B, 1]; absent or undefined where no closed form is known. */
  readonly kl?: (q: Posterior) => Tensor | undefined;
  /** A parameter, by its full name, that training is to begin with so many examples in it, one after another. */
  readonly examples?: { readonly parameter: string; readonly count: number };
}

export interface PriorContext {
  readonly scope: Scope;
  /** Of one example, for priors that are made of pseudo-examples. */
  readonly shape: readonly number[];
  readonly parts: readonly Part[];
  /** q(z|u) of pseudo-examples u [M, …shape]. */
  readonly encode: (u: Tensor) => Posterior;
  /** What z is made of, where the posterior has codes or classes. */
  readonly codes?: Codes;
  /** What is given, [B, C]. */
  readonly condition?: Tensor;
}

/** A prior before it knows its model. */
export interface PriorFamily {
  readonly space: Space;
  /** Whether it is made of posteriors, so that their density is needed. */
  readonly ofPosteriors?: boolean;
  /** Whether a ladder has it at each of its levels, with the state above deciding mean and variance. */
  readonly conditional?: boolean;
  /** Whether every z is as likely as any other, so that there is none to keep to. */
  readonly uniform?: boolean;
  /** Whether it is p(z|c), and so needs something to be given. */
  readonly given?: boolean;
  readonly build: (latent: number, context: PriorContext) => Prior;
}
