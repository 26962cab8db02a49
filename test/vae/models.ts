/** Small VAEs with values for all their inputs. */
import type { Table } from '../../src/choice.ts';
import { convNetwork, mlp } from '../../src/nn/index.ts';
import {
  createVae,
  type LabelSpec,
  type Law,
  type LikelihoodName,
  likelihoods,
  type ModelSpec,
  make,
  posteriors,
  priors,
  type Vae,
} from '../../src/vae/index.ts';
import { draw, random } from '../check.ts';
import { parameterFeeds } from '../nn/feeds.ts';
import { type Feeds, type Value, value } from '../reference.ts';

export const law = (name: LikelihoodName) => make((likelihoods as Table<Law>)[name]!);

const BASE = { latent: 2, posterior: make(posteriors.gaussian), prior: make(priors.normal) };

/** Numbers, a category and a yes or no, of which any may be missing. */
export const mixedSpec: ModelSpec = {
  ...BASE,
  shape: [6],
  parts: [
    { field: 'age', law: law('gaussian'), start: 0, size: 1 },
    { field: 'city', law: law('categorical'), start: 1, size: 3 },
    { field: 'price', law: law('gaussianShared'), start: 4, size: 1 },
    { field: 'member', law: law('bernoulli'), start: 5, size: 1 },
  ],
  masked: true,
  network: mlp({ hidden: [7, 5], activation: 'silu', norm: true }),
};

/** Binary pictures, oblong and odd, with two channels. */
export const pictureSpec: ModelSpec = {
  ...BASE,
  shape: [9, 8, 2],
  parts: [{ field: 'picture', law: law('bernoulli'), start: 0, size: 2 }],
  masked: false,
  network: convNetwork({ channels: [2, 3], hidden: 4, activation: 'silu', norm: true, blocks: 0 }),
};

/** A linear encoder and decoder: p(x|z) = N(Wᵀz + b, s²I), q(z|x) = N(Aᵀx + a, exp(Cᵀx + c)). */
export const linearSpec: ModelSpec = {
  ...BASE,
  shape: [3],
  parts: [{ field: 'row', law: law('gaussianShared'), start: 0, size: 3 }],
  masked: false,
  network: mlp({ hidden: [], activation: 'relu', norm: false }),
};

export interface Small {
  readonly vae: Vae;
  /** Parameters, x, mask, noise for `samples` samples, scale and beta. */
  readonly feeds: Feeds;
}

/** Every other label is known. */
function setLabels({ start, size }: LabelSpec, { data, shape }: Value, batch: number): void {
  for (let i = 0; i < batch; i++) {
    const own = data.subarray(i * shape[1]! + start, i * shape[1]! + start + size + 1).fill(0);
    if (i % 2 === 0) own[i % size] = own[size] = 1;
  }
}

/** A model with initial weights and drawn inputs; x is 0 where the mask is. */
export function small(spec: ModelSpec, { batch = 3, samples = 1, seed = 1 } = {}): Small {
  const vae = createVae(spec);
  const next = random(seed);
  const x = draw({ shape: ['B', ...spec.shape] }, batch, next);
  const mask = value(
    Array.from({ length: batch * spec.parts.length }, () => Number(next() > 0.4)),
    [batch, spec.parts.length],
  );
  spec.parts.forEach((part, j) => {
    for (let i = 0; i < x.data.length; i++) {
      const feature = i % spec.shape.at(-1)!;
      if (feature < part.start || feature >= part.start + part.size) continue;
      if (part.law.support === 'binary' || part.law.support === 'class') x.data[i] = Number(x.data[i]! > 0);
      const row = Math.floor(i / (x.data.length / batch));
      if (spec.masked && !mask.data[row * spec.parts.length + j]) x.data[i] = 0;
    }
  });
  const noise = draw({ shape: ['B', vae.spec.latent] }, batch * samples, next);
  const condition = draw({ shape: ['B', spec.condition ?? 1] }, batch, next);
  if (spec.label) setLabels(spec.label, condition, batch);
  const knobs = { scale: value([1 / batch], []), beta: value([0.7], []), progress: value([0.5], []) };
  return { vae, feeds: { ...parameterFeeds(vae.parameters, seed), x, mask, condition, noise, ...knobs } };
}
