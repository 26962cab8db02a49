/** What an objective makes of a small model, with values for every input: parameters, data, noise and knobs. */
import assert from 'node:assert/strict';
import type { Table } from '../../src/choice.ts';
import { input, type Tensor } from '../../src/graph/index.ts';
import { fillNoise, noisesOf, type Parameter, parameters } from '../../src/nn/index.ts';
import { stream } from '../../src/random/index.ts';
import {
  type Knobs,
  type Losses,
  type ModelSpec,
  make,
  type Objective,
  type ObjectiveContext,
  type ObjectiveName,
  objectives,
  observation,
  type Terms,
  terms,
  trainingGraph,
  type Vae,
} from '../../src/vae/index.ts';
import { parameterFeeds } from '../nn/feeds.ts';
import { evaluate, type Feeds, resolve, value } from '../reference.ts';
import { small } from './models.ts';

/** An objective by name. */
export const aim = (kind: ObjectiveName, options: object = {}): Objective =>
  make((objectives as Table<Objective>)[kind]!, { ...options });

export interface Training {
  readonly vae: Vae;
  readonly terms: Terms;
  readonly losses: Losses;
  readonly context: ObjectiveContext;
  /** Of the objective's own. */
  readonly own: readonly Parameter[];
  readonly feeds: Feeds;
  /** Values of tensors at these feeds, flat. */
  readonly at: (...tensors: readonly Tensor[]) => Float64Array[];
  readonly number: (tensor: Tensor) => number;
}

export interface Setting {
  readonly batch?: number;
  /** Training rows in all. */
  readonly rows?: number;
  readonly seed?: number;
  /** Put over the others. */
  readonly feeds?: Feeds;
}

/** Terms and losses as `trainingGraph` builds them. */
export function training(spec: ModelSpec, objective: Objective, setting: Setting = {}): Training {
  const { batch = 3, rows = 10, seed = 1 } = setting;
  const { samples, corrupt } = objective;
  const { vae, feeds } = small(spec, { samples, batch, seed });
  const knobs: Knobs = {
    scale: input('scale', []),
    beta: input('beta', []),
    progress: input('progress', []),
  };
  const observed = observation(vae.spec);
  const { progress, scale } = knobs;
  const t = terms(vae, observed, { samples, progress, scale, ...(corrupt && { corrupt }) });
  const own = parameters();
  const context = { ...knobs, vae, observed, rows, scope: own.root.at('objective') };
  const losses = objective.losses(t, context);
  const { outputs } = trainingGraph(vae, objective, rows);
  const fed = {
    ...feeds,
    ...noiseFeeds(outputs, batch, seed),
    ...parameterFeeds(own.all(), seed),
    ...setting.feeds,
  };
  const at = (...tensors: readonly Tensor[]) => evaluate(tensors, fed).map(({ data }) => data);
  return { vae, terms: t, losses, context, own: own.all(), feeds: fed, at, number: (t) => at(t)[0]![0]! };
}

/** Noise of every input that asks for some, by its law. */
export function noiseFeeds(outputs: Readonly<Record<string, Tensor>>, batch: number, seed: number): Feeds {
  const fed = noisesOf(outputs).map(({ name, law, shape }) => {
    const sizes = resolve(shape, batch);
    const data = new Float32Array(sizes.reduce((a, b) => a * b, 1));
    fillNoise(law, stream(seed, name), data);
    return [name, value(data, sizes)] as const;
  });
  return Object.fromEntries(fed);
}

/** A flat tensor as rows. */
export const rowsOf = (data: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: data.length / width }, (_, i) =>
    Array.from({ length: width }, (__, j) => data[i * width + j]!),
  );

export const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((a, b) => a + b, 0) / values.length;

export const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

export const close = (actual: number, expected: number, by: number, what: string): void =>
  assert.ok(Math.abs(actual - expected) <= by, `${what}: ${actual}, expected ${expected} within ${by}`);

/** Means over the batch: log p(x|z), and the KL summed over its dimensions. */
export function basics({ terms: t, at }: Training): { logPx: number; kl: number } {
  const { kl } = t.levels[0]!;
  const [logPx, each] = at(t.logPx, kl) as [Float64Array, Float64Array];
  return { logPx: mean(logPx), kl: Number(kl.shape.at(-1)) * mean(each) };
}

/** z of each example, one draw. */
export const drawsOf = ({ terms: t, at, vae }: Training): number[][] => rowsOf(at(t.z)[0]!, vae.spec.latent);

export const reported = ({ losses, number }: Training, name: string): number => number(losses.report![name]!);
