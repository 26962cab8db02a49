/** Priors that are a standard normal, bent by learned flows. They start as the normal itself. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { UserError } from '../../errors.ts';
import { add, reshape, type Tensor } from '../../graph/index.ts';
import { noise, type Scope } from '../../nn/index.ts';
import { coupling, maskedAutoregressive } from '../flows/affine.ts';
import { type Bijection, chainBijections } from '../flows/flow.ts';
import type { Prior, PriorFamily } from '../prior.ts';
import { standardNormal } from './normal.ts';

/** log p(z) = log N(u; 0, I) + log |det du/dz|. */
export const flowPrior = ({ toBase, fromBase }: Bijection, latent: number): Prior => ({
  logProb: (z) => {
    const { z: u, logDet } = toBase(z);
    return add(standardNormal(latent).logProb(u), logDet);
  },
  draw: (name) => {
    const u = reshape(noise(name, 'normal', ['B', latent]), [1, 'B', latent]);
    return reshape(fromBase(u), ['B', latent]);
  },
});

export interface FlowOptions {
  readonly steps: number;
  /** Of the hidden layers of each step. */
  readonly width: number;
  /** What every step may depend on besides, [B, C]. */
  readonly context?: Tensor;
}

const steps = (scope: Scope, count: number, step: (scope: Scope, odd: boolean) => Bijection): Bijection =>
  chainBijections(Array.from({ length: count }, (_, i) => step(scope.at(i), i % 2 === 1)));

/** Flows of `latent` dimensions that start as the identity, by the name of their step. */
export const flowKinds = {
  realNVP: (scope: Scope, latent: number, { steps: count, ...options }: FlowOptions): Bijection =>
    steps(scope, count, (at, swapped) => coupling(at, latent, { ...options, swapped })),
  maf: (scope: Scope, _: number, { steps: count, width, ...options }: FlowOptions): Bijection =>
    steps(scope, count, (at, reversed) =>
      maskedAutoregressive(at, {
        hidden: [width, width],
        activation: 'silu',
        reversed,
        zero: true,
        ...options,
      }),
    ),
};
export type FlowKind = keyof typeof flowKinds;

const options = {
  steps: z.int().min(1).max(64).default(4).describe('steps of the flow'),
  width: z.int().min(1).max(65_536).default(64).describe('width of the hidden layers of each step'),
};

export const flowPriors = {
  realNVP: choice({
    doc: 'Normal bent by affine coupling layers (Dinh et al. 2017): fast to draw from.',
    options,
    build: (o): PriorFamily => ({
      space: 'real',
      build: (latent, { scope }) => {
        if (latent < 2)
          throw new UserError(
            `prior "realNVP": one half of z changes the other, and ${latent} dimension has no halves; give --latent 2 or more, or --prior maf`,
          );
        return flowPrior(flowKinds.realNVP(scope, latent, o), latent);
      },
    }),
  }),
  maf: choice({
    doc: 'Normal bent by masked autoregressive flows (Papamakarios et al. 2017): each dimension by those before it.',
    options,
    build: (o): PriorFamily => ({
      space: 'real',
      build: (latent, { scope }) => flowPrior(flowKinds.maf(scope, latent, o), latent),
    }),
  }),
};
