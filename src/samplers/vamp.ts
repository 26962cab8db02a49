/** The mixture of the posteriors of some training rows: what VampPrior learns pseudo-rows for (Tomczak & Welling 2018, eq. 8). */
import { choice } from '../choice.ts';
import { stream, variates } from '../random/index.ts';
import { componentsOption } from './gmm.ts';
import { drawMixture, type Mixture, mixtureLogProbs } from './mixture.ts';
import { meanOf, type RowForm, type SamplerFamily, type Tensors } from './sampler.ts';

const shapesFor = (components: number, { width }: RowForm) => ({
  means: [components, width],
  deviations: [components, width],
});

/** 1/M Σ N(μₘ, diag σₘ²). */
function toMixture({ means, deviations }: Tensors, { width }: RowForm): Mixture {
  const components = means!.shape[0]!;
  return {
    dimensions: width,
    covariance: 'diagonal',
    logWeights: new Float64Array(components).fill(-Math.log(components)),
    means: Float64Array.from(means!.data),
    roots: Float64Array.from(deviations!.data),
  };
}

/** Posteriors of rows drawn without putting them back, and again from the first where there are too few. */
function pick(
  { mean, logVar }: { mean: Float32Array; logVar: Float32Array },
  components: number,
  form: RowForm,
  seed: number,
): Tensors {
  const { width } = form;
  const order = stream(seed, 'vamp').permutation(mean.length / width);
  const shapes = shapesFor(components, form);
  const from = (all: Float32Array) =>
    Float32Array.from({ length: components * width }, (_, i) => {
      const row = order[Math.floor(i / width) % order.length]!;
      return all[row * width + (i % width)]!;
    });
  return {
    means: { shape: shapes.means, data: from(mean) },
    deviations: { shape: shapes.deviations, data: from(logVar).map((v) => Math.exp(v / 2)) },
  };
}

const vamp = ({ components }: { readonly components: number }): SamplerFamily => ({
  space: 'real',
  shapes: (form) => shapesFor(components, form),
  refuses: ({ gaussian }) =>
    gaussian
      ? undefined
      : 'it is made of posteriors N(μ, diag σ²), and those of this model are of another form',
  fit: async function* ({ form, train: { mean, logVar }, validation, seed }) {
    const tensors = pick({ mean: mean!, logVar: logVar! }, components, form, seed);
    const judged = meanOf(mixtureLogProbs(toMixture(tensors, form), validation.rows));
    yield { type: 'progress', round: 1, rounds: 1, train: judged, validation: judged };
    return tensors;
  },
  open: async (tensors, form) => {
    const mixture = toMixture(tensors, form);
    return {
      normal: true,
      draw: async (count, random, temperature) => drawMixture(mixture, count, variates(random), temperature),
      logProbs: async ({ rows }) => mixtureLogProbs(mixture, rows),
      dispose: async () => {},
    };
  },
});

export const vamps = {
  vamp: choice({
    doc: 'Mixture of the posteriors of training rows, which it keeps (Tomczak & Welling 2018).',
    options: { components: componentsOption(1000) },
    build: vamp,
  }),
};
