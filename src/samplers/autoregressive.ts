/** A prior over codes, symbol after symbol: p(s) = Π p(sₙ | s₁ … sₙ₋₁), learned once the codes are (van den Oord et al. 2017, section 3.3). */
import { z } from 'zod';
import { choice } from '../choice.ts';
import { UserError } from '../errors.ts';
import type { Parameter } from '../nn/index.ts';
import { adamW, schedules } from '../optim/index.ts';
import { stream, type Variates, variates } from '../random/index.ts';
import type { Values } from '../runtime/index.ts';
import {
  createGraphLearner,
  type GraphLearner,
  type GraphSession,
  type Minibatch,
  type MovingOptions,
  openGraph,
  type Weights,
} from '../train/index.ts';
import { type MaskedOptions, maskedDensity, maskedNext, maskedTraining } from './masked.ts';
import {
  type FitProgress,
  type Fitting,
  meanOf,
  type RowForm,
  type SamplerFamily,
  type Tensors,
} from './sampler.ts';

interface Options {
  readonly width: number;
  readonly layers: number;
  readonly epochs?: number | undefined;
}

const optionsFor = ({ width, layers }: Options, form: RowForm): MaskedOptions => ({
  width,
  layers,
  length: form.width,
  entries: form.entries!,
});

const BATCH = 128;
const RATE = 1e-3;
const WARMUP = 100; // steps at most, and a tenth of all
const PATIENCE = 3; // epochs without a better validation
const STEPS = 8000; // or so, where nobody says how many epochs
const LEAST_EPOCHS = 10;

const rowsAt = (data: Float32Array, width: number, order: Uint32Array): Minibatch => ({
  count: order.length,
  fill: ({ x }) => {
    order.forEach((row, i) => {
      x.set(data.subarray(row * width, (row + 1) * width), i * width);
    });
  },
});

/** log p of rows, by a session of `maskedDensity`; `weights` where they are not inside it. */
async function logProbs(
  session: GraphSession,
  rows: Float32Array,
  width: number,
  weights: Values = {},
): Promise<Float64Array> {
  const out = new Float64Array(rows.length / width);
  for (let at = 0; at < out.length; at += BATCH) {
    const data = rows.subarray(at * width, Math.min(out.length, at + BATCH) * width);
    const { logProb } = await session.run({ ...weights, x: { data, dims: [data.length / width, width] } });
    out.set(logProb!.data as Float32Array, at);
  }
  return out;
}

const valuesOf = (all: readonly Parameter[], weights: Weights): Values =>
  Object.fromEntries(all.map((p) => [p.name, { data: weights[p.name]!, dims: p.shape }]));

const toTensors = (all: readonly Parameter[], weights: Weights): Tensors =>
  Object.fromEntries(all.map((p) => [p.name, { shape: p.shape, data: weights[p.name]!.slice() }]));

/** Epochs until validation no longer gains; the tensors of the best. */
async function* fit(o: Options, fitting: Fitting): AsyncGenerator<FitProgress, Tensors> {
  const { form, train, validation, runtime, signal } = fitting;
  const { width } = form;
  const graph = maskedTraining(optionsFor(o, form));
  const judge = await openGraph(runtime, maskedDensity(optionsFor(o, form)));
  const learner = await createGraphLearner(
    graph,
    { shape: [width], masked: false, parts: [] },
    moving(fitting),
  );
  const rounds = o.epochs ?? epochsFor(train.length / width);
  let best: { validation: number; round: number; tensors: Tensors } | undefined;
  try {
    for (let round = 1; round <= rounds && round - (best?.round ?? 0) <= PATIENCE; round++) {
      const mean = await runEpoch(learner, fitting, { epoch: round - 1, epochs: rounds });
      const values = valuesOf(graph.parameters, learner.weights());
      const judged = meanOf(await logProbs(judge, validation, width, values));
      if (!Number.isFinite(judged))
        throw new UserError('the fit diverged: try a smaller --width or fewer --layers');
      yield { type: 'progress', round, rounds, train: mean, validation: judged };
      if (!best || judged > best.validation)
        best = { validation: judged, round, tensors: toTensors(graph.parameters, learner.weights()) };
      if (signal?.aborted) break;
    }
    return best!.tensors;
  } finally {
    await Promise.all([learner.dispose(), judge.dispose()]);
  }
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
  { form: { width }, train, seed, signal }: Fitting,
  { epoch, epochs }: { readonly epoch: number; readonly epochs: number },
): Promise<number> {
  const rows = train.length / width;
  const steps = Math.ceil(rows / BATCH);
  const schedule = schedules.cosine({ warmup: Math.min(WARMUP, Math.floor((epochs * steps) / 10)) });
  const order = stream(seed, 'codes', epoch).permutation(rows);
  let [total, seen] = [0, 0];
  for (let i = 0; i < steps && !(signal?.aborted && seen > 0); i++) {
    const batch = rowsAt(train, width, order.subarray(i * BATCH, (i + 1) * BATCH));
    const at = { step: epoch * steps + i + 1, steps: epochs * steps, epoch, history: [] };
    const knobs = { beta: 1, progress: at.step / at.steps, learningRate: RATE * schedule(at) };
    total -= batch.count * (await learner.step(at.step, batch, knobs)).reported['loss']!;
    seen += batch.count;
  }
  return total / seen;
}

const COLD = 1e-6; // the least temperature, at which the likeliest symbol is as good as sure

/** Rows of symbols, one place after the other; each place is a run of the whole row. */
async function drawRows(
  session: GraphSession,
  { length, entries }: MaskedOptions,
  count: number,
  { categorical }: Variates,
  temperature: number,
): Promise<Float32Array> {
  const x = new Float32Array(count * length);
  for (let n = 0; n < length; n++) {
    const at = new Float32Array(length);
    at[n] = 1;
    const { logits } = await session.run({
      x: { data: x, dims: [count, length] },
      at: { data: at, dims: [1, length] },
    });
    const all = (logits!.data as Float32Array).map((v) => v / Math.max(temperature, COLD));
    for (let row = 0; row < count; row++)
      x[row * length + n] = categorical(all.subarray(row * entries, (row + 1) * entries));
  }
  return x;
}

const MOST_SYMBOLS = 2 ** 20; // at all places

const autoregressive = (o: Options): SamplerFamily => ({
  space: 'codes',
  refuses: ({ width, entries = 0 }) =>
    width * entries > MOST_SYMBOLS
      ? `${width} places of ${entries} symbols are too many to learn one by one: a smaller codebook or fewer latent dimensions help`
      : undefined,
  shapes: (form) =>
    Object.fromEntries(maskedTraining(optionsFor(o, form)).parameters.map((p) => [p.name, p.shape])),
  fit: (fitting) => fit(o, fitting),
  open: async (tensors, form, runtime) => {
    const options = optionsFor(o, form);
    const weights = Object.fromEntries(Object.entries(tensors).map(([name, { data }]) => [name, data]));
    const [density, next] = await Promise.all([
      openGraph(runtime, maskedDensity(options), { weights }),
      openGraph(runtime, maskedNext(options), { weights }),
    ]);
    return {
      draw: (count, random, temperature) => drawRows(next, options, count, variates(random), temperature),
      logProbs: (rows) => logProbs(density, rows, form.width),
      dispose: async () => void (await Promise.all([density.dispose(), next.dispose()])),
    };
  },
});

export const autoregressives = {
  autoregressive: choice({
    doc: 'Symbol after symbol, by a masked network, for codes.',
    options: {
      width: z.int().min(1).max(65_536).default(512).describe('of the hidden layers'),
      layers: z.int().min(1).max(64).default(2).describe('hidden layers'),
      epochs: z
        .int()
        .min(1)
        .max(1_000_000)
        .optional()
        .describe('passes over the rows, at most (default: from their number)'),
    },
    build: autoregressive,
  }),
};
