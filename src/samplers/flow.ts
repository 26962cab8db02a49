/** A normalising flow over what the data is encoded as, fitted by maximum likelihood: p(z|c) where something is given. */
import * as z from 'zod';
import { choice } from '../choice.ts';
import { input, reshape } from '../graph/index.ts';
import { parameters } from '../nn/index.ts';
import { openGraphs } from '../train/index.ts';
import { type FlowKind, flowKinds, flowPrior, type Outputs } from '../vae/index.ts';
import {
  epochsOption,
  givenInput,
  learn,
  logProbsBy,
  maximumLikelihood,
  normalFeeds,
  rowsInput,
  shapesOf,
  weightsOf,
  widthOption,
} from './learning.ts';
import type { RowForm, SamplerFamily } from './sampler.ts';
import { standardised } from './standard.ts';

interface FlowOptions {
  readonly flow: FlowKind;
  readonly steps: number;
  readonly width: number;
  readonly epochs?: number | undefined;
}

/** The parts of every graph, and the parameters that they share. */
function partsOf({ flow, ...o }: FlowOptions, form: RowForm) {
  const declared = parameters();
  const context = givenInput(form);
  const bijection = flowKinds[flow](declared.root, form.width, { ...o, ...(context && { context }) });
  const one = [1, 'B', form.width] as const;
  const density = flowPrior(bijection, form.width).logProb(reshape(rowsInput(form), one));
  const u = reshape(input('u', ['B', form.width]), one);
  return {
    declared,
    logProb: reshape(density, ['B']),
    z: () => reshape(bijection.fromBase(u), ['B', form.width]),
  };
}

const training = (o: FlowOptions, form: RowForm) => {
  const { declared, logProb } = partsOf(o, form);
  return maximumLikelihood(declared, logProb);
};

const density = (o: FlowOptions, form: RowForm): Outputs => ({ logProb: partsOf(o, form).logProb });

const MOST_MASKED = 256; // dimensions: to draw one, its network is run as often

const flow = (o: FlowOptions): SamplerFamily =>
  standardised({
    space: 'real',
    conditional: true,
    refuses: ({ width }) => {
      if (o.flow === 'realNVP' && width < 2)
        return 'one half of z changes the other, and 1 dimension has no halves: give --flow maf';
      if (o.flow === 'maf' && width > MOST_MASKED)
        return `${width} dimensions would be drawn one after another, and ${MOST_MASKED} are the most: give --flow realNVP`;
      return undefined;
    },
    shapes: (form) => shapesOf(training(o, form).parameters),
    fit: (fitting) => {
      const { form } = fitting;
      return learn({ training: training(o, form), judge: density(o, form) }, fitting, o.epochs);
    },
    open: async (tensors, form, runtime) => {
      const graphs = { judge: density(o, form), back: { z: partsOf(o, form).z() } };
      const { judge, back } = await openGraphs(runtime, graphs, { weights: weightsOf(tensors) });
      return {
        normal: true,
        draw: async (count, random, temperature, given) => {
          const feeds = normalFeeds('u', form, count, { random, temperature, given });
          return (await back.run(feeds))['z']!.data as Float32Array;
        },
        logProbs: (rows) => logProbsBy(judge, rows, form),
        dispose: async () => void (await Promise.all([judge.dispose(), back.dispose()])),
      };
    },
  });

export const flows = {
  flow: choice({
    doc: 'Normalising flow, fitted by maximum likelihood (Dinh et al. 2017; Papamakarios et al. 2017).',
    options: {
      flow: z
        .enum(['maf', 'realNVP'])
        .default('maf')
        .describe('masked autoregressive, or coupling layers, which are faster to draw from'),
      steps: z.int().min(1).max(64).default(5).describe('steps of the flow'),
      width: widthOption(128),
      epochs: epochsOption,
    },
    build: flow,
  }),
};
