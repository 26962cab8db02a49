/**
 * Training happens in `<out>.training` beside `<out>` and is published by renames, so that at every instant a complete
 * model, the old or the new one, can be loaded.
 */
import { appendFile, copyFile, mkdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { errorCode, explained, flushFolder, makeFolder, writeAtomic } from './files.ts';
import * as layout from './layout.ts';
import { acquireLock, type Lock } from './lock.ts';
import { readSafetensors } from './safetensors.ts';

export interface Workspace {
  /** The folder of the unfinished run. */
  readonly path: string;
  readCheckpoint(): Promise<Uint8Array | undefined>;
  /** Atomic; metadata `step` of the safetensors is what messages call the run's step. */
  saveCheckpoint(bytes: Uint8Array): Promise<void>;
  /** Whole lines of history.jsonl. */
  readHistory(): Promise<unknown[]>;
  appendHistory(record: object): Promise<void>;
  /** After a resume: history is rewritten to what the checkpoint knows. */
  truncateHistory(records: readonly object[]): Promise<void>;
  /** Writes these files beside checkpoint and history and swaps the folder in; gives its path. The run is over then. */
  publish(files: Readonly<Record<string, Uint8Array | string>>): Promise<string>;
  /** Lets go of the lock; a run without a checkpoint leaves nothing behind. */
  close(): Promise<void>;
}

export interface OpenOptions {
  resume?: boolean | undefined;
  overwrite?: boolean | undefined;
}

/** Claims `out` for one training run, or says why not and what to type. Nothing of the user's is touched on refusal. */
export async function openWorkspace(out: string, options: OpenOptions = {}): Promise<Workspace> {
  const path = resolve(out);
  checkPath(path, options);
  await makeFolder(dirname(path));
  const folder = layout.trainingPath(path);
  const lock = await acquireLock(path, layout.lockPath(path));
  try {
    await explained('prepare', path, () => prepare(path, options));
  } catch (error) {
    await lock.release();
    throw error;
  }
  return workspace(path, folder, lock);
}

function checkPath(path: string, { resume, overwrite }: OpenOptions): void {
  if (resume && overwrite)
    throw new UserError('--resume goes on with a run, --overwrite discards it: give one of them');
  if (!relative(path, process.cwd()).startsWith('..'))
    throw new UserError(
      `the model folder ${path} holds the current folder: give it a name, as in --out model`,
    );
}

async function prepare(out: string, { resume, overwrite }: OpenOptions): Promise<void> {
  if (await layout.isSwapInterrupted(out)) await layout.finishSwap(out);
  const found = await layout.look(out);
  if (found === 'model') await rm(layout.replacedPath(out), { recursive: true, force: true });
  const step = await unfinishedStep(layout.trainingPath(out));
  if (found === 'other')
    throw new UserError(
      `${out} exists and is not an Elbo model: it is left alone. Choose another folder with --out`,
    );
  if (!resume && !overwrite) refuse(out, found === 'model', step);
  if (resume && step !== undefined) return;
  await startAfresh(out, Boolean(resume) && found === 'model');
}

function refuse(out: string, isModel: boolean, step: string | undefined): void {
  if (step !== undefined)
    throw new UserError(
      `${layout.trainingPath(out)} holds an unfinished run${step}: --resume continues it, --overwrite discards it`,
    );
  if (isModel)
    throw new UserError(
      `${out} already holds a model: --overwrite replaces it, --resume trains it further, --out names another folder`,
    );
}

/** ' at step N' of the run in `folder`, '' if it cannot be told, undefined if there is none worth keeping. */
async function unfinishedStep(folder: string): Promise<string | undefined> {
  const names = await layout.list(folder);
  if (names === undefined || names.length === 0) return undefined;
  if (names === 'file' || !isOurs(names))
    throw new UserError(
      `${folder} exists and is not an Elbo run. Move it away or choose another folder with --out`,
    );
  if (!(await layout.exists(join(folder, layout.CHECKPOINT_FILE)))) return undefined;
  try {
    const { metadata } = readSafetensors(await readFile(join(folder, layout.CHECKPOINT_FILE)));
    return metadata['step'] ? ` at step ${metadata['step']}` : '';
  } catch {
    return '';
  }
}

/** Every run has a checkpoint folder, unless it was killed while being deleted. */
const isOurs = (names: readonly string[]): boolean =>
  names.includes('checkpoint') || names.every((name) => layout.MEMBERS.includes(name));

/** An empty run folder, or one that goes on from the finished model in `out`. */
async function startAfresh(out: string, fromModel: boolean): Promise<void> {
  const folder = layout.trainingPath(out);
  const checkpoint = join(out, layout.CHECKPOINT_FILE);
  if (fromModel && !(await layout.exists(checkpoint)))
    throw new UserError(`${out} has no checkpoint to go on from: --overwrite trains anew`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, 'checkpoint'), { recursive: true });
  if (!fromModel) return;
  await copyIfThere(join(out, layout.HISTORY_FILE), join(folder, layout.HISTORY_FILE));
  await writeAtomic(join(folder, layout.CHECKPOINT_FILE), await readFile(checkpoint)); // last: it makes the run
}

async function copyIfThere(from: string, to: string): Promise<void> {
  if (await layout.exists(from)) await copyFile(from, to);
}

function workspace(out: string, folder: string, lock: Lock): Workspace {
  const history = join(folder, layout.HISTORY_FILE);
  const checkpoint = join(folder, layout.CHECKPOINT_FILE);
  return {
    path: folder,
    readCheckpoint: () => explained('read', checkpoint, () => readIfThere(checkpoint)),
    saveCheckpoint: async (bytes) => {
      lock.check();
      await writeAtomic(checkpoint, bytes);
    },
    readHistory: async () => lines((await readIfThere(history)) ?? new Uint8Array()),
    appendHistory: (record) =>
      explained('write', history, () => appendFile(history, `${JSON.stringify(record)}\n`)),
    truncateHistory: (records) =>
      writeAtomic(history, records.map((record) => `${JSON.stringify(record)}\n`).join('')),
    publish: async (files) => {
      lock.check();
      await writeAll(folder, files);
      await explained('replace', out, () => swap(out, folder));
      return out;
    },
    close: async () => {
      if (!(await layout.exists(checkpoint))) await rm(folder, { recursive: true, force: true });
      await lock.release();
    },
  };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The last line may be half written after a crash: everything before it is kept. */
function lines(bytes: Uint8Array): unknown[] {
  const texts = new TextDecoder().decode(bytes).split('\n').slice(0, -1);
  return texts.map((text) => JSON.parse(text) as unknown);
}

/** model.json comes last: a folder that has it has the rest. */
async function writeAll(folder: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  const { [layout.MODEL_FILE]: model, ...others } = files;
  if (model === undefined) throw new Error(`publish without ${layout.MODEL_FILE}`);
  for (const [name, content] of Object.entries(others)) await writeAtomic(join(folder, name), content);
  await writeAtomic(join(folder, layout.MODEL_FILE), model);
}

/** Old model into the new folder, new folder into its place, old model deleted. `finishSwap` mends a crash between. */
async function swap(out: string, folder: string): Promise<void> {
  await rm(layout.replacedPath(folder), { recursive: true, force: true });
  const found = await layout.look(out);
  if (found === 'other')
    throw new UserError(`${out} has appeared meanwhile and is not an Elbo model: see ${folder}`);
  if (found === 'empty') await rmdir(out);
  if (found === 'model') await rename(out, layout.replacedPath(folder));
  await flushFolder(folder);
  await layout.finishSwap(out);
}
