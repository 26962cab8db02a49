/** From parts, without files: a VAE of points on a ring, its own network and batches, trained and drawn from, in Node or a page alike. */
import { nodeRuntime } from 'elbo-vae';
import { add, mul, type Tensor, tanh } from 'elbo-vae/graph';
import { linear, type Scope } from 'elbo-vae/nn';
import { adam, schedules, warmups } from 'elbo-vae/optim';
import { stream } from 'elbo-vae/random';
import { type BatchSource, createBuffers, type Fitted, fit, openGraph, wanted } from 'elbo-vae/train';
import {
  createVae,
  likelihoods,
  make,
  meanGraph,
  objectives,
  posteriors,
  priorGraph,
  priors,
} from 'elbo-vae/vae';

const ROWS = 512;
const BATCH = 64;

/** One hidden layer with a skip connection: any function of tensors will do. */
const body = (scope: Scope, x: Tensor): Tensor => {
  const h = tanh(linear(scope.at('in'), x, 32));
  return add(h, mul(0.5, tanh(linear(scope.at('mid'), h, 32))));
};

const vae = createVae({
  shape: [2],
  parts: [{ field: 'point', law: make(likelihoods.gaussianShared), start: 0, size: 2 }],
  masked: false,
  latent: 2,
  network: { encode: body, decode: (scope, z, [size]) => linear(scope.at('out'), body(scope, z), size!) },
  posterior: make(posteriors.gaussian),
  prior: make(priors.normal),
});

/** Points on the unit circle with a little noise, new ones each step. */
const ring: BatchSource = {
  rows: ROWS,
  batches: async function* (epoch, skip) {
    for (let b = skip; b < ROWS / BATCH; b++) {
      yield {
        count: BATCH,
        fill: ({ x }) => {
          const random = stream(7, 'ring', epoch, b);
          const angles = new Float32Array(BATCH);
          random.uniform(angles);
          random.normal(x);
          for (let i = 0; i < BATCH; i++) {
            x[2 * i] = Math.cos(2 * Math.PI * angles[i]!) + 0.05 * x[2 * i]!;
            x[2 * i + 1] = Math.sin(2 * Math.PI * angles[i]!) + 0.05 * x[2 * i + 1]!;
          }
        },
      };
    }
  },
};

const runtime = nodeRuntime();
const training = fit({
  vae,
  objective: make(objectives.elbo),
  optimizer: adam(),
  schedule: schedules.constant(),
  warmup: warmups.linear({ fraction: 0.2 }),
  learningRate: 3e-3,
  batchSize: BATCH,
  epochs: 30,
  seed: 0,
  runtime,
  train: ring,
  validation: ring,
});

/** Events until the end, which gives the weights of the best epoch. */
async function trained(): Promise<Fitted> {
  for (;;) {
    const { done, value } = await training.next();
    if (done) return value;
    if (value.type === 'epoch' && value.epoch % 10 === 0)
      console.log(value.epoch, value.validation.negativeElbo.toFixed(3));
  }
}

const { weights } = await trained();
const prior = await openGraph(runtime, priorGraph(vae), { weights });
const decoder = await openGraph(runtime, meanGraph(vae), { weights });
const buffers = createBuffers(vae.spec, prior.noises, 5);
buffers.draw(5, (name) => stream(1, name));
const { z } = await prior.run(wanted(prior, buffers.values(5)));
const means = (await decoder.run({ z: z! }))['mean']!.data as Float32Array;
for (let i = 0; i < 5; i++)
  console.log(`new point at radius ${Math.hypot(means[2 * i]!, means[2 * i + 1]!).toFixed(2)}`);
await Promise.all([prior.dispose(), decoder.dispose()]);
