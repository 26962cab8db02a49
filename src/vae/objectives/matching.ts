/** Objectives that bring q(z), of all examples together, to the prior by a distance between draws of the two. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  dimAt,
  div,
  exp,
  fixed,
  gemm,
  maximum,
  mul,
  reshape,
  runtimeSize,
  sort,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
} from '../../graph/index.ts';
import { noise } from '../../nn/index.ts';
import type { Losses, Objective, ObjectiveContext } from '../objective.ts';
import type { Terms } from '../terms.ts';
import { negativeElbo } from './bounds.ts';
import { betaOption, weightOption } from './options.ts';
import { squaredDistances } from './pairs.ts';

/** k(a, b) for squared distances, 1 where a = b. */
export type Kernel = (squared: Tensor) => Tensor;

/** Widths of the inverse multiquadratics that are averaged, times the usual one (as in the code of Tolstikhin et al. 2018). */
const WIDTHS = [0.1, 0.2, 0.5, 1, 2, 5, 10];

/** Both have the width C = 2Z, the expected squared distance of two draws from the prior N(0, I), times `scale`. */
const kernels = {
  /** exp(−|a − b|² / C) */
  rbf:
    (latent: number, scale: number): Kernel =>
    (squared) =>
      exp(mul(squared, -1 / (2 * latent * scale))),
  /** C / (C + |a − b|²), averaged over several C. */
  imq:
    (latent: number, scale: number): Kernel =>
    (squared) => {
      const each = WIDTHS.map((width) => {
        const c = 2 * latent * scale * width;
        return div(c, add(squared, c));
      });
      return mul(
        each.reduce((a, b) => add(a, b)),
        1 / WIDTHS.length,
      );
    },
};

export interface KernelOptions {
  readonly kernel: keyof typeof kernels;
  readonly kernelScale: number;
}

/**
 * Maximum mean discrepancy, squared, of draws a and b [B, Z] from two laws, without bias:
 * Σ_{i≠j} (k(aᵢ, aⱼ) + k(bᵢ, bⱼ)) / B(B − 1) − 2 Σ k(aᵢ, bⱼ) / B² (Gretton et al. 2012; Tolstikhin et al. 2018,
 * algorithm 2).
 */
export function meanDiscrepancy(a: Tensor, b: Tensor, kernel: Kernel): Tensor {
  const batch = runtimeSize(a, 0);
  const within = (t: Tensor) => sub(sum(kernel(squaredDistances(t, t))), batch); // a kernel is 1 on the diagonal
  const pairs = mul(batch, maximum(sub(batch, 1), 1)); // a batch of one has none, and their sum is 0
  const across = mul(2, sum(kernel(squaredDistances(a, b))));
  return sub(div(add(within(a), within(b)), pairs), div(across, square(batch)));
}

/**
 * Squared 2-Wasserstein distance of draws a and b [B, Z] along directions [Z, L], on average: along a line the nearest
 * pairing is that of the sorted values (sliced: Kolouri et al. 2018, algorithm 1).
 */
export function slicedDistance(a: Tensor, b: Tensor, directions: Tensor, scale: Tensor): Tensor {
  const length = sqrt(sum(square(directions), [0], { keepDims: true }));
  const unit = div(directions, length);
  const along = (t: Tensor) => sort(gemm(t, unit), 0); // [B, L]
  const slices = fixed(dimAt(directions.shape, 1), 'slices');
  return mul(sum(square(sub(along(a), along(b)))), mul(scale, 1 / slices));
}

/** The draw of each example, [B, Z]. */
export const drawn = ({ z: draws }: Pick<Terms, 'z'>): Tensor => reshape(draws, draws.shape.slice(1));

const latentOf = ({ vae }: Pick<ObjectiveContext, 'vae'>): number => vae.spec.latent;

/**
 * β·KL − E_q[log p(x|z)] + λ·MMD²(q(z), p(z)): in the InfoVAE of Zhao et al. 2019 β is 1 − α; without the KL the
 * Wasserstein autoencoder (Tolstikhin et al. 2018, algorithm 2).
 */
export function matchedByKernel(
  terms: Terms,
  context: ObjectiveContext,
  { mmd: weight, kernel, kernelScale }: KernelOptions & { readonly mmd: number },
): Losses {
  const prior = context.vae.prior.draw('noise.prior');
  const mmd = meanDiscrepancy(drawn(terms), prior, kernels[kernel](latentOf(context), kernelScale));
  return { loss: add(negativeElbo(terms, context).loss, mul(weight, mmd)), report: { mmd } };
}

/** −E_q[log p(x|z)] + λ·SW²(q(z), p(z)) over random directions (Kolouri et al. 2018). */
export function matchedBySlices(
  terms: Terms,
  context: ObjectiveContext,
  { sliced: weight, slices }: { readonly sliced: number; readonly slices: number },
): Losses {
  const prior = context.vae.prior.draw('noise.prior');
  const directions = noise('noise.directions', 'normal', [latentOf(context), slices]);
  const sliced = slicedDistance(drawn(terms), prior, directions, context.scale);
  return { loss: add(negativeElbo(terms, context).loss, mul(weight, sliced)), report: { sliced } };
}

const kernelOptions = (kernel: KernelOptions['kernel']) => ({
  mmd: weightOption(100, 'the squared mean discrepancy of q(z) and p(z)'),
  kernel: z
    .enum(Object.keys(kernels) as [KernelOptions['kernel'], ...KernelOptions['kernel'][]])
    .default(kernel)
    .describe('Gaussian or inverse multiquadratic'),
  kernelScale: z.number().positive().default(1).describe('width of the kernel, times the usual 2 · latent'),
});

export const matched = {
  infoVae: choice({
    doc: 'Any weight of the KL and a mean discrepancy of q(z) and p(z): InfoVAE, MMD-VAE (Zhao et al. 2019).',
    options: { beta: betaOption(0), ...kernelOptions('rbf') },
    build: ({ beta, ...options }): Objective => ({
      samples: 1,
      beta,
      once: true,
      losses: (terms, context) => matchedByKernel(terms, context, options),
    }),
  }),
  waeMmd: choice({
    doc: 'Wasserstein autoencoder: reconstruction, and a mean discrepancy of q(z) and p(z) (Tolstikhin et al. 2018).',
    options: kernelOptions('imq'),
    build: (options): Objective => ({
      samples: 1,
      beta: 0,
      point: true,
      once: true,
      losses: (terms, context) => matchedByKernel(terms, context, options),
    }),
  }),
  slicedWae: choice({
    doc: 'Wasserstein autoencoder with the distance of q(z) and p(z) along random lines (Kolouri et al. 2018).',
    options: {
      sliced: weightOption(100, 'the sliced distance of q(z) and p(z)'),
      slices: z.int().min(1).max(10_000).default(50).describe('random lines in each step'),
    },
    build: (options): Objective => ({
      samples: 1,
      beta: 0,
      point: true,
      once: true,
      losses: (terms, context) => matchedBySlices(terms, context, options),
    }),
  }),
};
