/** `refit`: a sampler fitted to what the encoder makes of the data, to sample from in place of the prior. */
import { buildSampler, type GivenSampler, parseSampler } from '../config/index.ts';
import type { Dataset, Split } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { packageVersion, type SamplerFile, writeSampler } from '../model/index.ts';
import {
  type FitProgress,
  type LatentRows,
  meanOf,
  type RowForm,
  type SamplerFamily,
  type Tensors,
} from '../samplers/index.ts';
import { isPoint } from '../vae/index.ts';
import { countOf, latentRows, pickRows, priorLogProbs, rowForm } from './latents.ts';
import type { Model } from './model.ts';
import { isTrainingData, openFor } from './rows.ts';
import { weightsHash } from './samplers.ts';

export interface RefitOptions {
  /** What is fitted, and how; by default the first sampler that is for the model's latent variables. */
  readonly sampler?: GivenSampler;
  /** Training rows at most. */
  readonly count?: number;
  readonly seed?: number;
  /** The fit ends with what it has soon after this becomes true. */
  readonly signal?: { readonly aborted: boolean };
}

/** What will be fitted to what. */
export interface RefitPlan {
  readonly type: 'plan';
  readonly sampler: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly rows: { readonly train: number; readonly validation: number };
  /** Of a row: latent dimensions, or symbols of so many entries. */
  readonly form: RowForm;
}

export interface RefitSaved {
  readonly type: 'saved';
  readonly path: string;
  readonly figures: SamplerFile['figures'];
}

export type RefitEvent = RefitPlan | FitProgress | RefitSaved;

const MOST = { train: 100_000, validation: 10_000 };

/** Fits a sampler and writes it into the model's folder; yields what happens. */
export async function* refit(
  model: Model,
  path: string,
  { sampler = {}, count = MOST.train, seed = 0, signal }: RefitOptions = {},
): AsyncGenerator<RefitEvent> {
  if (model.path === undefined) throw new Error('refit of a model that is not saved');
  if (!(Number.isInteger(count) && count >= 2))
    throw new UserError(`count ${count}: expected a whole number from 2`);
  const { space } = model.vae.spec.posterior;
  const config = parseSampler(sampler, space);
  const form = rowForm(model);
  const family = buildSampler(config, space, form);
  const data = await openFor(model, path);
  try {
    const { train, validation, splits } = await rowsOf(model, data, count, seed);
    const rows = { train: countOf(train, form), validation: countOf(validation, form) };
    yield { type: 'plan', sampler: config.kind, config: { ...config }, rows, form };
    const tensors = yield* family.fit({ form, train, validation, seed, signal, runtime: model.runtime });
    const figures = await measure(model, family, tensors, validation, splits);
    const file = {
      elbo: packageVersion(),
      created: new Date().toISOString(),
      config: { ...config },
      weights: weightsHash(model),
      rows,
      figures,
      seed,
    };
    yield { type: 'saved', path: await writeSampler(model.path, config.kind, { file, tensors }), figures };
  } finally {
    await data.close();
  }
}

interface FitRows {
  readonly train: LatentRows;
  readonly validation: LatentRows;
  /** What the validation rows are, in words. */
  readonly splits: string;
}

/** Training and validation rows of the data that the model was trained on; of other data, or without validation rows, every tenth is held back. */
async function rowsOf(model: Model, data: Dataset, count: number, seed: number): Promise<FitRows> {
  const rows = (splits: readonly Split[], most: number) =>
    latentRows(model, data, splits, { count: most, seed });
  const same = isTrainingData(model, data);
  if (same && data.counts.validation > 0)
    return {
      train: await rows(['train'], count),
      validation: await rows(['validation'], MOST.validation),
      splits: 'validation rows',
    };
  const all = await rows(same ? ['train'] : ['train', 'validation', 'test'], count);
  return { ...heldBack(all, rowForm(model), data.name), splits: 'rows held back, every tenth' };
}

function heldBack(all: LatentRows, form: RowForm, name: string) {
  const numbers = [...Array(countOf(all, form)).keys()];
  if (numbers.length < 2) throw new UserError(`${name}: ${numbers.length} rows, at least 2 are needed`);
  const pick = (wanted: (row: number) => boolean) => pickRows(all, form, numbers.filter(wanted));
  return { train: pick((row) => row % 10 !== 0), validation: pick((row) => row % 10 === 0) };
}

/** −log p(z) on rows that were held back; and beside that of the prior, which tells what the ELBO gains. */
async function measure(
  model: Model,
  family: SamplerFamily,
  tensors: Tensors,
  validation: LatentRows,
  splits: string,
): Promise<SamplerFile['figures']> {
  const form = rowForm(model);
  const sampler = await family.open(tensors, form, model.runtime);
  try {
    const own = -meanOf(await sampler.logProbs(validation));
    const estimate = sampler.estimate ? `; ${sampler.estimate}` : '';
    const protocol = `mean over ${countOf(validation, form)} ${splits}, one z each, nats an example${estimate}`;
    if (isPoint(model.vae.spec.posterior)) return { '−log p(z)': { value: own, protocol } };
    const before = -meanOf(await priorLogProbs(model, validation));
    return {
      '−log p(z)': { value: own, protocol },
      '−log p(z) of the prior': { value: before, protocol },
      'ELBO gained': { value: before - own, protocol },
    };
  } finally {
    await sampler.dispose();
  }
}
