/** The training loop: steps, validation after each epoch, the best weights kept, checkpoints from which it goes on exactly. */
import { UserError } from '../errors.ts';
import type { Schedule, Warmup } from '../optim/index.ts';
import { checkWarmup } from '../optim/index.ts';
import { boundGraph, evaluationGraph, klOf, type Objective } from '../vae/index.ts';
import { badValidation, collapse, divergence, idleCodes, manySkipped } from './diagnose.ts';
import { activeUnits, type ElboResult, evaluateBound, evaluateElbo } from './evaluate.ts';
import type { EpochRecord, FitEvent, Means, StopReason } from './events.ts';
import { beginWithExamples } from './examples.ts';
import {
  createLearner,
  type Learner,
  type LearnerOptions,
  type StepResult,
  type Weights,
  weightValues,
} from './learner.ts';
import { openGraphs } from './session.ts';
import type { BatchSource } from './source.ts';

export interface FitOptions extends LearnerOptions {
  readonly train: BatchSource;
  readonly validation: BatchSource;
  readonly epochs: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  readonly warmup: Warmup;
  /** Epochs without a better validation objective after which training ends; without it all epochs are run. */
  readonly patience?: number | undefined;
  /** Where to go on from. */
  readonly resume?: Checkpoint | undefined;
  /** Keeps a checkpoint safe. Called after epochs and about every `checkpointSeconds`. */
  readonly save?: (checkpoint: Checkpoint) => Promise<void>;
  readonly checkpointSeconds?: number;
  /** Training stops, with a checkpoint, after the step in which this becomes true. */
  readonly signal?: { readonly aborted: boolean } | undefined;
}

/** Everything the rest of training depends on. */
export interface Checkpoint {
  readonly progress: Progress;
  /** Parameters, optimiser state and the best weights, by name. */
  readonly tensors: Readonly<Record<string, Float32Array>>;
}

/** Plain JSON. Sums are over the steps of the epoch that is under way. */
export interface Progress {
  readonly step: number;
  readonly epoch: number;
  readonly batch: number;
  readonly sums: Sums;
  readonly history: readonly EpochRecord[];
}

/** Over the rows of the steps done. */
interface Sums {
  readonly rows: number;
  readonly logPx: number;
  readonly kl: number;
  readonly terms: Readonly<Record<string, number>>;
}

export interface Fitted {
  /** Of the best epoch. */
  readonly weights: Weights;
  readonly history: readonly EpochRecord[];
  readonly reason: StopReason;
  readonly steps: number;
}

const NOTHING: Sums = { rows: 0, logPx: 0, kl: 0, terms: {} };
const START: Progress = { step: 0, epoch: 0, batch: 0, sums: NOTHING, history: [] };

/** Trains and yields what happens; returns the best weights. */
export async function* fit(options: FitOptions): AsyncGenerator<FitEvent, Fitted> {
  const { vae, train, batchSize, epochs, resume, warmup } = options;
  checkNumbers(options);
  const stepsPerEpoch = Math.ceil(train.rows / batchSize);
  checkWarmup(warmup, epochs * stepsPerEpoch);
  const { validate, dispose } = await openValidation(options);
  let learner: Learner | undefined;
  try {
    learner = await createLearner({ ...options, rows: train.rows });
    const best: Record<string, Float32Array> = {};
    if (!resume) await beginWithExamples(vae, learner, train, options);
    const progress = resume ? restore(resume, learner, best) : START;
    const parameters = vae.parameters.reduce(
      (n, p) => n + p.tensor.shape.reduce<number>((a, d) => a * Number(d), 1),
      0,
    );
    yield { type: 'start', parameters, epochs, stepsPerEpoch, step: progress.step };
    if (progress.epoch >= epochs) yield { type: 'notice', message: nothingLeft(progress.epoch, epochs) };
    return yield* loop(options, {
      learner,
      validate: () => validate(learner!),
      best,
      progress,
      stepsPerEpoch,
    });
  } finally {
    await Promise.all([learner?.dispose(), dispose()]);
  }
}

function checkNumbers({ train, batchSize, epochs, learningRate, clip = 1, skip = 1 }: FitOptions): void {
  for (const [name, value] of Object.entries({ epochs, batchSize, 'rows to train on': train.rows }))
    if (!(Number.isSafeInteger(value) && value >= 1))
      throw new UserError(`${name}: given ${value}, expected a whole number from 1`);
  for (const [name, value] of Object.entries({ learningRate, clip, skip }))
    if (!(value >= 0)) throw new UserError(`${name}: given ${value}, expected a number from 0`);
}

/** The ELBO of the validation rows, and where the objective is made of weights its own bound. */
interface Validation extends ElboResult {
  readonly bound?: number;
}

async function openValidation(options: FitOptions) {
  const { vae, runtime, validation, objective } = options;
  const weighs = objective.weighs && objective.samples > 1;
  const graphs = {
    elbo: evaluationGraph(vae),
    ...(weighs && { bound: boundGraph(vae, objective.samples) }),
  };
  const { elbo, bound } = await openGraphs(runtime, graphs);
  const validate = async (learner: Learner): Promise<Validation> => {
    const weights = weightValues(vae, learner.weights());
    const result = await evaluateElbo(elbo, vae, weights, validation, options);
    return bound
      ? { ...result, bound: await evaluateBound(bound, vae, weights, validation, options) }
      : result;
  };
  return { validate, dispose: () => Promise.all([elbo.dispose(), bound?.dispose()]) };
}

function restore(
  { progress, tensors }: Checkpoint,
  learner: Learner,
  best: Record<string, Float32Array>,
): Progress {
  const state = learner.state();
  const kept = Object.entries(progress.history.length > 0 ? learner.weights() : {});
  checkTensors(tensors, { ...state, ...Object.fromEntries(kept.map(([name, view]) => [BEST + name, view])) });
  for (const [name, view] of Object.entries(state)) view.set(tensors[name]!);
  for (const [name] of kept) best[name] = tensors[BEST + name]!.slice();
  return progress;
}

const BEST = 'best/';

/** Refuses a checkpoint that has not all that this training has, or has it in other sizes. */
function checkTensors(
  found: Readonly<Record<string, Float32Array>>,
  expected: Readonly<Record<string, Float32Array>>,
): void {
  const sizeOf = (tensors: Readonly<Record<string, Float32Array>>, name: string) =>
    Object.hasOwn(tensors, name) ? `${tensors[name]!.length} values` : 'nothing';
  for (const name of [...Object.keys(expected), ...Object.keys(found)]) {
    if (sizeOf(found, name) !== sizeOf(expected, name))
      throw new UserError(
        `the checkpoint to go on from is damaged: it has ${sizeOf(found, name)} for "${name}", ` +
          `expected ${sizeOf(expected, name)}; train anew with --overwrite`,
      );
  }
}

const nothingLeft = (done: number, asked: number): string =>
  `nothing is left to train: ${done} epochs are done and ${asked} were asked for (--epochs sets how many in all)`;

interface Loop {
  readonly learner: Learner;
  readonly validate: () => Promise<Validation>;
  /** Filled in place. */
  readonly best: Record<string, Float32Array>;
  readonly progress: Progress;
  readonly stepsPerEpoch: number;
}

async function* loop(options: FitOptions, run: Loop): AsyncGenerator<FitEvent, Fitted> {
  const { epochs, patience = Number.POSITIVE_INFINITY } = options;
  const started = performance.now();
  const keeper = createKeeper(options, run);
  let now = run.progress;
  let reason: StopReason = sinceBest(now.history) >= patience ? 'early stopping' : 'finished';
  while (now.epoch < epochs && reason === 'finished') {
    const epochStarted = performance.now();
    ({ now, reason } = yield* steps(options, run, keeper, now));
    if (reason !== 'finished') break;
    const validation = await run.validate();
    const bad = badValidation(validation, now.epoch + 1);
    if (bad) {
      yield { type: 'notice', message: bad };
      reason = 'diverged';
      break;
    }
    const record = epochRecord(options, now, validation, epochs * run.stepsPerEpoch);
    if (record.best) copyInto(run.best, run.learner.weights());
    now = afterEpoch(now, record);
    yield { type: 'epoch', ...record, seconds: secondsSince(epochStarted) };
    if (sinceBest(now.history) >= patience) reason = 'early stopping';
    if (now.epoch === epochs || reason !== 'finished' || keeper.due(2)) yield* keeper.checkpoint(now);
  }
  const warning = finalWarning(options, now.history.at(-1));
  if (warning) yield { type: 'notice', message: warning };
  const { history } = now;
  const bestEpoch = bestOf(history)?.epoch ?? 0;
  yield { type: 'end', reason, epochs: history.length, bestEpoch, seconds: secondsSince(started) };
  return { weights: run.best, history, reason, steps: now.step };
}

/** What the last epoch gives reason to say. Where z is a point, its KL says nothing. */
function finalWarning({ vae, objective }: FitOptions, last: EpochRecord | undefined): string | undefined {
  if (last?.codes) return idleCodes(last.codes);
  return last && vae.spec.posterior.random
    ? collapse(last.klPerDimension, objective.beta, klOf(vae))
    : undefined;
}

interface Keeper {
  /** Whether so much time has passed since the last checkpoint. */
  readonly due: (seconds: number) => boolean;
  readonly checkpoint: (now: Progress) => AsyncGenerator<FitEvent>;
}

function createKeeper({ save }: FitOptions, { learner, best }: Loop): Keeper {
  let saved = performance.now();
  return {
    due: (seconds) => secondsSince(saved) > seconds,
    checkpoint: async function* (now) {
      saved = performance.now();
      if (!save) return;
      const kept = Object.entries(best).map(([name, data]) => [BEST + name, data]);
      await save({ progress: now, tensors: { ...learner.state(), ...Object.fromEntries(kept) } });
      yield { type: 'checkpoint', step: now.step };
    },
  };
}

/** The steps that are left of an epoch. */
async function* steps(
  options: FitOptions,
  { learner, stepsPerEpoch }: Loop,
  keeper: Keeper,
  from: Progress,
): AsyncGenerator<FitEvent, { now: Progress; reason: StopReason }> {
  const { epochs, signal, checkpointSeconds = 20 } = options;
  const all = epochs * stepsPerEpoch;
  const { epoch } = from;
  let now = from;
  let skipped = 0;
  for await (const batch of options.train.batches(epoch, from.batch)) {
    const knobs = knobsAt(options, now, all);
    const result = await learner.step(now.step + 1, batch, knobs);
    const bad = divergence(result, now.step + 1, knobs);
    if (bad) {
      yield { type: 'notice', message: bad };
      return { now, reason: 'diverged' };
    }
    now = afterStep(now, result, batch.count);
    if (result.skipped) skipped++;
    yield {
      type: 'step',
      step: now.step,
      steps: all,
      epoch: epoch + 1,
      ...knobs,
      ...result,
      ...meansOf(result),
    };
    const stopped = signal?.aborted === true;
    if (stopped || keeper.due(checkpointSeconds)) yield* keeper.checkpoint(now);
    if (stopped) return { now, reason: 'stopped' };
  }
  const warning = manySkipped(skipped, now.step - from.step, options.skip);
  if (warning) yield { type: 'notice', message: warning };
  return { now, reason: 'finished' };
}

const secondsSince = (start: number): number => (performance.now() - start) / 1000;

function copyInto(best: Record<string, Float32Array>, weights: Weights): void {
  for (const [name, view] of Object.entries(weights)) best[name] = view.slice();
}

function knobsAt({ schedule, warmup, objective, learningRate }: FitOptions, now: Progress, steps: number) {
  const step = now.step + 1;
  const history = now.history.map((record) => record.watched);
  return {
    beta: objective.beta * warmup({ step, steps }),
    progress: Math.min(1, step / steps),
    learningRate: learningRate * schedule({ step, steps, epoch: now.epoch, history }),
  };
}

const meansOf = ({ logPx, kl }: Pick<StepResult, 'logPx' | 'kl'>): Means => ({
  logPx,
  kl,
  negativeElbo: kl - logPx,
});

const afterStep = (now: Progress, result: StepResult, rows: number): Progress => ({
  ...now,
  step: now.step + 1,
  batch: now.batch + 1,
  sums: addTo(now.sums, result, rows),
});

const addTo = (sums: Sums, { logPx, kl, terms }: StepResult, rows: number): Sums => ({
  rows: sums.rows + rows,
  logPx: sums.logPx + rows * logPx,
  kl: sums.kl + rows * kl,
  terms: mapValues(terms, (value, name) => (sums.terms[name] ?? 0) + rows * value),
});

const mapValues = (
  record: Readonly<Record<string, number>>,
  f: (value: number, name: string) => number,
): Record<string, number> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, f(value, name)]));

const afterEpoch = (now: Progress, record: EpochRecord): Progress => ({
  ...now,
  epoch: now.epoch + 1,
  batch: 0,
  sums: NOTHING,
  history: [...now.history, record],
});

function epochRecord(
  options: FitOptions,
  now: Progress,
  { negativeElbo, logPx, kl, bound, klPerDimension, codes, accuracy }: Validation,
  steps: number,
): EpochRecord {
  const { rows, terms, ...sums } = now.sums;
  const watched = bound === undefined ? judge(options.objective, { logPx, kl }) : -bound;
  const previous = bestOf(now.history);
  const { learningRate, beta } = knobsAt(options, { ...now, step: now.step - 1 }, steps); // of the last step
  return {
    epoch: now.epoch + 1,
    step: now.step,
    train: meansOf({ logPx: sums.logPx / rows, kl: sums.kl / rows }),
    validation: { negativeElbo, logPx, kl },
    ...(bound !== undefined && { bound }),
    watched,
    klPerDimension,
    activeUnits: activeUnits(klPerDimension),
    ...(codes && { codes }),
    ...(accuracy !== undefined && { accuracy }),
    best: !previous || watched < previous.watched,
    terms: mapValues(terms, (sum) => sum / rows),
    learningRate,
    beta,
  };
}

const judge = ({ beta, judge: own }: Objective, means: Pick<Means, 'logPx' | 'kl'>): number =>
  own?.(means) ?? beta * means.kl - means.logPx;

const bestOf = (history: readonly EpochRecord[]): EpochRecord | undefined =>
  history.findLast((record) => record.best);
const sinceBest = (history: readonly EpochRecord[]): number => history.length - (bestOf(history)?.epoch ?? 0);
