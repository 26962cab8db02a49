/**
 * What do the usual mistakes of introductory texts cost? Each is trained as it is printed, and judged by the true −ELBO:
 * z = μ + σ ⊙ ε decoded, KL in full. Same network (784-400-20), data, seed and number of epochs as the correct one.
 * npm run ts -- bench/mistakes.ts [epochs] [seed]
 */
import { add, div, exp, log, mul, square, sub, type Tensor } from '../src/graph/index.ts';
import type { Learner } from '../src/train/index.ts';
import {
  createVae,
  make,
  negativeElbo,
  normalNoise,
  type Objective,
  objectives,
  type Posterior,
  standardNormal,
  totalKl,
  type Vae,
} from '../src/vae/index.ts';
import { openMnist } from './mnist-data.ts';
import { writeResult } from './results.ts';
import { evaluate, type Run, train } from './training.ts';

const [epochs = 3, seed = 1] = process.argv.slice(2).map(Number);
const mnist = await openMnist();
const right = mnist.vae('mlp');

const { spec } = right;

/** z is made from (q, ε) by `sample` instead of μ + σ ⊙ ε. */
const sampling = (sample: (q: Posterior, noise: Tensor) => Tensor): Vae =>
  createVae({
    ...spec,
    posterior: {
      ...spec.posterior,
      build: (features, latent, context) => {
        const q = spec.posterior.build(features, latent, context);
        const draw = (samples: number) => ({
          ...q.draw(samples),
          z: sample(q, normalNoise(samples, q.mean)),
        });
        return { ...q, draw };
      },
    },
  });

/** The KL of each dimension is `kl` of (μ, log σ²). */
const diverging = (kl: (mean: Tensor, logVar: Tensor) => Tensor): Vae =>
  createVae({
    ...spec,
    prior: {
      ...spec.prior,
      build: (latent) => ({
        ...standardNormal(latent),
        kl: ({ mean, logVar }) => mul(0.5, kl(mean, logVar!)),
      }),
    },
  });

const sigma = (q: Posterior): Tensor => exp(mul(0.5, q.logVar!));
const meanOnly = sampling((q, noise) => add(q.mean, mul(0, noise)));
const elbo = make(objectives.elbo);
const reconstruction = make(objectives.autoencoder);
const onlyKl: Objective = { ...elbo, losses: (t, knobs) => ({ loss: totalKl(t, knobs) }) };
/** −ELBO with `weight` times the KL, over `divisor`. */
const weighed = (weight: number, divisor = 1): Objective => ({
  ...elbo,
  losses: (t, knobs) => ({
    loss: div(negativeElbo(t, { ...knobs, beta: mul(weight, knobs.beta) }).loss, divisor),
  }),
});

type Stage = Omit<Run, 'seed' | 'from' | 'epochs'> & { readonly epochs?: number };

/** Stages follow one another on the same weights. */
const cases: Record<string, readonly Stage[]> = {
  right: [{ vae: right }],
  'z = σ·ε, without μ': [{ vae: sampling((q, noise) => mul(sigma(q), noise)) }],
  'z = μ in training, the noise forgotten': [{ vae: meanOnly }],
  'KL with log log σ²': [{ vae: diverging((m, l) => sub(sub(add(square(m), exp(l)), log(l)), 1)) }],
  'KL without −log σ²': [{ vae: diverging((m, l) => sub(add(square(m), exp(l)), 1)) }],
  'KL with + log σ²': [{ vae: diverging((m, l) => sub(add(add(square(m), exp(l)), l), 1)) }],
  'KL averaged over the 20 dimensions, reconstruction summed': [{ vae: right, objective: weighed(1 / 20) }],
  'reconstruction averaged over the 784 pixels, KL summed': [{ vae: right, objective: weighed(784, 784) }],
  'two steps: an autoencoder, then the KL alone for an epoch': [
    { vae: meanOnly, objective: reconstruction },
    { vae: right, objective: onlyKl, epochs: 1 },
  ],
  'an autoencoder alone, then sampled as if it were a VAE': [{ vae: meanOnly, objective: reconstruction }],
};

async function trainStages(stages: readonly Stage[]): Promise<Learner> {
  let last: Learner | undefined;
  for (const stage of stages) {
    const next = await train(mnist, { epochs, ...stage, seed, ...(last && { from: last }) });
    await last?.dispose();
    last = next;
  }
  return last!;
}

const results: Record<string, object> = {};
for (const [name, stages] of Object.entries(cases)) {
  const learner = await trainStages(stages);
  const { negativeElbo, logPx, kl } = await evaluate(mnist, right, learner, seed);
  await learner.dispose();
  results[name] = { negativeElbo, reconstruction: -logPx, kl };
  console.log(`${name}: −ELBO ${negativeElbo.toFixed(1)} = ${(-logPx).toFixed(1)} + ${kl.toFixed(1)}`);
}
writeResult('mistakes', { epochs, seed, unit: 'nats', results });
