/** Mixtures: several laws for each feature, with weights. Their values lie as [places, components, features of a place]. */
import { z } from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  constant,
  dimAt,
  fixed,
  logSoftmax,
  logSumExp,
  mul,
  multiply,
  reshape,
  softmax,
  sum,
  type Tensor,
} from '../../graph/index.ts';
import type { Variates } from '../../random/index.ts';
import type { FieldValues, Law, Likelihood, LikelihoodField } from '../likelihood.ts';
import { gaussian, heldLogVar } from './gaussian.ts';

/** The axis of the components. */
export const COMPONENTS = -2;

export const componentsOption = (value: number) =>
  z.int().min(1).max(100).default(value).describe('components of the mixture');

/** Places of a picture; a row is one. */
export const placesOf = (fields: readonly LikelihoodField[]): number =>
  fields.length === 1 ? fields[0]!.size / fields[0]!.channels : 1;

/** [K, B, places · components · d] → [K, B, places, components, d]. */
export function layered(t: Tensor, places: number, components: number): Tensor {
  const [samples, batch, all] = [dimAt(t.shape, 0), dimAt(t.shape, 1), fixed(dimAt(t.shape, 2), 'values')];
  return reshape(t, [samples, batch, places, components, all / (places * components)]);
}

/** Back to [K, B, everything]. */
export const flat = (t: Tensor): Tensor =>
  reshape(t, [dimAt(t.shape, 0), dimAt(t.shape, 1), multiply(...t.shape.slice(2))]);

/** What sets components apart before anything is learned, evenly over `width` around 0: [components, 1]. */
export const evenly = (components: number, width: number): Tensor =>
  constant(
    Array.from({ length: components }, (_, k) => width * ((k + 0.5) / components - 0.5)),
    [components, 1],
  );

/** log Σₖ wₖ pₖ over components. */
export const logMixture = (logWeights: Tensor, logProbs: Tensor): Tensor =>
  logSumExp(add(logWeights, logProbs), COMPONENTS);

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
  const places = placesOf(fields);
  const [logits, centre, raw] = values.map((t) => layered(t, places, components));
  const mean = add(centre!, evenly(components, 3));
  const logVar = heldLogVar(raw!);
  return {
    mean: flat(sum(mul(softmax(logits!, COMPONENTS), mean), [COMPONENTS])),
    values: { logits: flat(logits!), mean: flat(mean), logVar: flat(logVar) },
    logProbs: (x) => {
      const each = gaussian(mean, logVar).logProbs(layered(x, places, 1));
      return flat(logMixture(logSoftmax(logits!, COMPONENTS), each));
    },
  };
}

const drawGaussianMixture =
  (components: number): Law['draw'] =>
  (values, random, out, channels) => {
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
