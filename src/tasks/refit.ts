/** `refit`: a sampler fitted to what the encoder makes of the data, to sample from in place of the prior. */
import { buildSampler, type GivenSampler, parseSampler } from '../config/index.ts';
import type { Dataset, Split } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { packageVersion, type SamplerFile, writeSampler } from '../model/index.ts';
import { type FitProgress, meanOf, type RowForm, type Tensors } from '../samplers/index.ts';
import { isPoint } from '../vae/index.ts';
import { isConditional } from './conditions.ts';
import { latentRows, priorLogProbs, rowForm } from './latents.ts';
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
  const config = parseSampler(sampler, model.vae.spec.posterior.space);
  const family = familyFor(model, config);
  const form = rowForm(model);
  const data = await openFor(model, path);
  try {
    const { train, validation, splits } = await rowsOf(model, data, count, seed);
    const rows = { train: train.length / form.width, validation: validation.length / form.width };
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

type Family = ReturnType<typeof buildSampler>;

function familyFor(model: Model, config: { readonly kind: string }): Family {
  const family = buildSampler(config);
  const { space } = model.vae.spec.posterior;
  if (family.space !== space)
    throw new UserError(
      `sampler "${config.kind}" is not for the latent variables of posterior "${model.config.posterior.kind}"`,
    );
  const why = isConditional(model)
    ? 'the model is given some of its fields, and a sampler would not see them'
    : family.refuses(rowForm(model));
  if (why) throw new UserError(`sampler "${config.kind}": ${why}`);
  return family;
}

interface FitRows {
  readonly train: Float32Array;
  readonly validation: Float32Array;
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
  return { ...heldBack(all, rowForm(model).width, data.name), splits: 'rows held back, every tenth' };
}

function heldBack(all: Float32Array, width: number, name: string) {
  const numbers = [...Array(all.length / width).keys()];
  if (numbers.length < 2) throw new UserError(`${name}: ${numbers.length} rows, at least 2 are needed`);
  const pick = (some: readonly number[]) => {
    const out = new Float32Array(some.length * width);
    some.forEach((row, i) => {
      out.set(all.subarray(row * width, (row + 1) * width), i * width);
    });
    return out;
  };
  return {
    train: pick(numbers.filter((row) => row % 10 !== 0)),
    validation: pick(numbers.filter((row) => row % 10 === 0)),
  };
}

/** −log p(z) on rows that were held back; and beside that of the prior, which tells what the ELBO gains. */
async function measure(
  model: Model,
  family: Family,
  tensors: Tensors,
  validation: Float32Array,
  splits: string,
): Promise<SamplerFile['figures']> {
  const form = rowForm(model);
  const sampler = await family.open(tensors, form, model.runtime);
  try {
    const own = -meanOf(await sampler.logProbs(validation));
    const protocol = `mean over ${validation.length / form.width} ${splits}, one z each, nats an example`;
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
