/** `train`: from a path to data to a saved model. */
import { basename } from 'node:path';
import {
  build,
  type GivenChoices,
  type GivenOptions,
  type ParsedOptions,
  type Plan,
  parseOptions,
  resolve,
  type TableName,
  type TrainConfig,
  tables,
  trainOptions,
  withPreset,
} from '../config/index.ts';
import { type Codec, createCodec, type Dataset, describeSchema } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { listSamplers, openWorkspace, type Workspace } from '../model/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import { type EpochRecord, type FitEvent, type FitOptions, type Fitted, fit } from '../train/index.ts';
import type { Modality, Vae } from '../vae/index.ts';
import { checkSplits, openData } from './open.ts';
import { openProfile, type ProfileEvent } from './profile.ts';
import { checkSame, identify, keep, optionsFor, readRun, type SavedRun } from './resume.ts';
import { type Metrics, save } from './save.ts';
import { fixedSource, keptSource, trainingSource } from './source.ts';
import { groupsOf, labelPart, vaeFor } from './spec.ts';
import {
  checkStart,
  limitNotes,
  readStart,
  type Start,
  startWeights,
  withSplit,
  withStart,
} from './start.ts';

export type TrainOptions = GivenOptions &
  GivenChoices & {
    readonly data: string;
    /** Training stops, with a checkpoint, after the step in which this becomes true. */
    readonly signal?: { readonly aborted: boolean };
  };

/** What was found and decided, before the first step. */
export interface PlanEvent {
  readonly type: 'plan';
  readonly out: string;
  /** The schema in words. */
  readonly fields: readonly string[];
  readonly rows: Readonly<Record<string, number>>;
  /** Findings about the data. */
  readonly notes: readonly string[];
  /** Every choice made, and the option that changes it. */
  readonly choices: readonly string[];
}

/** The model is complete and in its place. */
export interface SavedEvent {
  readonly type: 'saved';
  readonly path: string;
  readonly report: string;
  readonly metrics: Metrics;
  /** Whether z is a code, so that samples are poor until `refit` has learned which codes go together. */
  readonly refit: boolean;
}

export type TrainEvent = FitEvent | PlanEvent | ProfileEvent | SavedEvent;

/** Trains on `data` and saves the model folder; yields what happens. */
export async function* train({ data: path, signal, ...given }: TrainOptions): AsyncGenerator<TrainEvent> {
  const asked = parseTrainOptions(given);
  const out = asked.out ?? defaultFolder(path);
  const workspace = await openWorkspace(out, asked);
  try {
    const saved = asked.resume ? await readRun(workspace) : undefined;
    const start = asked.from === undefined ? undefined : await readStart(asked.from);
    const options = start ? withSplit(asked, start) : asked;
    if (saved) checkStart(start, saved);
    const schema = saved?.schema ?? (options.schema === undefined ? start?.schema : undefined);
    const data = await openData(path, optionsFor(options, saved), schema);
    try {
      yield* run({ options, out, data, workspace, saved, start: saved ? undefined : start, signal });
    } finally {
      await data.close();
    }
  } finally {
    await workspace.close();
  }
}

/** Of sales.2023.csv.gz it is sales.2023.model. */
const defaultFolder = (path: string): string =>
  `${basename(path).replace(/(?<=.)\.\w+(\.gz)?$/, '') || 'data'}.model`;

function parseTrainOptions(given: Omit<TrainOptions, 'data' | 'signal'>): ParsedOptions & GivenChoices {
  const isChoice = (name: string): name is TableName => Object.hasOwn(tables, name);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  const plain = parseOptions(trainOptions, Object.fromEntries(entries.filter(([name]) => !isChoice(name))));
  checkSplits(plain);
  const named = (value: unknown) => (typeof value === 'string' ? { kind: value } : value);
  const choices = entries.filter(([name]) => isChoice(name));
  return withPreset({
    ...plain,
    ...Object.fromEntries(choices.map(([name, value]) => [name, named(value)])),
  });
}

interface Run {
  readonly options: ParsedOptions & GivenChoices;
  readonly out: string;
  readonly data: Dataset;
  readonly workspace: Workspace;
  readonly saved: SavedRun | undefined;
  readonly start: Start | undefined;
  readonly signal: { readonly aborted: boolean } | undefined;
}

async function* run(run: Run): AsyncGenerator<TrainEvent> {
  const { options, out, data, workspace, saved, start, signal } = run;
  const codec = createCodec(data.schema);
  checkRows(data);
  const plan = planFor(start ? withStart(options, start) : options, codec, data, saved);
  const identity = await identify(data, codec, options, saved);
  if (saved) checkSame(data.name, identity, saved.identity);
  const vae = vaeFor(codec, plan.config);
  const begun = start && startWeights(vae, start);
  const choices = [...plan.lines, ...(begun ? [begun.line] : [])];
  const from = saved?.from ?? start?.hash;
  yield {
    type: 'plan',
    out,
    fields: describeSchema(data.schema),
    rows: data.counts,
    notes: [...data.notes, ...(start ? limitNotes(options, start) : []), ...(await samplerNotes(out))],
    choices,
  };
  const { config } = plan;
  const facts = { config, schema: data.schema, identity, ...(from !== undefined && { from }) };
  const profiling = options.profile === undefined ? undefined : await openProfile(options.profile);
  const fitting = fitOptions(config, options, vae, data, codec);
  const started = performance.now();
  const seconds = () => (saved?.seconds ?? 0) + (performance.now() - started) / 1000;
  const earlier = saved?.checkpoint.progress.history ?? [];
  const steps = fit({
    ...fitting,
    ...profiling?.options(fitting.train),
    ...keep(workspace, facts, seconds),
    resume: saved?.checkpoint,
    initial: begun?.initial,
    signal,
  });
  let fitted: Fitted;
  try {
    fitted = yield* recording(workspace, earlier, steps);
  } finally {
    await fitting.train.close();
    await steps.return(undefined as never); // whoever stops listening ends the training
  }
  const spent = seconds();
  if (profiling) yield await profiling.finish(fitting.runtime.threads);
  if (fitted.reason === 'stopped') return;
  if (fitted.history.length === 0) {
    throw new UserError('training diverged in its first epoch, so no model was saved');
  }
  yield await save({
    workspace,
    out,
    data,
    config,
    fitted,
    seconds: spent,
    threads: options.threads,
    choices,
    from,
  });
}

/**
 * Passes events on, with a line of history.jsonl for each epoch. Nothing is written, and so what the run replaces not discarded,
 * before a first step is done, the epoch that a resumed run was at the end of is over, or it is clear that a model will be saved.
 */
async function* recording(
  workspace: Workspace,
  earlier: readonly EpochRecord[],
  steps: AsyncGenerator<FitEvent, Fitted>,
): AsyncGenerator<FitEvent, Fitted> {
  let isBegun = false;
  for (;;) {
    const { done, value } = await steps.next();
    if (!isBegun && (done ? value.history.length > 0 : value.type === 'step' || value.type === 'epoch')) {
      await workspace.truncateHistory(earlier);
      isBegun = true;
    }
    if (done) return value;
    if (value.type === 'epoch') {
      const { type, seconds, ...record } = value;
      await workspace.appendHistory(record);
    }
    yield value;
  }
}

/** What goes with the weights of the model that is replaced or trained further. */
async function samplerNotes(out: string): Promise<string[]> {
  const names = await listSamplers(out).catch(() => []); // damaged ones are of no use either
  if (names.length === 0) return [];
  return [
    `${out} has samplers (${names.join(', ')}) of the weights that it has now; they go where the weights change: fit them again with elbo refit`,
  ];
}

function checkRows({ counts, name }: Dataset): void {
  if (counts.train < 2)
    throw new UserError(`${name}: ${counts.train} rows are left to train on, at least 2 are needed`);
}

function planFor(
  options: ParsedOptions & GivenChoices,
  codec: Codec,
  data: Dataset,
  saved: SavedRun | undefined,
): Plan {
  const modality = options.modality ?? saved?.config.modality;
  const facts = {
    shape: codec.shape,
    fields: codec.parts.length,
    trainRows: data.counts.train,
    condition: codec.conditionSize > 0,
    label: labelPart(codec) !== undefined,
    ...(modality && { modalities: groupsOf(codec, modality).map(groupInWords) }),
  };
  return resolve(options, facts, saved?.config);
}

const groupInWords = ({ name, fields }: Modality): string => `${name} (${fields.join(', ')})`;

function fitOptions(config: TrainConfig, options: ParsedOptions, vae: Vae, data: Dataset, codec: Codec) {
  const { batchSize, seed } = config;
  const runtime = nodeRuntime(options.threads === undefined ? {} : { threads: options.threads });
  const watched = data.counts.validation > 0 ? 'validation' : 'train';
  return {
    ...config,
    vae,
    objective: build('objective', config.objective),
    optimizer: build('optimizer', config.optimizer),
    schedule: build('schedule', config.schedule),
    warmup: build('warmup', config.warmup),
    runtime,
    train: trainingSource(data, codec, { batchSize, seed, threads: runtime.threads }),
    validation: keptSource(fixedSource(data, codec, batchSize, seed, watched), codec),
    checkpointSeconds: options.checkpointSeconds,
  } satisfies Partial<FitOptions>;
}
