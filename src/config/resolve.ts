/** Fills in what the user left open, from the shape and size of the data, and says so in plain sentences. */
import { UserError } from '../errors.ts';
import { clash } from '../vae/index.ts';
import { build, parseChoice, type TableName, tables } from './choices.ts';
import {
  type GivenChoices,
  type ParsedOptions,
  type TrainConfig,
  USUAL_PREDICT_WEIGHT,
  usualPosterior,
} from './options.ts';
import { checkPreset, withPreset } from './presets.ts';

/** What the choices depend on. */
export interface DataFacts {
  /** Of one example: [D] or [H, W, C]. */
  readonly shape: readonly number[];
  readonly fields: number;
  readonly trainRows: number;
  /** Whether something is given. */
  readonly condition?: boolean;
  /** Whether a label is predicted. */
  readonly label?: boolean;
  /** Groups of fields in words, where they were given. */
  readonly modalities?: readonly string[];
}

export interface Plan {
  readonly config: TrainConfig;
  /** One sentence a choice: what, why, and the option that changes it. */
  readonly lines: readonly string[];
}

/** About as many steps as a small model needs, and the fewest epochs. */
const STEPS = { row: 12_000, picture: 3_000 };
const LEAST_EPOCHS = { row: 5, picture: 10 };
/** From so many halvings on, convolutions are normalised: they then learn faster and generalise better (measured). */
const DEEP = 3;
/** At every place of every level. */
const LADDER_LATENT = 8;
const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));
const powerOfTwo = (value: number): number => 2 ** Math.round(Math.log2(value));

/** Channels after each halving until the picture is at most 7 on its shorter side. */
function channelsFor([height, width]: readonly number[]): number[] {
  const channels: number[] = [];
  let side = Math.min(height!, width!);
  while (side > 7 || channels.length === 0) {
    channels.push(Math.min(256, 32 * 2 ** channels.length));
    side = Math.floor(side / 2);
  }
  return channels;
}

function networkFor({ shape, fields }: DataFacts): Record<string, unknown> {
  if (shape.length === 3 && Math.min(shape[0]!, shape[1]!) >= 8) return convFor(channelsFor(shape));
  const inputs = shape.reduce((a, b) => a * b, 1);
  const width = clamp(powerOfTwo(2 * Math.max(inputs, fields)), 64, 512);
  return { kind: 'mlp', hidden: [width, width] };
}

const convFor = (channels: readonly number[]) => ({ kind: 'conv', channels, norm: channels.length >= DEEP });

function latentFor({ shape, fields }: DataFacts): number {
  if (shape.length < 3) return clamp(fields, 2, 64);
  return shape[0]! * shape[1]! * shape[2]! > 1024 ? 128 : 32;
}

/** As many dimensions of the posterior's kind as stand for what the data need. */
function usualLatent(posterior: { readonly kind: string }, facts: DataFacts): number {
  const { dimensions = (real: number) => real } = build('posterior', posterior);
  return dimensions(latentFor(facts));
}

const batchFor = ({ shape, trainRows }: DataFacts): number =>
  clamp(powerOfTwo(trainRows / 100), 16, shape.length === 3 ? 128 : 256);

/**
 * The choices that follow from the data; when a run is resumed, from what it was started with, and then only its
 * length may be changed.
 */
export function resolve(given: ParsedOptions & GivenChoices, facts: DataFacts, saved?: TrainConfig): Plan {
  checkPreset(given.preset, { pictures: facts.shape.length === 3, label: facts.label === true });
  const whole = withPreset(given);
  return saved ? resumed(whole, facts, saved) : fresh(whole, facts);
}

function fresh(given: ParsedOptions & GivenChoices, facts: DataFacts): Plan {
  const kind = facts.shape.length === 3 ? 'picture' : 'row';
  const batchSize = given.batchSize ?? batchFor(facts);
  const steps = Math.max(1, Math.ceil(facts.trainRows / batchSize));
  const epochs = given.epochs ?? clamp(Math.round(STEPS[kind] / steps), LEAST_EPOCHS[kind], 300);
  const pick = <Name extends TableName>(name: Name, suggested: Record<string, unknown>) => {
    const chosen = { ...(given[name] ?? {}) } as Record<string, unknown>;
    const sameKind = chosen['kind'] === undefined || chosen['kind'] === suggested['kind'];
    return parseChoice(name, sameKind ? { ...suggested, ...chosen } : chosen);
  };
  const network = pick('network', networkFor(facts));
  const objective = pick('objective', { kind: 'elbo' });
  const posterior = pick('posterior', facts.modalities ? { kind: 'poe' } : usualPosterior(objective));
  const config: TrainConfig = {
    network,
    latent: given.latent ?? (network.kind === 'ladder' ? LADDER_LATENT : usualLatent(posterior, facts)),
    objective,
    posterior,
    prior: pick('prior', { kind: usualPrior(posterior) }),
    warmup: pick('warmup', { kind: usualWarmup(posterior, objective) }),
    optimizer: pick('optimizer', { kind: 'adam' }),
    schedule: pick('schedule', { kind: 'cosine' }),
    ...(given.likelihood && { likelihood: parseChoice('likelihood', given.likelihood) }),
    epochs,
    batchSize,
    learningRate: given.learningRate ?? 1e-3,
    clip: given.clip,
    skip: given.skip,
    ema: given.ema,
    ...predictWeight(given, facts),
    ...(given.modality && { modality: given.modality }),
    patience: given.patience ?? Math.max(5, Math.ceil(epochs / 10)),
    seed: given.seed ?? 0,
    splitSeed: given.splitSeed,
    validation: given.validation ?? (given.validationData === undefined ? 0.1 : 0),
    test: given.test ?? (given.testData === undefined ? 0.1 : 0),
    limit: given.limit,
    label: given.label,
  };
  refuseClash(config, facts);
  return { config, lines: sentences(config, given, facts) };
}

function predictWeight({ predictWeight: asked }: ParsedOptions, { label }: DataFacts) {
  if (label) return { predictWeight: asked ?? USUAL_PREDICT_WEIGHT };
  if (asked === undefined) return {};
  throw new UserError('--predict-weight is for a label: name one with --predict');
}

/** Experts are given up early where the KL has its full weight from the start. */
const usualWarmup = (posterior: TrainConfig['posterior'], objective: TrainConfig['objective']): string =>
  build('posterior', posterior).experts && build('objective', objective).beta > 0 ? 'linear' : 'none';

/** The first prior over what the posterior gives. */
function usualPrior(posterior: TrainConfig['posterior']): string {
  const { space } = build('posterior', posterior);
  const found = Object.keys(tables.prior).find(
    (kind) => build('prior', parseChoice('prior', { kind })).space === space,
  );
  return found!;
}

function refuseClash(
  { network, posterior, prior, objective, warmup }: TrainConfig,
  { shape, fields, condition = false, label = false, modalities }: DataFacts,
): void {
  const why = clash({
    network: build('network', network),
    posterior: build('posterior', posterior),
    prior: build('prior', prior),
    objective: build('objective', objective),
    shape,
    condition,
    label,
    modalities: modalities?.length ?? fields,
    warmedUp: warmup.kind !== 'none',
  });
  if (modalities && !build('posterior', posterior).experts)
    throw new UserError(
      `posterior "${posterior.kind}" has one encoder, and --modality gives each group its own: choose --posterior poe, moe or mopoe`,
    );
  if (why)
    throw new UserError(
      `posterior "${posterior.kind}", prior "${prior.kind}" and objective "${objective.kind}": ${why}`,
    );
}

function resumed(given: ParsedOptions & GivenChoices, facts: DataFacts, saved: TrainConfig): Plan {
  for (const name of Object.keys(tables) as TableName[]) {
    const asked = given[name];
    if (asked) refuseChange(name, { ...saved[name], ...asked }, saved[name]);
  }
  const fixed = [
    'latent',
    'batchSize',
    'learningRate',
    'clip',
    'skip',
    'ema',
    'modality',
    'predictWeight',
    'seed',
    'splitSeed',
    'validation',
    'test',
    'limit',
    'label',
  ] as const;
  for (const name of fixed) if (given[name] !== undefined) refuseChange(name, given[name], saved[name]);
  const { epochs = saved.epochs, patience = saved.patience } = given;
  const config = { ...saved, epochs, patience };
  return { config, lines: sentences(config, given, facts) };
}

function refuseChange(name: string, asked: unknown, saved: unknown): void {
  if (JSON.stringify(asked) === JSON.stringify(saved)) return;
  throw new UserError(
    `${name}: given ${JSON.stringify(asked)}, but the run to be resumed has ${JSON.stringify(saved)}; ` +
      'only --epochs and --patience may change (leave the option out, or train anew with --overwrite)',
  );
}

/** `mlp, hidden 256,256` */
function show({ kind, ...options }: { readonly kind: string }): string {
  const shown = Object.entries(options).filter(
    ([, value]) => value !== undefined && value !== false && value !== 0,
  );
  return [kind, ...shown.map(([name, value]) => (value === true ? name : `${name} ${value}`))].join(', ');
}

const unusual = ({ posterior, prior }: TrainConfig): boolean =>
  posterior.kind !== 'gaussian' || prior.kind !== 'normal';

function sentences(
  config: TrainConfig,
  given: ParsedOptions & GivenChoices,
  { modalities = [] }: DataFacts,
): string[] {
  const line = (what: string, value: string, flags: string, chosen: boolean) =>
    `${what}: ${value}  (${chosen ? 'as asked' : flags})`;
  const choice = (name: TableName, flags: string) =>
    line(name, show(config[name]!), flags, given[name] !== undefined);
  return [
    choice('network', '--network, --hidden, --channels, --levels'),
    line('latent', `${config.latent} dimensions`, '--latent', given.latent !== undefined),
    choice('objective', '--objective, --beta, --free-bits'),
    ...(unusual(config) ? [choice('posterior', '--posterior'), choice('prior', '--prior')] : []),
    ...(modalities.length > 0 ? [line('modalities', modalities.join('; '), '--modality', true)] : []),
    ...(config.likelihood ? [choice('likelihood', '--likelihood')] : []),
    ...(config.predictWeight === undefined
      ? []
      : [
          line(
            'labels',
            `known ones weigh ${config.predictWeight}, the others are inferred`,
            '--predict-weight',
            given.predictWeight !== undefined,
          ),
        ]),
    ...(config.warmup.kind === 'none' ? [] : [choice('warmup', '--warmup')]),
    `optimizer: ${show(config.optimizer)}, rate ${config.learningRate} ${show(config.schedule)}  (--optimizer, --learning-rate, --schedule)`,
    line('batches', `${config.batchSize} examples`, '--batch-size', given.batchSize !== undefined),
    line(
      'epochs',
      `${config.epochs}, ending early after ${config.patience} without improvement`,
      '--epochs, --patience',
      given.epochs !== undefined,
    ),
  ];
}
