/** What z is drawn from when a model makes new rows: its prior, or a sampler that was fitted to it since. */
import { buildSampler, parseSampler } from '../config/index.ts';
import { UserError } from '../errors.ts';
import { hashOfWeights, listSamplers, readSampler, type SavedSampler } from '../model/index.ts';
import { type Stream, stream, truncated } from '../random/index.ts';
import type { Values } from '../runtime/index.ts';
import type { Sampler } from '../samplers/index.ts';
import { createBuffers, wanted } from '../train/index.ts';
import { rowForm, toZ } from './latents.ts';
import type { Model } from './model.ts';

export const PRIOR = 'prior';

/** Of a model folder, the newest last. */
export const samplersOf = ({ path }: Model): Promise<string[]> =>
  path === undefined ? Promise.resolve([]) : listSamplers(path);

export interface ZOptions {
  readonly seed: number;
  /** Number of the first row, which keys the noise. */
  readonly at: number;
  readonly temperature: number;
  /** Where the tails of normal numbers begin, which are then left out. */
  readonly truncation?: number | undefined;
  /** What the prior or the sampler is given. */
  readonly feeds?: Values;
}

export interface ZSource {
  /** `prior`, or the name of a sampler. */
  readonly name: string;
  /** z [count, Z]. */
  readonly draw: (count: number, options: ZOptions) => Promise<Float32Array>;
  readonly dispose: () => Promise<void>;
}

/** The name of the source that `asked` means. */
export const zSourceName = async (model: Model, asked?: string): Promise<string> =>
  asked ?? (await samplersOf(model)).at(-1) ?? PRIOR;

/** The source called `asked`; where nothing is asked for, the sampler fitted last, or else the prior. */
export async function openZSource(model: Model, asked?: string): Promise<ZSource> {
  const name = await zSourceName(model, asked);
  if (name === PRIOR) return priorSource(model);
  const found = await samplersOf(model);
  if (!found.includes(name))
    throw new UserError(
      `${model.path ?? model.name} has no sampler "${name}" (it has: ${[PRIOR, ...found].join(', ')}): ` +
        `elbo refit <model> <data> --sampler ${name} fits one`,
    );
  const sampler = await openSampler(model, await readSampler(model.path!, name));
  return {
    name,
    draw: async (count, options) => {
      if (options.truncation !== undefined && !sampler.normal)
        throw new UserError(
          `truncate ${options.truncation}: the draws of sampler "${name}" are not made of normal numbers that could be cut off: leave it out`,
        );
      const given = options.feeds?.['condition']?.data as Float32Array | undefined;
      const random = noiseOf(name, options);
      return toZ(model, await sampler.draw(count, random, options.temperature, given));
    },
    dispose: sampler.dispose,
  };
}

/** The stream called `name`, of the rows from `at` on. */
function noiseOf(name: string, { seed, at, truncation }: ZOptions): Stream {
  const random = stream(seed, `sample ${name}`, at);
  return truncation === undefined ? random : truncated(random, truncation);
}

const priorSource = (model: Model): ZSource => ({
  name: PRIOR,
  draw: async (count, options) => {
    const { temperature, truncation, feeds = {} } = options;
    if ((temperature !== 1 || truncation !== undefined) && model.vae.spec.prior.uniform)
      throw new UserError(
        `${truncation === undefined ? `temperature ${temperature}` : `truncate ${truncation}`}: ` +
          `the prior "${model.config.prior.kind}" has every z alike, and nothing to keep to`,
      );
    const prior = await model.session('prior');
    const buffers = createBuffers(model.vae.spec, prior.noises, count);
    buffers.draw(count, (name) => noiseOf(name, options), temperature);
    const { z } = await prior.run(wanted(prior, { ...buffers.values(count), ...feeds }));
    return z!.data as Float32Array;
  },
  dispose: async () => {},
});

/** By which a sampler knows the model that it was fitted to. */
export const weightsHash = ({ file }: Model): string => hashOfWeights(file!);

/** A saved sampler, checked against the model. */
export async function openSampler(model: Model, { path, file, tensors }: SavedSampler): Promise<Sampler> {
  if (file.weights !== weightsHash(model))
    throw new UserError(
      `${path} was fitted to other weights than the model has: fit it again with elbo refit`,
    );
  const { space } = model.vae.spec.posterior;
  const form = rowForm(model);
  const family = buildSampler(parseSampler(file.config, space), space, form);
  for (const [name, shape] of Object.entries(family.shapes(form))) {
    const has = Object.hasOwn(tensors, name) ? `[${tensors[name]!.shape}]` : 'nothing';
    if (has !== `[${shape}]`) throw new UserError(`${path} has ${has} for "${name}", expected [${shape}]`);
  }
  return family.open(tensors, form, model.runtime);
}
