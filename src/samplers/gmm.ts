/** A mixture of Gaussians over what the data is encoded as (Ghosh et al. 2020, section 4). */
import * as z from 'zod';
import { choice } from '../choice.ts';
import { stream, variates } from '../random/index.ts';
import { type Covariance, covariances } from './covariance.ts';
import { drawMixture, fitMixture, type Mixture, mixtureLogProbs } from './mixture.ts';
import type { RowForm, SamplerFamily, Tensors } from './sampler.ts';

interface GmmOptions {
  readonly components: number;
  readonly covariance: Covariance;
  readonly iterations: number;
}

const shapesOf = ({ width }: RowForm, { components, covariance }: GmmOptions) => ({
  weights: [components],
  means: [components, width],
  roots: [components, covariances[covariance].size(width)],
});

/** Float32 as it is kept: a fit is judged by what will be read back. */
function toTensors({ logWeights, means, roots }: Mixture, shapes: ReturnType<typeof shapesOf>): Tensors {
  return {
    weights: { shape: shapes.weights, data: Float32Array.from(logWeights, Math.exp) },
    means: { shape: shapes.means, data: Float32Array.from(means) },
    roots: { shape: shapes.roots, data: Float32Array.from(roots) },
  };
}

const toMixture = (tensors: Tensors, { width }: RowForm, { covariance }: GmmOptions): Mixture => ({
  dimensions: width,
  covariance,
  logWeights: Float64Array.from(tensors['weights']!.data, Math.log),
  means: Float64Array.from(tensors['means']!.data),
  roots: Float64Array.from(tensors['roots']!.data),
});

const MOST = 2 ** 26; // numbers in the roots

const gmm = (o: GmmOptions): SamplerFamily => ({
  space: 'real',
  shapes: (form) => shapesOf(form, o),
  refuses: ({ width }) =>
    o.components * covariances[o.covariance].size(width) > MOST
      ? `${o.components} covariances of ${width} dimensions are too many numbers: give --covariance diagonal`
      : undefined,
  fit: async function* ({ form, train, seed, signal }) {
    const rounds = o.iterations;
    const iterations = fitMixture({
      ...o,
      rows: train.rows,
      dimensions: form.width,
      rounds,
      signal,
      random: variates(stream(seed, 'gmm')),
    });
    for (let round = 1; ; round++) {
      const { done, value } = iterations.next();
      if (done) return toTensors(value, shapesOf(form, o));
      yield { type: 'progress', round, rounds, train: value };
    }
  },
  open: async (tensors, form) => {
    const mixture = toMixture(tensors, form, o);
    return {
      normal: true,
      draw: async (count, random, temperature) => drawMixture(mixture, count, variates(random), temperature),
      logProbs: async ({ rows }) => mixtureLogProbs(mixture, rows),
      dispose: async () => {},
    };
  },
});

export const componentsOption = (value: number) =>
  z.int().min(1).max(4096).default(value).describe('Gaussians in the mixture');

export const mixtures = {
  gmm: choice({
    doc: 'Mixture of Gaussians, fitted by expectation and maximisation.',
    options: {
      components: componentsOption(10),
      covariance: z.enum(['full', 'diagonal']).default('full').describe('of each Gaussian'),
      iterations: z.int().min(1).max(10_000).default(200).describe('of the fit, at most'),
    },
    build: gmm,
  }),
};
