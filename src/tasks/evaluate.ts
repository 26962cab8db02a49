/** `evaluate`: what a model is worth on rows it was not trained on, in figures with 95 % intervals. */
import type { Dataset, Split } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { activeUnits, type BatchSource, type CodeUse, type ElboResult } from '../train/index.ts';
import { diagnose } from './evaluate/diagnosis.ts';
import { disentanglementFindings } from './evaluate/disentanglement.ts';
import { type SpaceName, spaceNames } from './evaluate/features.ts';
import {
  type Findings,
  figuresOf,
  type GroupName,
  groups,
  leftOut,
  type Measured,
  together,
  type Whole,
} from './evaluate/figures.ts';
import { latentFindings, unitFindings } from './evaluate/latent.ts';
import { BATCH, type ElboFindings, elboFindings, importanceFindings } from './evaluate/likelihood.ts';
import { qualityFindings } from './evaluate/quality.ts';
import { type ColumnErrors, reconstructionFindings } from './evaluate/reconstruction.ts';
import { drawSubject, type Tell } from './evaluate/subject.ts';
import type { Model } from './model.ts';
import { countRows, isTrainingData, openFor, type SplitName, splitsFor } from './rows.ts';
import { openZSource } from './samplers.ts';
import { fixedSource } from './source.ts';

export interface EvaluateOptions {
  readonly split?: SplitName;
  /** Importance samples for each row; 0 leaves log p(x) out. */
  readonly samples?: number;
  /** Rows, drawn at random, for all that takes more than one pass; 0 leaves all of that out. */
  readonly rows?: number;
  /** Samples to be compared with as many held-out rows; 0 leaves them out. */
  readonly quality?: number;
  /** Where they are compared: the data's own space, or the codes of the model's encoder. */
  readonly features?: SpaceName;
  /** Where z comes from: `prior`, or the name of a sampler; by default as for `sample`. */
  readonly sampler?: string;
  /** Compare means of p(x|z) in place of draws. */
  readonly mean?: boolean;
  /** Table of factors of variation, a row for each row of the data. */
  readonly factors?: string;
  readonly seed?: number;
  /** Is told how far the evaluation is. */
  readonly progress?: Tell;
}

/** A mean with its 95 % interval over rows. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** What is known of one column of a table. */
export interface ColumnReport extends Partial<ColumnErrors> {
  /** E[log p(x|z)], nats. */
  readonly logPx: number;
  /** Of the distributions of samples and held-out rows. */
  readonly similarity?: Measured;
}

export interface Evaluation extends Whole {
  readonly rows: number;
  /** Findings about the data, in plain words: what could not be read. */
  readonly notes: readonly string[];
  /** Nats an example. */
  readonly negativeElbo: number;
  readonly logPx: number;
  readonly kl: number;
  /** log p(x) in nats an example: a lower bound that grows towards it with the samples. */
  readonly logLikelihood?: Interval & { readonly samples: number };
  readonly klPerDimension: readonly number[];
  readonly activeUnits: number;
  readonly codes?: CodeUse;
  /** E[log p(x|z)] of each field, nats. */
  readonly fields: Readonly<Record<string, number>>;
  /** Of a table: its columns by name. */
  readonly columns: Readonly<Record<string, ColumnReport>>;
  /** What the figures mean together. */
  readonly diagnosis: readonly string[];
  /** How the ELBO was made; `protocols` says it of the other figures. */
  readonly protocol: string;
}

const ROWS = 500;
const QUALITY = 1000;
const FACTOR_ROWS = 5000;

/** Evaluates on the test rows of `path`, or on all of it where it is not the data trained on. */
export async function evaluate(
  model: Model,
  path: string,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const data = await openFor(model, path);
  try {
    return await evaluateData(model, data, { ...options, rows: options.rows ?? ROWS });
  } finally {
    await data.close();
  }
}

interface Setting extends Required<Omit<EvaluateOptions, 'split' | 'factors' | 'sampler'>> {
  readonly splits: readonly Split[];
  readonly factors: string | undefined;
  readonly sampler: string | undefined;
}

/** The ELBO alone, unless `rows` says how many are to be looked at more closely. */
export async function evaluateData(
  model: Model,
  data: Dataset,
  options: EvaluateOptions,
): Promise<Evaluation> {
  const setting = settingOf(model, data, options);
  const { splits, seed, progress, samples } = setting;
  const source = sourceOf(model, data, splits, seed);
  if (source.rows === 0) throw new UserError(`${data.name}: no rows to evaluate`);
  const elbo = await elboFindings(model, source, seed, progress);
  const units = unitFindings(model, elbo.klByDimension, elbo.result);
  const further = setting.rows > 0 ? await furtherFindings(model, data, setting, elbo) : withoutRows(model);
  const whole = together([...further.findings, elbo, units]);
  return {
    ...oldFigures(elbo.result, whole, samples),
    ...whole,
    columns: columnsOf(elbo.result, further),
    notes: data.notes,
    diagnosis: diagnose(whole.figures),
    protocol: protocol(model, data, splits, elbo.result.rows, seed),
  };
}

function settingOf(model: Model, data: Dataset, options: EvaluateOptions): Setting {
  const { split = 'test', samples = 100, rows = 0, quality = QUALITY, seed = 0 } = options;
  const { features = 'data', mean = false, factors, sampler, progress = () => {} } = options;
  for (const [name, value] of Object.entries({ samples, rows, quality }))
    if (!(Number.isInteger(value) && value >= 0))
      throw new UserError(`${name} ${value}: expected a whole number from 0`);
  if (!spaceNames.includes(features))
    throw new UserError(`features ${features}: expected ${spaceNames.join(' or ')}`);
  return {
    splits: splitsFor(model, data, split),
    samples,
    rows,
    quality,
    features,
    mean,
    factors,
    sampler,
    seed,
    progress,
  };
}

interface Further {
  readonly findings: readonly Findings[];
  readonly errors: Readonly<Record<string, ColumnErrors>>;
  readonly similarity: Readonly<Record<string, Measured>>;
}

/** All that needs some rows more than once. */
async function furtherFindings(
  model: Model,
  data: Dataset,
  setting: Setting,
  { figures: { negativeElbo } }: ElboFindings,
): Promise<Further> {
  const { splits, samples, rows, quality, features, mean, factors, sampler, seed, progress } = setting;
  const source = await openZSource(model, sampler);
  try {
    const subject = await drawSubject(model, data, splits, { most: rows, seed });
    const importance = await importanceFindings(model, subject, { samples, seed, negativeElbo }, progress);
    const latent = await latentFindings(model, subject, { seed, source }, progress);
    const reconstruction = await reconstructionFindings(model, subject, seed, progress);
    const comparison = { count: quality, features, mean, source, seed };
    const compared = await qualityFindings(model, data, splits, comparison, progress);
    const known = { path: factors, rows: Math.max(rows, FACTOR_ROWS), seed };
    const disentangled = await disentanglementFindings(model, data, splits, known, progress);
    return {
      findings: [importance, latent, reconstruction, compared, disentangled],
      errors: reconstruction.columns,
      similarity: compared.similarity,
    };
  } finally {
    await source.dispose();
  }
}

function withoutRows({ codec }: Model): Further {
  const names = (Object.keys(groups) as GroupName[])
    .filter((name) => name !== 'label')
    .flatMap((name) => figuresOf(name, codec));
  return { findings: [leftOut(names, '--rows 0')], errors: {}, similarity: {} };
}

const sourceOf = ({ codec }: Model, data: Dataset, splits: readonly Split[], seed: number): BatchSource => ({
  rows: countRows(data, splits),
  batches: async function* () {
    for (const split of splits) yield* fixedSource(data, codec, BATCH, seed, split).batches(0, 0);
  },
});

function oldFigures(result: ElboResult, { figures }: Whole, samples: number) {
  const { rows, negativeElbo, logPx, kl, klPerDimension, fields, codes } = result;
  const bound = figures.logLikelihood;
  return {
    rows,
    negativeElbo,
    logPx,
    kl,
    klPerDimension,
    activeUnits: activeUnits(klPerDimension),
    ...(codes && { codes }),
    fields,
    ...(bound && { logLikelihood: { mean: bound.value, low: bound.low!, high: bound.high!, samples } }),
  };
}

function columnsOf({ fields }: ElboResult, { errors, similarity }: Further): Evaluation['columns'] {
  const entries = Object.entries(fields).map(([name, logPx]): [string, ColumnReport] => [
    name,
    { logPx, ...errors[name], ...(similarity[name] && { similarity: similarity[name] }) },
  ]);
  return Object.fromEntries(Object.keys(errors).length > 0 ? entries : []);
}

function protocol(model: Model, data: Dataset, splits: readonly Split[], rows: number, seed: number): string {
  const which = splits.length > 1 ? 'all ' : `${splits[0]} `;
  const whose = isTrainingData(model, data) ? '' : ` of ${data.name}, which is not the data trained on`;
  const field = model.schema.fields.find((f) => f.type === 'image');
  const drawn =
    field?.role === 'model' && field.type === 'image' && field.binarize !== 'none'
      ? ', pixels binarised once by the seed'
      : '';
  const quantile = model.schema.fields.some((f) => 'transform' in f && f.transform.kind === 'quantile');
  const scale = quantile ? '; numbers as normal scores, so densities are on that scale' : '';
  const counted = `${rows.toLocaleString('en')} ${whose ? '' : which}${rows === 1 ? 'row' : 'rows'}${whose}`;
  return `${counted}, one sample of z each, seed ${seed}${drawn}; nats an example${scale}`;
}
