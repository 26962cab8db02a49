/** One training step: noise in, the graph run, gradients clipped, the optimiser applied, all in place in one arena. */
import { toOnnx } from '../graph/index.ts';
import { initialise, noisesOf, type Parameter } from '../nn/index.ts';
import {
  adam,
  averageParams,
  type Block,
  clipGlobalNorm,
  type Optimizer,
  openKernels,
  runsOf,
} from '../optim/index.ts';
import { stream } from '../random/index.ts';
import { type Arena, createArena, type Runtime, type Session, type Value } from '../runtime/index.ts';
import {
  type Adversary,
  gradientName,
  isOfObjective,
  type Objective,
  type TrainingGraph,
  trainingGraph,
  type Vae,
} from '../vae/index.ts';
import { type Buffers, createBuffers, type InputForm } from './buffers.ts';
import { type Profile, stepClock } from './clock.ts';
import { wanted } from './session.ts';
import type { Minibatch } from './source.ts';

/** How a graph is moved, whatever it is of. */
export interface MovingOptions {
  readonly optimizer: Optimizer;
  /** How the networks of an adversary are moved, where there is one. */
  readonly adversary?: Adversary | undefined;
  readonly runtime: Runtime;
  readonly batchSize: number;
  readonly seed: number;
  /** Largest norm of the whole gradient. */
  readonly clip?: number | undefined;
  /** Norm of the whole gradient above which a step changes nothing (Child 2021, section 4). */
  readonly skip?: number | undefined;
  /** Decay of the running average of the weights; without it there is none. */
  readonly ema?: number | undefined;
  /** Parameters that start with these values instead of drawn ones, by name. */
  readonly initial?: Weights | undefined;
  /** Where a profile of the first steps goes; without it nothing is measured. */
  readonly profile?: Profile | undefined;
}

export interface LearnerOptions extends MovingOptions {
  readonly vae: Vae;
  readonly objective: Objective;
  /** Training examples in all, for objectives that depend on it. */
  readonly rows?: number;
}

/** What a step gives: means over the batch in nats, and the norm of the model's gradient before clipping. */
export interface StepResult {
  readonly loss: number;
  readonly logPx: number;
  readonly kl: number;
  /** What the objective and the model's parts add, by name. */
  readonly terms: Readonly<Record<string, number>>;
  readonly gradientNorm: number;
  /** Whether the gradient was too large, so that nothing was changed. */
  readonly skipped: boolean;
}

export interface StepKnobs {
  readonly beta: number;
  /** Part of the training that is done, from 0 to 1. */
  readonly progress: number;
  readonly learningRate: number;
}

/** What a step of any graph gives: what it reports, by name. */
export interface GraphStep extends Pick<StepResult, 'gradientNorm' | 'skipped'> {
  readonly reported: Readonly<Record<string, number>>;
}

/** Parameters, optimiser state and the session that moves them. */
export interface GraphLearner<Result = GraphStep> {
  /**
   * Step `number` counts from 1. Where the loss is not finite, nothing is changed and the norm is NaN. Where only a gradient is
   * not, the norm is NaN too, and parameters and state are of no more use unless the gradient is looked at first (`clip`, `skip`).
   */
  readonly step: (number: number, batch: Minibatch, knobs: StepKnobs) => Promise<Result>;
  /** The parameters as views: the running average where there is one. */
  readonly weights: () => Weights;
  /** Every block that a later step depends on, as views by name. */
  readonly state: () => Readonly<Record<string, Float32Array>>;
  readonly dispose: () => Promise<void>;
}

export interface Learner extends GraphLearner<StepResult> {
  readonly vae: Vae;
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

/** Moves the parameters of a VAE and of its objective; `weights` are those of the VAE. */
export async function createLearner({ vae, objective, rows, ...options }: LearnerOptions): Promise<Learner> {
  const { adversary } = objective;
  const graph = trainingGraph(vae, objective, rows);
  const learner = await createGraphLearner(graph, vae.spec, { ...options, adversary });
  return {
    ...learner,
    vae,
    step: async (number, batch, knobs) => {
      const { reported, ...result } = await learner.step(number, batch, knobs);
      const { loss = Number.NaN, logPx = Number.NaN, kl = Number.NaN, ...terms } = reported;
      return { ...result, loss, logPx, kl, terms };
    },
    weights: () => {
      const all = learner.weights();
      return Object.fromEntries(vae.parameters.map(({ name }) => [name, all[name]!]));
    },
  };
}

/** Moves the parameters of `graph`, whose `loss` is among what it reports; batches are of the form `inputs`. */
export async function createGraphLearner(
  graph: TrainingGraph,
  inputs: InputForm,
  options: MovingOptions,
): Promise<GraphLearner> {
  const { runtime, ema, profile } = options;
  const { parameters } = graph;
  const movers = moversOf(options, parameters);
  const slots = Math.max(...movers.map(({ optimizer }) => optimizer.slots));
  const blocks = SLOTS + slots + (ema === undefined ? 0 : 1);
  const arena = createArena(
    parameters.map((p) => size(p.shape)),
    blocks,
  );
  for (const [i, p] of parameters.entries()) begin(p, arena.view(PARAMETERS, i), options);
  const shown = ema === undefined ? PARAMETERS : blocks - 1;
  if (ema !== undefined) arena.whole(shown).set(arena.whole(PARAMETERS));
  const buffers = createBuffers(inputs, noisesOf(graph.outputs), options.batchSize);
  const model = toOnnx(graph.outputs, { unread: runtime.kind === 'node' });
  // last: what was refused before has left nothing open
  const session = await runtime.session(model, profile ? { profile: profile.prefix } : {});
  return {
    step: stepper(options, graph, session, { arena, buffers, movers }),
    weights: () => Object.fromEntries(parameters.map((p, i) => [p.name, arena.view(shown, i)])),
    state: () => stateOf(parameters, arena, slots, ema !== undefined),
    dispose: () => session.dispose(),
  };
}

function begin(parameter: Parameter, out: Float32Array, { initial, seed }: MovingOptions): void {
  const given = initial?.[parameter.name];
  if (given) out.set(given);
  else initialise(parameter, out, seed);
}

/** Neighbouring parameters, from one number to before another, that are moved by one optimiser. */
interface Mover {
  readonly from: number;
  readonly to: number;
  readonly optimizer: Optimizer;
  /** Its learning rate, as a part of the step's. */
  readonly rate: number;
}

/** The model's parameters, and apart from them those of its adversary. */
function moversOf({ optimizer, adversary }: MovingOptions, parameters: readonly Parameter[]): Mover[] {
  const all = parameters.length;
  if (!adversary) return [{ from: 0, to: all, optimizer, rate: 1 }];
  const own = parameters.filter(({ name }) => !isOfObjective(name)).length; // those of the objective come last
  const opponent = adam({ beta1: adversary.beta1 });
  return [
    { from: 0, to: own, optimizer, rate: 1 },
    { from: own, to: all, optimizer: opponent, rate: adversary.rate },
  ];
}

/** Where a mover finds its numbers. */
const blockOf = ({ from, to, optimizer }: Mover, parameters: readonly Parameter[], arena: Arena): Block => ({
  params: arena.byteOffset(PARAMETERS),
  grads: arena.byteOffset(GRADIENTS),
  slots: Array.from({ length: optimizer.slots }, (_, i) => arena.byteOffset(SLOTS + i)),
  runs: runsOf(
    arena.offsets.slice(from, to),
    arena.offsets[to] ?? arena.size,
    parameters.slice(from, to).map((p) => p.decay),
  ),
});

/** `parameters/x`, `slot 0/x`, …, `average/x`. Gradients are not state. */
function stateOf(parameters: readonly Parameter[], arena: Arena, slots: number, averaged: boolean) {
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

interface Moving {
  readonly arena: Arena;
  readonly buffers: Buffers;
  /** The model's first. */
  readonly movers: readonly Mover[];
}

function stepper(
  options: MovingOptions,
  graph: TrainingGraph,
  session: Session,
  { arena, buffers, movers }: Moving,
): GraphLearner['step'] {
  const { ema, seed, clip = Number.POSITIVE_INFINITY, skip = Number.POSITIVE_INFINITY } = options;
  const { parameters, reported, updated } = graph;
  const looks = Math.min(clip, skip) < Number.POSITIVE_INFINITY; // at gradients before they move anything
  const kernels = openKernels(arena.memory);
  const moved = movers.map((mover) => ({ ...mover, block: blockOf(mover, parameters, arena) }));
  const average = arena.byteOffset(arena.blocks - 1);
  const knobs = { scale: new Float32Array(1), beta: new Float32Array(1), progress: new Float32Array(1) };
  const results = new Float32Array(reported.length);
  const run = bindings(graph, session, arena, { buffers, knobs, results });
  const replaced = parameters.flatMap((p, i) => (updated.has(p.name) ? [i] : []));
  const clock = stepClock(options.profile, session.endProfile);
  const move = (number: number, learningRate: number): number[] =>
    moved.map(({ optimizer, block, rate }) => optimizer.update(kernels, block, number, rate * learningRate));
  return async (number, batch, { beta, progress, learningRate }) => {
    clock.start(batch.count);
    buffers.draw(batch.count, (name) => stream(seed, name, number));
    clock.lap('noise');
    batch.fill(buffers, number);
    clock.lap('batch');
    knobs.scale[0] = 1 / batch.count;
    knobs.beta[0] = beta;
    knobs.progress[0] = progress;
    await run(batch.count);
    clock.lap('engine');
    batch.prepare?.(number + 1);
    clock.lap('batch');
    const next = replaced.map((i) => takeValue(arena, i));
    const before = looks ? moved.map(({ block }) => clipGlobalNorm(kernels, block, clip)) : undefined;
    if (looks) clock.lap('norm');
    const values = Object.fromEntries(reported.map((name, i) => [name, results[i]!]));
    const skipped = before !== undefined && before[0]! > skip;
    const moves = !skipped && Number.isFinite(values['loss']) && (before ?? []).every(Number.isFinite);
    const norms = moves ? move(number, learningRate) : [];
    if (moves) {
      replaced.forEach((i, j) => {
        arena.view(PARAMETERS, i).set(next[j]!);
      });
      if (ema !== undefined)
        for (const { block } of moved) averageParams(kernels, block, average, { step: number, decay: ema });
    }
    clock.lap('update');
    return { reported: values, gradientNorm: normOfAll(before ?? norms), skipped };
  };
}

/** The norm of the model's gradient; NaN where it, or one beside it, is not finite. */
const normOfAll = ([own = Number.NaN, ...others]: readonly number[]): number =>
  Number.isFinite(own) && others.every(Number.isFinite) ? own : Number.NaN;

/** A new value that came in place of a gradient, and no gradient left there. */
function takeValue(arena: Arena, parameter: number): Float32Array {
  const place = arena.view(GRADIENTS, parameter);
  const value = place.slice();
  place.fill(0);
  return value;
}

interface Feeding {
  readonly buffers: Buffers;
  readonly knobs: Readonly<Record<string, Float32Array>>;
  /** One number for each name in `reported`. */
  readonly results: Float32Array;
}

/** A bound call for each batch size that occurs: the full one and that of the last batch of an epoch. */
function bindings(
  { parameters, reported }: TrainingGraph,
  session: Session,
  arena: Arena,
  { buffers, knobs, results }: Feeding,
): (count: number) => Promise<void> {
  const calls = new Map<number, () => Promise<void>>();
  const outputs: Record<string, Value> = {};
  for (const [i, name] of reported.entries()) outputs[name] = { data: results.subarray(i, i + 1), dims: [] };
  const held: Record<string, Value> = {};
  parameters.forEach((p, i) => {
    outputs[gradientName(p.name)] = { data: arena.view(GRADIENTS, i), dims: p.shape };
    held[p.name] = { data: arena.view(PARAMETERS, i), dims: p.shape };
  });
  for (const [name, data] of Object.entries(knobs)) held[name] = { data, dims: [] };
  const bind = (count: number) =>
    session.bind(wanted(session, { ...buffers.values(count), ...held }), outputs);
  return (count) => {
    const call = calls.get(count) ?? bind(count);
    calls.set(count, call);
    return call();
  };
}
