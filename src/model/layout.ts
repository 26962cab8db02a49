/** Names inside and beside a model folder, and what is found there now. */
import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { errorCode } from '../data/file-errors.ts';
import { flushFolder, isTemporary } from './files.ts';

export const MODEL_FILE = 'model.json';
export const WEIGHTS_FILE = 'weights.safetensors';
export const HISTORY_FILE = 'history.jsonl';
export const SAMPLERS_FOLDER = 'samplers';
export const CHECKPOINT_FOLDER = 'checkpoint';
export const STATE_FILE = 'state.safetensors';
export const CHECKPOINT_FILE = join(CHECKPOINT_FOLDER, STATE_FILE);
/** What a model folder consists of. */
export const MEMBERS: readonly string[] = [
  MODEL_FILE,
  WEIGHTS_FILE,
  HISTORY_FILE,
  CHECKPOINT_FOLDER,
  'encoder.onnx',
  'decoder.onnx',
  'conditions.json',
  'report.html',
  'replaced',
  SAMPLERS_FOLDER,
];
export const FORMAT = 'elbo-model';

export const trainingPath = (out: string): string => `${out}.training`;
export const lockPath = (out: string): string => `${out}.training.lock`;
/** Where the former model waits during a swap: its presence says that everything around it is complete. */
export const replacedPath = (folder: string): string => join(folder, 'replaced');

/** What stands at a path where a model should go. */
export type Found = 'nothing' | 'empty' | 'model' | 'other';

export async function look(path: string): Promise<Found> {
  const names = await list(path);
  if (names === undefined) return 'nothing';
  if (names === 'file') return 'other';
  if (names.length === 0) return 'empty';
  return (await isModel(path)) ? 'model' : 'other';
}

/** Names in a folder; 'file' if it is none, undefined if there is nothing. */
export async function list(path: string): Promise<string[] | 'file' | undefined> {
  try {
    return await readdir(path);
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return 'file';
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function isModel(path: string): Promise<boolean> {
  try {
    const json: unknown = JSON.parse(await readFile(join(path, MODEL_FILE), 'utf8'));
    return (json as { format?: unknown } | null)?.format === FORMAT;
  } catch {
    return false;
  }
}

export const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Whether a crash has left `out` moved aside, with its successor complete but not yet in its place. */
export const isSwapInterrupted = async (out: string): Promise<boolean> =>
  !(await exists(out)) && (await exists(replacedPath(trainingPath(out))));

/** Puts the complete training folder in the place of `out`, whose former content is gone or inside as `replaced`. */
export async function finishSwap(out: string): Promise<void> {
  await rename(trainingPath(out), out);
  await flushFolder(dirname(out));
  await dropReplaced(out);
}

/** Deletes the former model, but for what in its folder is not of a model: that is the user's and stays in the folder. */
export async function dropReplaced(out: string): Promise<void> {
  const folder = replacedPath(out);
  const names = await list(folder);
  for (const name of Array.isArray(names) ? names : [])
    if (!MEMBERS.includes(name) && !isTemporary(name) && !(await exists(join(out, name))))
      await rename(join(folder, name), join(out, name));
  await rm(folder, { recursive: true, force: true });
}
