/** One training step: noise in, the graph run, gradients clipped, the optimiser applied, all in place in one arena. */
import { toOnnx } from '../graph/index.ts';
import { initialise, type Parameter } from '../nn/index.ts';
import {
  averageParams,
  type Block,
  clipGlobalNorm,
  type Optimizer,
  openKernels,
  runsOf,
} from '../optim/index.ts';
import { stream } from '../random/index.ts';
import {
  type Arena,
  createArena,
  type Runtime,
  type Session,
  type Value,
  type Values,
} from '../runtime/index.ts';
import { gradientName, type Objective, trainingGraph, type Vae } from '../vae/index.ts';
import type { Minibatch } from './source.ts';

export interface LearnerOptions {
  readonly vae: Vae;
  readonly objective: Objective;
  readonly optimizer: Optimizer;
  readonly runtime: Runtime;
  readonly batchSize: number;
  readonly seed: number;
  /** Importance samples for each example. */
  readonly samples?: number;
  /** Largest norm of the whole gradient. */
  readonly clip?: number | undefined;
  /** Decay of the running average of the weights; without it there is none. */
  readonly ema?: number | undefined;
  /** Prefix of a profile to be written by the engine. */
  readonly profile?: string | undefined;
}

/** What a step gives: means over the batch in nats, and the gradient's norm before clipping. */
export interface StepResult {
  readonly loss: number;
  readonly logPx: number;
  readonly kl: number;
  readonly gradientNorm: number;
}

export interface StepKnobs {
  readonly beta: number;
  readonly learningRate: number;
}

/** Parameters, optimiser state and the session that moves them. */
export interface Learner {
  readonly vae: Vae;
  /** Step `number` counts from 1. Nothing is changed where the gradient is not finite (its norm is then NaN). */
  readonly step: (number: number, batch: Minibatch, knobs: StepKnobs) => Promise<StepResult>;
  /** The parameters as views: the running average where there is one. */
  readonly weights: () => Weights;
  /** Every block that a later step depends on, as views by name. */
  readonly state: () => Readonly<Record<string, Float32Array>>;
  readonly dispose: () => Promise<void>;
}

/** Parameters by name. */
export type Weights = Readonly<Record<string, Float32Array>>;

export const weightValues = (vae: Vae, weights: Weights): Record<string, Value> =>
  Object.fromEntries(vae.parameters.map((p) => [p.name, { data: weights[p.name]!, dims: p.shape }]));

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** Block numbers of the arena. */
const PARAMETERS = 0;
const GRADIENTS = 1;
const SLOTS = 2;

export async function createLearner(options: LearnerOptions): Promise<Learner> {
  const { vae, objective, optimizer, runtime, samples = 1, ema, profile } = options;
  const model = toOnnx(trainingGraph(vae, objective, samples));
  const session = await runtime.session(model, profile === undefined ? {} : { profile });
  const blocks = SLOTS + optimizer.slots + (ema === undefined ? 0 : 1);
  const arena = createArena(
    vae.parameters.map((p) => size(p.shape)),
    blocks,
  );
  for (const [i, p] of vae.parameters.entries()) initialise(p, arena.view(PARAMETERS, i), options.seed);
  const shown = ema === undefined ? PARAMETERS : blocks - 1;
  if (ema !== undefined) arena.whole(shown).set(arena.whole(PARAMETERS));
  return {
    vae,
    step: stepper(options, session, arena),
    weights: () => Object.fromEntries(vae.parameters.map((p, i) => [p.name, arena.view(shown, i)])),
    state: () => stateOf(vae.parameters, arena, optimizer, ema !== undefined),
    dispose: () => session.dispose(),
  };
}

/** `parameters/x`, `slot 0/x`, …, `average/x`. Gradients are not state. */
function stateOf(parameters: readonly Parameter[], arena: Arena, { slots }: Optimizer, averaged: boolean) {
  const kinds = [
    'parameters',
    ...Array.from({ length: slots }, (_, i) => `slot ${i}`),
    ...(averaged ? ['average'] : []),
  ];
  const entries = kinds.flatMap((kind, k) =>
    parameters.map(
      (p, i) => [`${kind}/${p.name}`, arena.view(k === 0 ? PARAMETERS : GRADIENTS + k, i)] as const,
    ),
  );
  return Object.fromEntries(entries);
}

function stepper(options: LearnerOptions, session: Session, arena: Arena): Learner['step'] {
  const { vae, optimizer, ema, batchSize, samples = 1, seed, clip = Number.POSITIVE_INFINITY } = options;
  const kernels = openKernels(arena.memory);
  const block: Block = {
    params: arena.byteOffset(PARAMETERS),
    grads: arena.byteOffset(GRADIENTS),
    slots: Array.from({ length: optimizer.slots }, (_, i) => arena.byteOffset(SLOTS + i)),
    runs: runsOf(
      arena.offsets,
      arena.size,
      vae.parameters.map((p) => p.decay),
    ),
  };
  const average = arena.byteOffset(arena.blocks - 1);
  const buffers = createBuffers(vae, batchSize, samples);
  const run = bindings(vae, session, arena, buffers, samples);
  return async (number, batch, { beta, learningRate }) => {
    const { noise, scale, results } = buffers;
    batch.fill(buffers, number);
    stream(seed, 'noise', number).normal(noise.subarray(0, samples * batch.count * vae.spec.latent));
    scale[0] = 1 / batch.count;
    buffers.beta[0] = beta;
    await run(batch.count);
    const [loss, logPx, kl] = results as unknown as [number, number, number];
    const gradientNorm = clipGlobalNorm(kernels, block, clip);
    if (Number.isFinite(gradientNorm) && Number.isFinite(loss)) {
      optimizer.update(kernels, block, number, learningRate);
      if (ema !== undefined) averageParams(kernels, block, average, { step: number, decay: ema });
    }
    return { loss, logPx, kl, gradientNorm };
  };
}

function createBuffers({ spec }: Vae, batchSize: number, samples: number) {
  return {
    x: new Float32Array(batchSize * size(spec.shape)),
    mask: new Float32Array(spec.masked ? batchSize * spec.parts.length : 0),
    noise: new Float32Array(batchSize * samples * spec.latent),
    scale: new Float32Array(1),
    beta: new Float32Array(1),
    results: new Float32Array(3), // loss, logPx, kl
  };
}

/** A bound call for each batch size that occurs: the full one and that of the last batch of an epoch. */
function bindings(
  { spec, parameters }: Vae,
  session: Session,
  arena: Arena,
  { x, mask, noise, scale, beta, results }: ReturnType<typeof createBuffers>,
  samples: number,
): (count: number) => Promise<void> {
  const calls = new Map<number, () => Promise<void>>();
  const outputs: Record<string, Value> = {};
  for (const [i, name] of ['loss', 'logPx', 'kl'].entries())
    outputs[name] = { data: results.subarray(i, i + 1), dims: [] };
  parameters.forEach((p, i) => {
    outputs[gradientName(p.name)] = { data: arena.view(GRADIENTS, i), dims: p.shape };
  });
  const bind = (count: number): (() => Promise<void>) => {
    const rows = (data: Float32Array, dims: readonly number[]): Value => ({
      data: data.subarray(0, size(dims)),
      dims,
    });
    const feeds: Record<string, Value> = {
      x: rows(x, [count, ...spec.shape]),
      mask: rows(mask, [count, spec.parts.length]),
      noise: rows(noise, [count * samples, spec.latent]),
      scale: { data: scale, dims: [] },
      beta: { data: beta, dims: [] },
    };
    parameters.forEach((p, i) => {
      feeds[p.name] = { data: arena.view(PARAMETERS, i), dims: p.shape };
    });
    return session.bind(wanted(session, feeds), outputs);
  };
  return (count) => {
    const call = calls.get(count) ?? bind(count);
    calls.set(count, call);
    return call();
  };
}

/** The feeds that the model has inputs for: an objective may leave some unused. */
export const wanted = (session: Session, feeds: Values): Values =>
  Object.fromEntries(session.inputs.map((name) => [name, feeds[name]!]));
