/** Small trainings on made-up data. Runs in a browser too. */
import { convNetwork, mlp } from '../../src/nn/index.ts';
import { adam, schedules, warmups } from '../../src/optim/index.ts';
import { stream } from '../../src/random/index.ts';
import type { Runtime } from '../../src/runtime/index.ts';
import {
  type BatchSource,
  type Checkpoint,
  type FitEvent,
  type FitOptions,
  type Fitted,
  fit,
} from '../../src/train/index.ts';
import {
  createVae,
  likelihoods,
  type ModelSpec,
  make,
  objectives,
  posteriors,
  priors,
} from '../../src/vae/index.ts';

const BASE = { latent: 2, posterior: make(posteriors.gaussian), prior: make(priors.normal) };
const bernoulli = make(likelihoods.bernoulli);

export const rowSpec: ModelSpec = {
  ...BASE,
  shape: [6],
  parts: [
    { field: 'a', law: make(likelihoods.gaussian), start: 0, size: 2 },
    { field: 'b', law: make(likelihoods.categorical), start: 2, size: 3 },
    { field: 'c', law: bernoulli, start: 5, size: 1 },
  ],
  masked: true,
  network: mlp({ hidden: [16], activation: 'relu', norm: false }),
};

export const pictureSpec: ModelSpec = {
  ...BASE,
  shape: [8, 8, 1],
  parts: [{ field: 'picture', law: bernoulli, start: 0, size: 1 }],
  masked: false,
  network: convNetwork({ channels: [4, 8], hidden: 16, activation: 'silu', norm: true, blocks: 1 }),
};

/** Rows as a batch source: another order each epoch, some noise added each step, some values missing. */
export function source(spec: ModelSpec, rows: number, batchSize: number, seed = 5): BatchSource {
  const width = spec.shape.reduce((a, b) => a * b, 1);
  const parts = spec.parts.length;
  const data = new Float32Array(rows * width);
  stream(seed, 'toy data').uniform(data);
  for (let i = 0; i < data.length; i++) data[i] = Number(data[i]! < 0.2 + (i % 3) / 4);
  const fillRow = (row: number, at: number, { x, mask }: { x: Float32Array; mask: Float32Array }) => {
    x.set(data.subarray(row * width, (row + 1) * width), at * width);
    if (spec.masked) mask.fill(Number(row % 7 !== 0), at * parts, at * parts + 1);
    if (spec.masked) mask.fill(1, at * parts + 1, (at + 1) * parts);
    if (spec.masked && row % 7 === 0) x.fill(0, at * width, at * width + spec.parts[0]!.size);
  };
  return {
    rows,
    batches: async function* (epoch, skip) {
      const order = stream(seed, 'toy order', epoch).permutation(rows);
      for (let at = skip * batchSize; at < rows; at += batchSize) {
        const own = order.subarray(at, Math.min(rows, at + batchSize));
        yield {
          count: own.length,
          fill: (into, step) => {
            own.forEach((row, i) => {
              fillRow(row, i, into);
            });
            if (step > 0) into.x[0] = stream(seed, 'toy jitter', step).integer(2);
          },
        };
      }
    },
  };
}

export type Given = Partial<FitOptions> & { readonly runtime: Runtime };

/** A whole training's options: 42 rows in batches of 8, so that the last batch of an epoch is short. */
export function toy({ vae = createVae(rowSpec), batchSize = 8, ...given }: Given): FitOptions {
  return {
    vae,
    objective: make(objectives.elbo),
    optimizer: adam(),
    batchSize,
    seed: 1,
    train: source(vae.spec, 42, batchSize),
    validation: source(vae.spec, 20, batchSize, 6),
    epochs: 4,
    learningRate: 0.01,
    schedule: schedules.constant(),
    warmup: warmups.none,
    ...given,
  };
}

export interface Ran {
  readonly events: readonly FitEvent[];
  readonly fitted: Fitted;
  /** The last one, as it would be read back from a file. */
  readonly checkpoint: Checkpoint | undefined;
}

/** Trains; `stopAt` asks for a stop after that step. */
export async function run(given: Given, stopAt = Number.POSITIVE_INFINITY): Promise<Ran> {
  const events: FitEvent[] = [];
  const signal = { aborted: false };
  let checkpoint: Checkpoint | undefined;
  const save = async (kept: Checkpoint) => {
    const tensors = Object.entries(kept.tensors).map(([name, data]) => [name, data.slice()]);
    const progress = JSON.parse(JSON.stringify(kept.progress)) as Checkpoint['progress'];
    checkpoint = { progress, tensors: Object.fromEntries(tensors) };
  };
  const steps = fit(toy({ save, signal, ...given }));
  for (;;) {
    const { done, value } = await steps.next();
    if (done) return { events, fitted: value, checkpoint };
    events.push(value);
    if (value.type === 'step' && value.step >= stopAt) signal.aborted = true;
  }
}

export const lossesOf = ({ events }: Ran): number[] =>
  events.flatMap((event) => (event.type === 'step' ? [event.loss] : []));

export const noticesOf = ({ events }: Ran): string[] =>
  events.flatMap((event) => (event.type === 'notice' ? [event.message] : []));
