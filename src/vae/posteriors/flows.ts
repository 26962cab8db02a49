/** Posteriors that are a diagonal Gaussian, bent by flows whose parameters the encoder gives. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { exp, reshape, split, stopGradient, sub, type Tensor } from '../../graph/index.ts';
import { linear, type Scope } from '../../nn/index.ts';
import { inverseAutoregressive } from '../flows/affine.ts';
import { chain, type Flow } from '../flows/flow.ts';
import { planar, radial, reflected } from '../flows/simple.ts';
import type { Posterior, PosteriorFamily } from '../posterior.ts';
import { type diagonalGaussian, gaussianOf } from './gaussian.ts';

type Base = ReturnType<typeof diagonalGaussian>;

/** z = f(z₀) with z₀ from `base`: log q(z) = log q₀(z₀) − log |det df/dz₀| (Rezende & Mohamed 2015, eq. 5–7). */
export const flowed = (base: Base, flow: Flow): Posterior => ({
  mean: atMean(base, (z0) => flow(z0).z),
  draw: (samples, name) => {
    const { z: z0, logQz } = base.draw(samples, name);
    const { z: moved, logDet } = flow(z0);
    return { z: moved, logQz: sub(logQz, logDet), bent: { from: base, z: z0, logDet } };
  },
});

/** Where the mean of the base goes, [B, Z]. */
const atMean = ({ mean }: Base, f: (z: Tensor) => Tensor): Tensor =>
  reshape(f(reshape(mean, [1, ...mean.shape])), mean.shape);

/** z = H z₀ with H the product of reflections across v₁, v₂, … [B, Z]: N(Hμ, H diag σ² Hᵀ) (Tomczak & Welling 2016). */
export function rotated(base: Base, across: readonly Tensor[]): Posterior {
  const turn = (z0: Tensor) => across.reduce(reflected, z0);
  const { mean, logVar } = base;
  return {
    mean: atMean(base, turn),
    moments: { mean, variance: exp(logVar), logVar, rotated: true },
    draw: (samples, name) => {
      const { z: z0, logQz } = base.draw(samples, name);
      return { z: turn(z0), logQz };
    },
    logProb: (z, fixed) => {
      const held = fixed ? across.map(stopGradient) : across;
      return base.logProb(held.reduceRight(reflected, z), fixed);
    },
  };
}

/** A diagonal Gaussian, bent by `flow`. */
const bentBy = (flow: NonNullable<PosteriorFamily['flow']>): PosteriorFamily => ({
  space: 'real',
  random: true,
  density: false,
  flow,
  build: (features, latent, { scope }) =>
    flowed(gaussianOf(scope, features, latent), flow(scope.at('flow'), features, latent)),
});

/** What each of several steps is given, of the given sizes, by one product: [N, H] → [N, …] each. */
function amortised(
  scope: Scope,
  features: Tensor,
  steps: number,
  sizes: readonly number[],
): readonly (readonly Tensor[])[] {
  const all = Array.from({ length: steps }, () => sizes).flat();
  const total = all.reduce((a, b) => a + b);
  const given = split(linear(scope, features, total), -1, all);
  return Array.from({ length: steps }, (_, i) => given.slice(i * sizes.length, (i + 1) * sizes.length));
}

const stepsOption = (value: number) => z.int().min(1).max(64).default(value).describe('steps of the flow');

export const flowPosteriors = {
  planar: choice({
    doc: 'Gaussian bent by planar flows (Rezende & Mohamed 2015).',
    options: { steps: stepsOption(8) },
    build: ({ steps }) =>
      bentBy((scope, features, latent) => {
        const each = amortised(scope, features, steps, [latent, latent, 1]);
        return chain(each.map(([u, w, b]) => planar(u!, w!, b!)));
      }),
  }),
  radial: choice({
    doc: 'Gaussian bent by radial flows (Rezende & Mohamed 2015).',
    options: { steps: stepsOption(8) },
    build: ({ steps }) =>
      bentBy((scope, features, latent) => {
        const each = amortised(scope, features, steps, [latent, 1, 1]);
        return chain(each.map(([centre, a, b]) => radial(centre!, a!, b!)));
      }),
  }),
  householder: choice({
    doc: 'Gaussian turned by reflections, so that its covariance is full (Tomczak & Welling 2016).',
    options: { steps: stepsOption(4) },
    build: ({ steps }): PosteriorFamily => ({
      space: 'real',
      random: true,
      density: true,
      build: (features, latent, { scope }) => {
        const across = amortised(scope.at('flow'), features, steps, [latent]).map(([v]) => v!);
        return rotated(gaussianOf(scope, features, latent), across);
      },
    }),
  }),
  iaf: choice({
    doc: 'Gaussian bent by inverse autoregressive flows (Kingma et al. 2016).',
    options: {
      steps: stepsOption(4),
      width: z.int().min(1).max(65_536).default(64).describe('width of the hidden layers of each step'),
    },
    build: ({ steps, width }) =>
      bentBy((scope, context) => {
        const hidden = [width, width];
        const flows = Array.from({ length: steps }, (_, i) =>
          inverseAutoregressive(scope.at(i), { hidden, activation: 'elu', context, reversed: i % 2 === 1 }),
        );
        return chain(flows);
      }),
  }),
};
