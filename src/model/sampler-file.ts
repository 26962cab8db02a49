/**
 * Samplers beside a model, in the folder `samplers` inside it: each one safetensors file that says in its metadata what it
 * is, of which model, and what its tensors' SHA-256 is. A model trained anew has none.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { explained } from '../data/file-errors.ts';
import { UserError } from '../errors.ts';
import { makeFolder, writeAtomic } from './files.ts';
import { FORMAT, list, SAMPLERS_FOLDER } from './layout.ts';
import { type Migrations, migrate, sha256 } from './model-file.ts';
import { readSafetensors, type Tensors, writeSafetensors } from './safetensors.ts';

export const SAMPLER_VERSION = 1;
const migrations: Migrations = {};

const count = z.int().min(0);
const hash = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256');

const samplerFile = z.strictObject({
  format: z.literal(`${FORMAT}-sampler`),
  version: z.literal(SAMPLER_VERSION),
  /** Version of the package that wrote it. */
  elbo: z.string(),
  created: z.iso.datetime(),
  /** The choice and its options; checked by whoever builds the sampler from it. */
  config: z.record(z.string(), z.unknown()),
  /** SHA-256 of the weights of the model whose latent values it was fitted to. */
  weights: hash,
  rows: z.strictObject({ train: count, validation: count }),
  /** Figures with how they were measured. */
  figures: z.record(z.string(), z.strictObject({ value: z.number(), protocol: z.string() })),
  seed: z.int(),
  /** SHA-256 of the tensors, one after the other. */
  tensors: hash,
});

export type SamplerFile = z.output<typeof samplerFile>;

export interface SavedSampler {
  readonly path: string;
  readonly file: SamplerFile;
  readonly tensors: Tensors;
}

const folderOf = (model: string): string => join(model, SAMPLERS_FOLDER);
const pathOf = (model: string, name: string): string => join(folderOf(model), `${name}.safetensors`);

const hashOf = (tensors: Tensors): string => {
  const all = Object.values(tensors).map(
    ({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  );
  return sha256(Buffer.concat(all));
};

/** Writes or replaces the sampler `name` of the model folder `model`; gives its path. */
export async function writeSampler(
  model: string,
  name: string,
  {
    file,
    tensors,
  }: { readonly file: Omit<SamplerFile, 'format' | 'version' | 'tensors'>; readonly tensors: Tensors },
): Promise<string> {
  const whole: SamplerFile = {
    format: `${FORMAT}-sampler`,
    version: SAMPLER_VERSION,
    ...file,
    tensors: hashOf(tensors),
  };
  await makeFolder(folderOf(model));
  await writeAtomic(pathOf(model, name), writeSafetensors(tensors, { sampler: JSON.stringify(whole) }));
  return pathOf(model, name);
}

/** Names of the samplers of a model folder, the newest last. */
export async function listSamplers(model: string): Promise<string[]> {
  const folder = folderOf(model);
  const names = (await explained('read', folder, () => list(folder))) ?? [];
  if (names === 'file') throw new UserError(`${folder} is a file, samplers are kept in a folder`);
  const read = await Promise.all(
    names.flatMap(samplerName).map(async (name) => ({
      name,
      created: (await readSampler(model, name)).file.created,
    })),
  );
  return read.sort((a, b) => (a.created < b.created ? -1 : 1)).map(({ name }) => name);
}

const samplerName = (fileName: string): string[] => /^(\w+)\.safetensors$/.exec(fileName)?.slice(1) ?? [];

/** Takes over from the model folder `from` what was fitted to the weights of this SHA-256; the rest is of no use to `to`. */
export async function copySamplers(from: string, to: string, weights: string): Promise<void> {
  await rm(folderOf(to), { recursive: true, force: true });
  const names = await list(folderOf(from)).catch(() => undefined);
  for (const name of Array.isArray(names) ? names.flatMap(samplerName) : []) {
    const saved = await readSampler(from, name).catch(() => undefined); // a damaged one is of no use either
    if (saved?.file.weights === weights) await writeSampler(to, name, saved);
  }
}

/** The sampler `name` of a model folder, checked whole. */
export async function readSampler(model: string, name: string): Promise<SavedSampler> {
  const path = pathOf(model, name);
  const bytes = await explained('read', path, () => readFile(path));
  const { tensors, metadata } = readSafetensors(bytes, path);
  const file = parseSamplerFile(metadata['sampler'], path);
  if (hashOf(tensors) !== file.tensors)
    throw new UserError(`${path} is damaged: its tensors are not what was saved (their SHA-256 differs)`);
  return { path, file, tensors };
}

function parseSamplerFile(text: string | undefined, path: string): SamplerFile {
  const json = parseJson(text);
  if (json?.['format'] !== `${FORMAT}-sampler`)
    throw new UserError(`${path}: not a sampler that Elbo wrote ("format" is not "${FORMAT}-sampler")`);
  const parsed = samplerFile.safeParse(migrate(json, path, migrations, SAMPLER_VERSION));
  if (!parsed.success) throw new UserError(`${path} is damaged:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function parseJson(text = ''): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
