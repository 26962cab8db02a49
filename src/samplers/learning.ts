/** Samplers that are networks: their parameters moved by gradients, judged on held-back rows after every epoch. */
import * as z from 'zod';
import { UserError } from '../errors.ts';
import { gradients, input, mul, neg, sum, type Tensor } from '../graph/index.ts';
import type { Parameter, Parameters } from '../nn/index.ts';
import { adamW, schedules } from '../optim/index.ts';
import { type Stream, stream } from '../random/index.ts';
import type { Values } from '../runtime/index.ts';
import {
  createBuffers,
  createGraphLearner,
  type GraphLearner,
  type GraphSession,
  type InputForm,
  type Minibatch,
  type MovingOptions,
  openGraph,
  type Weights,
  wanted,
} from '../train/index.ts';
import { gradientName, type Outputs, type TrainingGraph } from '../vae/index.ts';
import {
  type FitProgress,
  type Fitting,
  type LatentRows,
  meanOf,
  type RowForm,
  type Tensors,
} from './sampler.ts';

/** The graphs of a sampler that is learned; inputs are `x` [B, width], `condition` [B, C] where something is given, and noise. */
export interface Learned {
  /** `loss` is −log p(x), or a bound on it. */
  readonly training: TrainingGraph;
  /** `logProb` [B], by which the epochs are compared. */
  readonly judge: Outputs;
}

const BATCH = 128;
const RATE = 1e-3;
const WARMUP = 100; // steps at most, and a tenth of all
const PATIENCE = 3; // epochs without a better validation
const STEPS = 8000; // or so, where nobody says how many epochs
const LEAST_EPOCHS = 10;

export const epochsOption = z
  .int()
  .min(1)
  .max(1_000_000)
  .optional()
  .describe('passes over the rows, at most (default: from their number)');
export const widthOption = (value: number) =>
  z.int().min(1).max(65_536).default(value).describe('of the hidden layers');
export const layersOption = (value: number) =>
  z.int().min(1).max(64).default(value).describe('hidden layers');

/** Rows as the graphs see them. */
export const rowsInput = ({ width }: RowForm): Tensor => input('x', ['B', width]);
/** What is given, as the graphs see it. */
export const givenInput = ({ given }: { readonly given?: number | undefined }): Tensor | undefined =>
  given === undefined ? undefined : input('condition', ['B', given]);

const inputForm = ({ width, given }: RowForm): InputForm => ({
  shape: [width],
  masked: false,
  parts: [],
  ...(given !== undefined && { condition: given }),
});

/** x, scale → `loss` −log p(x), a mean over the batch, and its gradients, from log p [B]. */
export function maximumLikelihood(declared: Parameters, logProb: Tensor): TrainingGraph {
  const loss = neg(mul(sum(logProb), input('scale', [])));
  const all = declared.all();
  const slopes = gradients(
    loss,
    all.map((p) => p.tensor),
  );
  return {
    outputs: { loss, ...Object.fromEntries(all.map((p, i) => [gradientName(p.name), slopes[i]!])) },
    parameters: all,
    updated: new Set(),
    reported: ['loss'],
  };
}

/** Rows `order` of all, one after another. */
const picked = (all: Float32Array, width: number, order: Uint32Array, out: Float32Array): void =>
  order.forEach((row, i) => {
    out.set(all.subarray(row * width, (row + 1) * width), i * width);
  });

const batchOf = (
  { rows, given }: LatentRows,
  { width, given: size = 0 }: RowForm,
  order: Uint32Array,
): Minibatch => ({
  count: order.length,
  fill: ({ x, condition }) => {
    picked(rows, width, order, x);
    if (given) picked(given, size, order, condition);
  },
});

/** `logProb` of each row, by a session that has it; `weights` where they are not inside it. Its noise is the same in every call. */
export async function logProbsBy(
  session: GraphSession,
  all: LatentRows,
  form: RowForm,
  weights: Values = {},
): Promise<Float64Array> {
  const buffers = createBuffers(inputForm(form), session.noises, BATCH);
  const out = new Float64Array(all.rows.length / form.width);
  for (let at = 0; at < out.length; at += BATCH) {
    const order = Uint32Array.from({ length: Math.min(BATCH, out.length - at) }, (_, i) => at + i);
    batchOf(all, form, order).fill(buffers, 0);
    buffers.draw(order.length, (name) => stream(0, `density ${name}`, at));
    const { logProb } = await session.run(wanted(session, { ...weights, ...buffers.values(order.length) }));
    out.set(logProb!.data as Float32Array, at);
  }
  return out;
}

/** N(0, temperature²) as the input `name` [count, width], with what is given of each row. */
export function normalFeeds(
  name: string,
  { width, given: size }: RowForm,
  count: number,
  { random, temperature, given }: Drawing,
): Values {
  const data = new Float32Array(count * width);
  random.normal(data);
  return {
    [name]: { data: data.map((v) => v * temperature), dims: [count, width] },
    ...(given && { condition: { data: given, dims: [count, size!] } }),
  };
}

interface Drawing {
  readonly random: Stream;
  readonly temperature: number;
  readonly given: Float32Array | undefined; // [count, C]
}

const valuesOf = (all: readonly Parameter[], weights: Weights): Values =>
  Object.fromEntries(all.map((p) => [p.name, { data: weights[p.name]!, dims: p.shape }]));

const toTensors = (all: readonly Parameter[], weights: Weights): Tensors =>
  Object.fromEntries(all.map((p) => [p.name, { shape: p.shape, data: weights[p.name]!.slice() }]));

export const shapesOf = (all: readonly Parameter[]): Readonly<Record<string, readonly number[]>> =>
  Object.fromEntries(all.map((p) => [p.name, p.shape]));

/** As what a session takes them. */
export const weightsOf = (tensors: Tensors): Weights =>
  Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data]));

/** Epochs until validation no longer gains, or as many as told; the tensors of the best. */
export async function* learn(
  { training, judge }: Learned,
  fitting: Fitting,
  epochs?: number,
): AsyncGenerator<FitProgress, Tensors> {
  const session = await openGraph(fitting.runtime, judge);
  try {
    const learner = await createGraphLearner(training, inputForm(fitting.form), moving(fitting));
    try {
      return yield* rounds(learner, session, training.parameters, fitting, epochs);
    } finally {
      await learner.dispose();
    }
  } finally {
    await session.dispose();
  }
}

async function* rounds(
  learner: GraphLearner,
  session: GraphSession,
  all: readonly Parameter[],
  fitting: Fitting,
  epochs?: number,
): AsyncGenerator<FitProgress, Tensors> {
  const { form, train, validation, signal } = fitting;
  const most = epochs ?? epochsFor(train.rows.length / form.width);
  let best: { validation: number; round: number; tensors: Tensors } | undefined;
  for (let round = 1; round <= most && round - (best?.round ?? 0) <= PATIENCE; round++) {
    const mean = await runEpoch(learner, fitting, { epoch: round - 1, epochs: most });
    const judged = meanOf(await logProbsBy(session, validation, form, valuesOf(all, learner.weights())));
    if (!Number.isFinite(judged)) throw new UserError('the fit diverged: try a smaller --width');
    yield { type: 'progress', round, rounds: most, train: mean, validation: judged };
    if (!best || judged > best.validation)
      best = { validation: judged, round, tensors: toTensors(all, learner.weights()) };
    if (signal?.aborted) break;
  }
  return best!.tensors;
}

const moving = ({ runtime, seed }: Fitting): MovingOptions => ({
  optimizer: adamW({ weightDecay: 0.01 }),
  runtime,
  batchSize: BATCH,
  seed,
  clip: 1,
});

const epochsFor = (rows: number): number =>
  Math.max(LEAST_EPOCHS, Math.round(STEPS / Math.ceil(rows / BATCH)));

/** Every row once, in a new order, or fewer where the fit is to end; their mean log p on the way. */
async function runEpoch(
  learner: GraphLearner,
  { form, train, seed, signal }: Fitting,
  { epoch, epochs }: { readonly epoch: number; readonly epochs: number },
): Promise<number> {
  const rows = train.rows.length / form.width;
  const steps = Math.ceil(rows / BATCH);
  const schedule = schedules.cosine({ warmup: Math.min(WARMUP, Math.floor((epochs * steps) / 10)) });
  const order = stream(seed, 'refit', epoch).permutation(rows);
  let [total, seen] = [0, 0];
  for (let i = 0; i < steps && !(signal?.aborted && seen > 0); i++) {
    const batch = batchOf(train, form, order.subarray(i * BATCH, (i + 1) * BATCH));
    const at = { step: epoch * steps + i + 1, steps: epochs * steps, epoch, history: [] };
    const knobs = { beta: 1, progress: at.step / at.steps, learningRate: RATE * schedule(at) };
    total -= batch.count * (await learner.step(at.step, batch, knobs)).reported['loss']!;
    seen += batch.count;
  }
  return total / seen;
}
