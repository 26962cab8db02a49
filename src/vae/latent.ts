/** q(z|x) and p(z): posteriors and priors, with the KL divergence between them where it has a closed form. */
import { add, exp, mul, split, square, sub, sum, type Tensor } from '../graph/index.ts';
import { linear, type Scope } from '../nn/index.ts';
import { gaussian, logProb } from './likelihoods.ts';

/** q(z|x) for a batch; μ and log σ² are [B, Z]. */
export interface Posterior {
  readonly mean: Tensor;
  /** Absent where z is a point. */
  readonly logVar?: Tensor;
  /** z from noise ε ~ N(0, I), [K, B, Z]. */
  readonly sample: (noise: Tensor) => Tensor;
  readonly logProb: (z: Tensor) => Tensor; // [K, B, Z] → [K, B]
}

export interface PosteriorKind {
  readonly doc: string;
  /** Whether z is drawn: a point needs no noise and has no KL. */
  readonly random: boolean;
  readonly build: (scope: Scope, features: Tensor, latent: number) => Posterior;
}

export interface Prior {
  readonly logProb: (z: Tensor) => Tensor; // [K, B, Z] → [K, B]
  /** z from noise ε ~ N(0, I), [B, Z]. */
  readonly sample: (noise: Tensor) => Tensor;
  /** KL(q ‖ p) of each dimension, [B, Z]; undefined where no closed form is known. */
  readonly kl: (q: Posterior) => Tensor | undefined;
}

export interface PriorKind {
  readonly doc: string;
  readonly build: () => Prior;
}

/** q = N(μ, diag σ²): z = μ + σ ⊙ ε (Kingma & Welling 2014, section 2.4). */
export function diagonalGaussian(mean: Tensor, logVar: Tensor): Posterior {
  const { sample, logProbs } = gaussian(mean, logVar);
  return { mean, logVar, sample, logProb: (z) => logProb({ logProbs }, z) };
}

/** z = μ, whatever the noise: the encoder of a plain autoencoder. Its log density is taken as 0. */
export const point = (mean: Tensor): Posterior => ({
  mean,
  sample: (noise) => add(mean, mul(0, noise)),
  logProb: (z) => sum(mul(z, 0), [-1]),
});

const LOG_2PI = Math.log(2 * Math.PI);

/** N(0, I); KL = ½ (μ² + σ² − log σ² − 1) a dimension (Kingma & Welling 2014, appendix B). */
export const standardNormal: Prior = {
  logProb: (z) => mul(-0.5, sum(add(square(z), LOG_2PI), [-1])),
  sample: (noise) => noise,
  kl: ({ mean, logVar }) => logVar && mul(0.5, sub(add(square(mean), sub(exp(logVar), logVar)), 1)),
};

export const posteriors = {
  gaussian: {
    doc: 'Gaussian with a diagonal covariance.',
    random: true,
    build: (scope, features, latent) => {
      const both = linear(scope, features, 2 * latent); // one product for μ and log σ²
      const [mean, logVar] = split(both, -1, [latent, latent]);
      return diagonalGaussian(mean!, logVar!);
    },
  },
  point: {
    doc: 'A single point: the plain autoencoder, as a baseline.',
    random: false,
    build: (scope, features, latent) => point(linear(scope, features, latent)),
  },
} satisfies Record<string, PosteriorKind>;

export const priors = {
  normal: { doc: 'Standard normal.', build: () => standardNormal },
} satisfies Record<string, PriorKind>;

export type PosteriorName = keyof typeof posteriors;
export type PriorName = keyof typeof priors;
