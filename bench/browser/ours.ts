/** Ours in a page: the product's step, on the rows that the peers draw. */
import { convNetwork, mlp } from '../../src/nn/index.ts';
import { adam } from '../../src/optim/index.ts';
import { type WebOptions, webRuntime } from '../../src/runtime/web.ts';
import { createLearner, type StepKnobs } from '../../src/train/index.ts';
import {
  createVae,
  likelihoods,
  make,
  objectives,
  posteriors,
  priors,
  type Vae,
} from '../../src/vae/index.ts';
import { answering, type Described, filler, floats, type Read, type Trainer } from '../peers/steps.mjs';
import type { Workload } from '../workloads.ts';
import { readerOf } from './page.ts';

interface Opened extends WebOptions {
  readonly seed: number;
  readonly knobs: StepKnobs;
}
type Given = Workload & Described;

/** The part of the browser's interface used here. */
interface Gpu {
  requestAdapter(): Promise<{ readonly info: AdapterInfo } | null>;
}
interface AdapterInfo {
  readonly vendor: string;
  readonly architecture: string;
  readonly isFallbackAdapter: boolean;
}

let opened: Opened;

/** The model as a page builds it, which has neither schemas nor files. */
function modelOf({ shape, parts, masked, latent, network }: Given): Vae {
  const picture = shape.length === 3;
  const laws = {
    bernoulli: make(likelihoods.bernoulli),
    gaussian: make(picture ? likelihoods.gaussianShared : likelihoods.gaussian),
    categorical: make(likelihoods.categorical),
  };
  const activation = 'relu';
  return createVae({
    shape,
    parts: parts.map(({ field, likelihood, start, size }) => ({
      field,
      law: laws[likelihood],
      start,
      size: picture ? shape[2]! : size,
    })),
    masked,
    latent,
    network:
      network.kind === 'mlp'
        ? mlp({ ...network, norm: false, activation })
        : convNetwork({ ...network, hidden: network.dense, activation }),
    posterior: make(posteriors.gaussian),
    prior: make(priors.normal),
  });
}

async function trainer(workload: Given, read: Read): Promise<Trainer> {
  const { masked, batch: count, samples } = workload;
  const { seed, knobs, ...options } = opened;
  const learner = await createLearner({
    vae: modelOf(workload),
    objective: samples > 1 ? make(objectives.iwae, { samples }) : make(objectives.elbo),
    optimizer: adam(),
    runtime: webRuntime(options),
    batchSize: count,
    seed,
  });
  const next = await filler(workload, read);
  let number = 0;
  return {
    async check() {
      for (const [key, view] of Object.entries(learner.weights())) view.set(await floats(read, key));
      const [given, mask] = [await floats(read, 'x'), masked && (await floats(read, 'mask'))];
      const fill = (into: { x: Float32Array; mask: Float32Array }) => {
        into.x.set(given);
        if (mask) into.mask.set(mask);
      };
      const { loss, gradientNorm: norm } = await learner.step(1, { count, fill }, knobs);
      return { loss, norm };
    },
    step: () => learner.step(++number, { count, fill: ({ x, mask }) => next(x, mask) }, knobs),
    dispose: learner.dispose,
  };
}

/** A graphics processor in software would only tell how fast the emulation is. */
async function refuseEmulation(): Promise<void> {
  const { gpu } = (globalThis as unknown as { navigator: { gpu?: Gpu } }).navigator;
  const info = (await gpu?.requestAdapter())?.info; // without one, ONNX Runtime says so
  if (info?.isFallbackAdapter)
    throw new Error(
      `the only adapter is ${info.vendor} ${info.architecture}, which computes on the processor`,
    );
}

async function open(options: Opened): Promise<object> {
  if (options.provider === 'webgpu') await refuseEmulation();
  opened = options;
  return {};
}

export default answering(open, trainer, readerOf);
