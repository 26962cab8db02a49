/** A second VAE, of what the first one encodes data as (Dai & Wipf 2019, section 4). */
import { choice } from '../choice.ts';
import { mlp } from '../nn/index.ts';
import { variates } from '../random/index.ts';
import { openGraphs } from '../train/index.ts';
import {
  boundGraph,
  createVae,
  decoderGraph,
  likelihoods,
  make,
  type Outputs,
  objectives,
  posteriors,
  priors,
  trainingGraph,
  type Vae,
} from '../vae/index.ts';
import {
  epochsOption,
  layersOption,
  learn,
  logProbsBy,
  normalFeeds,
  shapesOf,
  weightsOf,
  widthOption,
} from './learning.ts';
import type { RowForm, SamplerFamily } from './sampler.ts';
import { standardised } from './standard.ts';

interface TwoStageOptions {
  readonly width: number;
  readonly layers: number;
  readonly epochs?: number | undefined;
}

/** p(u) = N(0, I) with as many dimensions as z, p(z|u) = N(μ(u), γ I) with one learned γ; of p(z|u, c) where something is given. */
const vaeOf = ({ width, layers }: TwoStageOptions, { width: latent, given }: RowForm): Vae =>
  createVae({
    shape: [latent],
    parts: [{ field: 'z', law: make(likelihoods.gaussianShared), start: 0, size: latent }],
    masked: false,
    ...(given !== undefined && { condition: given }),
    latent,
    network: mlp({ hidden: Array<number>(layers).fill(width), activation: 'silu', norm: false }),
    posterior: make(posteriors.gaussian),
    prior: make(priors.normal),
  });

const SAMPLES = 64; // of u, for each row

/** log 1/K Σ p(z, u) / q(u|z): log p(z) from below (Burda et al. 2016, eq. 8). */
const bound = (vae: Vae, samples: number): Outputs => ({ logProb: boundGraph(vae, samples)['bound']! });

const twoStage = (o: TwoStageOptions): SamplerFamily =>
  standardised({
    space: 'real',
    conditional: true,
    shapes: (form) => shapesOf(vaeOf(o, form).parameters),
    fit: (fitting) => {
      const vae = vaeOf(o, fitting.form);
      const graphs = { training: trainingGraph(vae, make(objectives.elbo)), judge: bound(vae, 1) };
      return learn(graphs, fitting, o.epochs);
    },
    open: async (tensors, form, runtime) => {
      const weights = weightsOf(tensors);
      const vae = vaeOf(o, form);
      const graphs = { judge: bound(vae, SAMPLES), decoder: decoderGraph(vae) };
      const { judge, decoder } = await openGraphs(runtime, graphs, { weights });
      return {
        normal: true,
        draw: async (count, random, temperature, given) => {
          const found = await decoder.run(normalFeeds('z', form, count, { random, temperature, given }));
          const [mean, logVar] = ['z.mean', 'z.logVar'].map((name) => found[name]!.data as Float32Array);
          const spread = temperature * Math.exp(logVar![0]! / 2);
          const { normal } = variates(random);
          return mean!.map((v) => v + spread * normal());
        },
        logProbs: (rows) => logProbsBy(judge, rows, form),
        estimate: `−log p(z) from above, by ${SAMPLES} importance samples`,
        dispose: async () => void (await Promise.all([judge.dispose(), decoder.dispose()])),
      };
    },
  });

export const twoStages = {
  twoStage: choice({
    doc: 'A second VAE, of the latent variables of the first (Dai & Wipf 2019).',
    options: { width: widthOption(512), layers: layersOption(3), epochs: epochsOption },
    build: twoStage,
  }),
};
