/** Posteriors over groups of classes, relaxed so that gradients pass. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { UserError } from '../../errors.ts';
import {
  add,
  argMax,
  concat,
  constant,
  dimAt,
  div,
  exp,
  fixed,
  logSoftmax,
  mul,
  multiply,
  oneHot,
  reshape,
  softmax,
  split,
  sum,
  type Tensor,
  withGradient,
} from '../../graph/index.ts';
import { linear, noise } from '../../nn/index.ts';
import { type Codes, positionsOf, usualPositions } from '../codes.ts';
import type { Draws, Posterior, PosteriorContext, PosteriorFamily } from '../posterior.ts';
import { diagonalGaussian } from './gaussian.ts';

const options = {
  classes: z.int().min(2).max(4096).default(10).describe('classes in each group'),
  temperature: z.number().positive().max(100).default(1).describe('of the relaxed classes, at the start'),
  finalTemperature: z
    .number()
    .positive()
    .max(100)
    .default(0.5)
    .describe('of the relaxed classes, at the end'),
  straightThrough: z
    .boolean()
    .default(false)
    .describe('train on hard classes with the gradient of relaxed ones'),
};

type Options = z.output<z.ZodObject<typeof options>>;

/** τ falls from the first to the last by the same factor in every part of training. */
const temperatureAt = (
  { temperature, finalTemperature }: Options,
  progress: PosteriorContext['progress'],
): Tensor => exp(add(mul(progress, Math.log(finalTemperature / temperature)), Math.log(temperature)));

/**
 * Draws of classes with log probabilities `logits` [B, N, K]: while training softmax((log π + g)/τ), g ~ Gumbel(0, 1)
 * (Jang et al. 2017, eq. 2), hard if asked for (section 2.2); elsewhere the class itself, one-hot, which is a draw from
 * π (eq. 1). log q is Σ z · log π: that of the classes wherever z is one-hot.
 */
function drawClasses(
  logits: Tensor,
  samples: number,
  name: string,
  o: Options,
  context: PosteriorContext,
): Draws {
  const [groups, classes] = [1, 2].map((axis) => fixed(dimAt(logits.shape, axis), 'classes')) as [
    number,
    number,
  ];
  const batch = dimAt(logits.shape, 0);
  const flat = (t: Tensor) => reshape(t, [samples, batch, groups * classes]);
  const gumbel = noise(name, 'gumbel', [multiply(samples, batch), groups * classes]);
  const perturbed = add(logits, reshape(gumbel, [samples, batch, groups, classes]));
  const symbols = argMax(perturbed);
  const hard = oneHot(symbols, classes);
  const drawn = context.scale ? relaxed(perturbed, hard, o, context) : hard;
  return { z: flat(drawn), logQz: sum(mul(drawn, logits), [2, 3]), symbols };
}

function relaxed(perturbed: Tensor, hard: Tensor, o: Options, { progress }: PosteriorContext): Tensor {
  const soft = softmax(div(perturbed, temperatureAt(o, progress)));
  return o.straightThrough ? withGradient([soft], hard, (dy) => [dy]) : soft;
}

/** One book for all groups: entry k is 1 at k and 0 elsewhere. */
const oneHotCodes = (groups: number, classes: number): Codes => {
  const identity = Array.from({ length: classes ** 2 }, (_, i) => Number(i % (classes + 1) === 0));
  return { positions: groups, books: [constant(identity, [classes, classes])] };
};

/** q(z|x) of groups of classes from unnormalised x [B, N·K]. */
function classesOf(
  x: Tensor,
  groups: number,
  name: string,
  o: Options,
  context: PosteriorContext,
): Posterior {
  const batch = dimAt(x.shape, 0);
  const logits = logSoftmax(reshape(x, [batch, groups, o.classes]));
  return {
    mean: reshape(exp(logits), [batch, groups * o.classes]),
    logits,
    draw: (samples) => drawClasses(logits, samples, name, o, context),
  };
}

const groupsOf = (latent: number, { classes }: Options) =>
  positionsOf(latent, classes, '--posterior-classes');

const gumbelSoftmax = (o: Options): PosteriorFamily => ({
  space: 'codes',
  random: true,
  density: false,
  dimensions: (real) => o.classes * usualPositions(real),
  codes: (latent) => oneHotCodes(groupsOf(latent, o), o.classes),
  build: (features, latent, context) =>
    classesOf(linear(context.scope, features, latent), groupsOf(latent, o), 'noise', o, context),
});

type MixedOptions = Options & { readonly groups: number };

/** Dimensions of a mixed z that are real. */
function realOf(latent: number, { groups, classes }: MixedOptions): number {
  const real = latent - groups * classes;
  if (real >= 1) return real;
  throw new UserError(
    `latent ${latent}: ${groups} × ${classes} classes (--posterior-groups, --posterior-classes) leave no real dimension; ` +
      `give at least ${groups * classes + 1}`,
  );
}

/** q = N(μ, diag σ²) · Cat(π), independent given x (Dupont 2018, section 3). */
const mixed = (o: MixedOptions): PosteriorFamily => ({
  space: 'mixed',
  random: true,
  density: false,
  dimensions: (real) => real + o.groups * o.classes,
  codes: () => oneHotCodes(o.groups, o.classes),
  build: (features, latent, context): Posterior => {
    const real = realOf(latent, o);
    const all = linear(context.scope, features, latent + real);
    const [mean, logVar, rest] = split(all, -1, [real, real, latent - real]) as [Tensor, Tensor, Tensor];
    const parts = [diagonalGaussian(mean, logVar), classesOf(rest, o.groups, 'noise.classes', o, context)];
    const beside = (tensors: readonly Tensor[]) => concat(tensors, -1);
    return {
      mean: beside(parts.map((part) => part.mean)),
      parts,
      draw: (samples) => {
        const drawn = parts.map((part) => part.draw(samples));
        return {
          z: beside(drawn.map((d) => d.z)),
          logQz: drawn.map((d) => d.logQz).reduce((a, b) => add(a, b)),
        };
      },
    };
  },
});

export const classPosteriors = {
  gumbelSoftmax: choice({
    doc: 'Groups of classes, relaxed while training (Jang et al. 2017; Maddison et al. 2017); latent = groups · classes.',
    options,
    build: gumbelSoftmax,
  }),
  mixed: choice({
    doc: 'Real dimensions and groups of classes side by side (JointVAE, Dupont 2018); latent = real + groups · classes.',
    options: { groups: z.int().min(1).max(1024).default(1).describe('groups of classes'), ...options },
    build: mixed,
  }),
};
