/**
 * Training happens in `<out>.training` beside `<out>` and is published by renames, so that at every instant a complete
 * model, the old or the new one, can be loaded.
 */
import { appendFile, mkdir, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { explained } from '../data/file-errors.ts';
import { readWhole } from '../data/read-whole.ts';
import { UserError } from '../errors.ts';
import { flushFolder, isTemporary, makeFolder, sweepTemporaries, writeAtomic } from './files.ts';
import * as layout from './layout.ts';
import { acquireLock, type Lock } from './lock.ts';
import { sha256 } from './model-file.ts';
import { readSafetensors } from './safetensors.ts';
import { copySamplers } from './sampler-file.ts';

/** What was there before, an unfinished run too, stays as it is until the first call that writes. */
export interface Workspace {
  /** The folder of the unfinished run. */
  readonly path: string;
  /** That of the run, or of the finished model, to go on from. */
  readCheckpoint(): Promise<{ readonly path: string; readonly bytes: Uint8Array } | undefined>;
  /** Atomic; metadata `step` of the safetensors is what messages call the run's step. */
  saveCheckpoint(bytes: Uint8Array): Promise<void>;
  appendHistory(record: object): Promise<void>;
  /** History begins anew with what the checkpoint knows. */
  truncateHistory(records: readonly object[]): Promise<void>;
  /** Writes these files beside checkpoint and history and swaps the folder in; gives its path. The run is over then. */
  publish(files: Readonly<Record<string, Uint8Array | string>>): Promise<string>;
  /** Lets go of the lock; a run without a checkpoint of its own leaves nothing behind. */
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
  const lock = await acquireLock(path, layout.lockPath(path));
  try {
    const from = await explained('prepare', path, () => prepare(path, options));
    return workspace(path, lock, from);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

function checkPath(path: string, { resume, overwrite }: OpenOptions): void {
  if (resume && overwrite)
    throw new UserError('--resume goes on with a run, --overwrite discards it: give one of them');
  if (!relative(path, process.cwd()).startsWith('..'))
    throw new UserError(
      `the model folder ${path} holds the current folder: give it a name, as in --out model`,
    );
}

/** Refuses, or gives the folder to go on from: that of the unfinished run or of the model; undefined for a new run. */
async function prepare(out: string, { resume, overwrite }: OpenOptions): Promise<string | undefined> {
  if (await layout.isSwapInterrupted(out)) await layout.finishSwap(out);
  const found = await layout.look(out);
  if (found === 'model') await layout.dropReplaced(out);
  const folder = layout.trainingPath(out);
  const step = await unfinishedStep(folder);
  if (found === 'other')
    throw new UserError(
      `${out} exists and is not an Elbo model: it is left alone. Choose another folder with --out`,
    );
  if (!resume && !overwrite) refuse(out, found === 'model', step);
  if (!resume) return undefined;
  if (step === undefined) return resumable(out, found === 'model');
  await sweepTemporaries(folder);
  await sweepTemporaries(join(folder, layout.CHECKPOINT_FOLDER));
  return folder;
}

/** Where there is no unfinished run: the model; undefined for a run that was killed before its first checkpoint. */
async function resumable(out: string, isModel: boolean): Promise<string | undefined> {
  if (isModel) {
    if (await layout.exists(join(out, layout.CHECKPOINT_FILE))) return out;
    throw new UserError(`${out} has no checkpoint to go on from: --overwrite trains anew`);
  }
  if (await layout.exists(layout.trainingPath(out))) return undefined;
  throw new UserError(
    `there is no run to resume at ${out}: leave out --resume to begin one, or name the folder of the run with --out`,
  );
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
  const foreign = names === 'file' ? 'a file' : await foreignName(folder, names);
  if (foreign !== undefined)
    throw new UserError(
      `${folder} exists and is not an Elbo run (it ${names === 'file' ? 'is' : 'has'} ${foreign}). ` +
        'Move that away or choose another folder with --out',
    );
  if (!(await layout.exists(join(folder, layout.CHECKPOINT_FILE)))) return undefined;
  try {
    const { metadata } = readSafetensors(await readWhole(join(folder, layout.CHECKPOINT_FILE)));
    return metadata['step'] ? ` at step ${metadata['step']}` : '';
  } catch {
    return '';
  }
}

/** What a folder has that no run writes: such a folder is not ours to delete. */
async function foreignName(folder: string, names: readonly string[]): Promise<string | undefined> {
  const inside = await layout.list(join(folder, layout.CHECKPOINT_FOLDER));
  if (inside === 'file') return layout.CHECKPOINT_FOLDER;
  const isForeign = (known: readonly string[]) => (name: string) =>
    !known.includes(name) && !isTemporary(name);
  const foreign = inside?.find(isForeign([layout.STATE_FILE]));
  return foreign === undefined
    ? names.find(isForeign(layout.MEMBERS))
    : join(layout.CHECKPOINT_FOLDER, foreign);
}

/** A run folder that is empty, or has the checkpoint of the finished model `from`. */
async function startAfresh(folder: string, from: string | undefined): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, layout.CHECKPOINT_FOLDER), { recursive: true });
  if (from === undefined) return;
  const state = await readWhole(join(from, layout.CHECKPOINT_FILE));
  await writeAtomic(join(folder, layout.CHECKPOINT_FILE), state);
}

function workspace(out: string, lock: Lock, from: string | undefined): Workspace {
  const folder = layout.trainingPath(out);
  const history = join(folder, layout.HISTORY_FILE);
  const checkpoint = join(folder, layout.CHECKPOINT_FILE);
  let beginning: Promise<void> | undefined;
  let isKept = from === folder; // else nothing is lost with the folder
  const begin = async (): Promise<void> => {
    lock.check();
    beginning ??=
      from === folder ? Promise.resolve() : explained('prepare', folder, () => startAfresh(folder, from));
    await beginning;
  };
  return {
    path: folder,
    readCheckpoint: async () => {
      if (from === undefined) return undefined;
      const path = join(from, layout.CHECKPOINT_FILE);
      return { path, bytes: await explained('read', path, () => readWhole(path)) };
    },
    saveCheckpoint: async (bytes) => {
      await begin();
      await writeAtomic(checkpoint, bytes);
      isKept = true;
    },
    appendHistory: async (record) => {
      await begin();
      await explained('write', history, () => appendFile(history, `${JSON.stringify(record)}\n`));
    },
    truncateHistory: async (records) => {
      await begin();
      await writeAtomic(history, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    },
    publish: async (files) => {
      await begin();
      isKept = true;
      await copySamplers(out, folder, sha256(files[layout.WEIGHTS_FILE] ?? ''));
      await writeAll(folder, files);
      await explained('replace', out, () => swap(out, folder));
      return out;
    },
    close: async () => {
      if (beginning && !isKept && lock.isHeld()) await rm(folder, { recursive: true, force: true });
      await lock.release();
    },
  };
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
