/** model.json, and reading a model folder: every file checked before anything uses it. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { errorCode, explained } from '../data/file-errors.ts';
import { UserError } from '../errors.ts';
import type { StopReason } from '../train/events.ts';
import * as layout from './layout.ts';
import { acquireLock } from './lock.ts';
import { readSafetensors, type Tensors } from './safetensors.ts';

export const MODEL_VERSION = 1;

const count = z.int().min(0);
const reasons: readonly StopReason[] = ['finished', 'early stopping', 'diverged', 'stopped'];
const fileName = z.string().regex(/^\w[\w.-]*$/, 'not a plain file name');

const modelFile = z.strictObject({
  format: z.literal(layout.FORMAT),
  version: z.literal(MODEL_VERSION),
  /** Version of the package that wrote it. */
  elbo: z.string(),
  created: z.iso.datetime(),
  name: z.string(),
  /** Checked by whoever builds the model from it. */
  config: z.record(z.string(), z.unknown()),
  schema: z.unknown(),
  training: z.strictObject({
    epochs: count,
    bestEpoch: count,
    steps: count,
    seconds: z.number().min(0),
    reason: z.enum(reasons),
    /** Rows per split. */
    rows: z.record(z.string(), count),
    /** SHA-256 of the first training rows as the model sees them, by which the data is known again. */
    start: z.string().optional(),
    /** SHA-256 of the weights that it began with, where they were another model's. */
    from: z.string().optional(),
  }),
  /** Figures with how they were measured. */
  metrics: z.record(z.string(), z.strictObject({ value: z.number(), protocol: z.string() })),
  seed: z.int(),
  parameters: count,
  /** SHA-256 of each file, in hexadecimal. */
  files: z.record(fileName, z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256')),
});

export type ModelFile = z.output<typeof modelFile>;

/** SHA-256 of the weights: by it a model is known again. */
export const hashOfWeights = ({ files }: ModelFile): string => files[layout.WEIGHTS_FILE]!;

/** From a version of the format to the next one, by the former: a model saved by an older Elbo still loads. */
export type Migrations = Readonly<Record<number, (json: Record<string, unknown>) => Record<string, unknown>>>;
const migrations: Migrations = {};

export const sha256 = (content: Uint8Array | string): string =>
  createHash('sha256').update(content).digest('hex');

/** Checks the JSON of a model.json, brought up to date first. `name` is what errors call it. */
export function parseModelFile(json: unknown, name: string): ModelFile {
  const record = json as Record<string, unknown> | null;
  if (typeof record !== 'object' || record?.['format'] !== layout.FORMAT)
    throw new UserError(`${name}: not an Elbo model ("format" is not "${layout.FORMAT}")`);
  const parsed = modelFile.safeParse(migrate(record, name));
  if (!parsed.success) throw new UserError(`${name} is damaged:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/** Applies the migrations from the version of `json` up to `current`. */
export function migrate(
  json: Record<string, unknown>,
  name: string,
  steps: Migrations = migrations,
  current: number = MODEL_VERSION,
): Record<string, unknown> {
  const version = json['version'];
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    throw new UserError(
      `${name} is damaged: version ${JSON.stringify(version)} is not a whole number from 1`,
    );
  if (version > current)
    throw new UserError(
      `${name} was written by a newer Elbo (format ${version}, this one reads up to ${current}): ` +
        'upgrade with npm install elbo-vae@latest',
    );
  if (version === current) return json;
  const step = steps[version];
  if (!step) throw new UserError(`${name}: no way is known from format ${version} to ${current}`);
  return migrate({ ...step(json), version: version + 1 }, name, steps, current);
}

export interface ModelFolder {
  /** Absolute. */
  readonly path: string;
  readonly file: ModelFile;
  readonly weights: Tensors;
  /** A file listed in model.json, its hash checked. */
  read(name: string): Promise<Uint8Array>;
}

/** Opens a model folder: version, hashes and weights are checked; nothing in it is ever run. */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const path = resolve(folder);
  for (let attempt = 0; ; attempt++) {
    await mend(path);
    const before = await readModelText(path);
    try {
      return await readContent(path, before);
    } catch (error) {
      // A run that publishes just now swaps the folder between two reads: then model.json differs.
      const after = await readModelText(path).catch(() => undefined);
      if (after === before || attempt === 20) throw error;
    }
  }
}

async function readContent(path: string, text: string): Promise<ModelFolder> {
  const name = join(path, layout.MODEL_FILE);
  const file = parseModelFile(parseJson(text, name), name);
  const read = (member: string) => readMember(path, file, member);
  const weights = readSafetensors(await read(layout.WEIGHTS_FILE), join(path, layout.WEIGHTS_FILE));
  return { path, file, weights: weights.tensors, read };
}

/** Finishes a swap that a crash has interrupted; one that goes on at this moment is waited for. */
async function mend(path: string): Promise<void> {
  for (let i = 0; i < 40 && (await layout.isSwapInterrupted(path)); i++) {
    const lock = await acquireLock(path, layout.lockPath(path)).catch(() => undefined);
    if (lock && (await layout.isSwapInterrupted(path))) await layout.finishSwap(path);
    await lock?.release();
    if (!lock) await sleep(50);
  }
}

async function readModelText(path: string): Promise<string> {
  const name = join(path, layout.MODEL_FILE);
  return explained('read', name, async () => {
    try {
      return await readFile(name, 'utf8');
    } catch (error) {
      throw errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR' ? await notThere(path) : error;
    }
  });
}

async function notThere(path: string): Promise<UserError> {
  const names = await layout.list(path);
  if (names === 'file') return new UserError(`${path} is a file, a model is a folder`);
  if (names) return new UserError(`${path} is not an Elbo model: it has no ${layout.MODEL_FILE}`);
  const training = layout.trainingPath(path);
  const hint = (await layout.exists(training))
    ? `. Its training is not finished (${training}): elbo train … --resume continues it`
    : '';
  return new UserError(`there is no model at ${path}${hint}`);
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError(`${name} is damaged: not JSON`);
  }
}

async function readMember(path: string, file: ModelFile, name: string): Promise<Uint8Array> {
  const full = join(path, name);
  const expected = Object.hasOwn(file.files, name) ? file.files[name] : undefined;
  if (!expected) throw new UserError(`${join(path, layout.MODEL_FILE)} does not list ${name}`);
  const bytes = await explained('read', full, () => readFile(full)).catch(async (error) => {
    throw (await layout.exists(full)) ? error : new UserError(`${path} is incomplete: ${name} is missing`);
  });
  if (sha256(bytes) !== expected)
    throw new UserError(`${full} is damaged: it is not what was saved (its SHA-256 differs from model.json)`);
  return bytes;
}
