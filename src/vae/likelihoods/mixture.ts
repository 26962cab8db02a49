/** Mixtures: several laws for each feature, with weights. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  constant,
  logSumExp,
  mul,
  reshape,
  softmax,
  sub,
  sum,
  type Tensor,
  transpose,
} from '../../graph/index.ts';
import type { Variates } from '../../random/index.ts';
import type { FieldValues, Law, Likelihood, LikelihoodField } from '../likelihood.ts';
import { gaussian, heldLogVar } from './gaussian.ts';

export const componentsOption = (value: number) =>
  z.int().min(1).max(100).default(value).describe('components of the mixture');

/**
 * The decoder gives the values of a mixture as [places, components, features of a place]. Inside they lie as
 * [components, channels, features], with one channel for all features where none depends on another: what meets them then
 * is repeated in long rows, over which ONNX Runtime is several times as fast.
 */
export interface Layout {
  /** From [K, B, all] with so many components, of which x has one. */
  readonly inside: (t: Tensor, components: number) => Tensor;
  /** Back to [K, B, all]. */
  readonly outside: (t: Tensor) => Tensor;
}

/** The axes, inside. */
const COMPONENTS = 2;
export const CHANNELS = 3;

type Outside = readonly [number, 'B', number];
type Inside = readonly [number, 'B', components: number, channels: number, features: number];

/** Where channels are coupled, those of each component lie one after the other; else one place after the other. */
export function layoutOf(fields: readonly LikelihoodField[], coupled = false): Layout {
  const places = fields.length === 1 ? fields[0]!.size / fields[0]!.channels : 1; // a row is one place
  return {
    inside: (t, components) => {
      const [samples, batch, all] = t.shape as Outside;
      const each = all / (places * components);
      const [outer, inner] = coupled ? [components * each, 1] : [components, each];
      const turned = transpose(reshape(t, [samples, batch, places, outer, inner]), [0, 1, 3, 2, 4]);
      const channels = coupled ? each : 1;
      return reshape(turned, [samples, batch, components, channels, all / (components * channels)]);
    },
    outside: (t) => {
      const [samples, batch, components, channels, features] = t.shape as Inside;
      const outer = components * channels;
      const turned = reshape(t, [samples, batch, outer, places, features / places]);
      return reshape(transpose(turned, [0, 1, 3, 2, 4]), [samples, batch, outer * features]);
    },
  };
}

/** What sets components apart before anything is learned, evenly over `width` around 0: [components, 1, 1]. */
export const evenly = (components: number, width: number): Tensor =>
  constant(
    Array.from({ length: components }, (_, k) => width * ((k + 0.5) / components - 0.5)),
    [components, 1, 1],
  );

const total = (t: Tensor): Tensor => logSumExp(t, COMPONENTS, { keepDims: true });

/** log wₖ. LogSoftmax itself is slow along an axis that is not the last. */
export const logWeightsOf = (logits: Tensor): Tensor => sub(logits, total(logits));

/** log Σₖ wₖ pₖ over components. */
export const logMixture = (logWeights: Tensor, logProbs: Tensor): Tensor => total(add(logWeights, logProbs));

/** Σₖ wₖ μₖ over components. */
export const meanOf = (logits: Tensor, means: Tensor): Tensor =>
  sum(mul(softmax(logits, COMPONENTS), means), [COMPONENTS], { keepDims: true });

/** Draws a component; `at` is where its logits are. */
export function drawComponent(
  { logits }: FieldValues,
  components: number,
  at: (component: number) => number,
  { categorical }: Variates,
): number {
  return categorical(Array.from({ length: components }, (_, k) => logits![at(k)]!));
}

function gaussianMixture(
  fields: readonly LikelihoodField[],
  values: readonly Tensor[],
  components: number,
): Likelihood {
  const { inside, outside } = layoutOf(fields);
  const [logits, centre, raw] = values.map((t) => inside(t, components));
  const mean = add(centre!, evenly(components, 3));
  const logVar = heldLogVar(raw!);
  return {
    mean: outside(meanOf(logits!, mean)),
    values: { logits: values[0]!, mean: outside(mean), logVar: outside(logVar) },
    logProbs: (x) =>
      outside(logMixture(logWeightsOf(logits!), gaussian(mean, logVar).logProbs(inside(x, 1)))),
  };
}

const drawGaussianMixture =
  (components: number): Law['draw'] =>
  (values, random, out, { channels }) => {
    for (let i = 0; i < out.length; i++) {
      const [place, c] = [Math.floor(i / channels), i % channels];
      const at = (k: number) => (place * components + k) * channels + c;
      const k = at(drawComponent(values, components, at, random));
      out[i] = values['mean']![k]! + Math.exp(values['logVar']![k]! / 2) * random.normal();
    }
  };

export const mixtures = {
  gaussianMixture: choice({
    doc: 'Mixture of Gaussians for each feature, for numbers with several peaks (Bishop 1994).',
    options: { components: componentsOption(5) },
    build: ({ components }): Law => ({
      support: 'real',
      discrete: false,
      parameters: ['logits', 'mean', 'logVar'],
      width: (_, { channels }) => components * channels,
      build: (fields, values) => gaussianMixture(fields, values, components),
      draw: drawGaussianMixture(components),
    }),
  }),
};
