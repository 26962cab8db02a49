/** Writing files so that a crash leaves the old or the new content, never half. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { explained } from '../data/file-errors.ts';

/** Replaces `path` in one step: temporary file in the same folder, flushed to disk, renamed, folder flushed. */
export async function writeAtomic(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  await explained('write', path, async () => {
    try {
      await writeFlushed(temporary, content);
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    await flushFolder(dirname(path));
  });
}

/** Whether a file is one that `writeAtomic` renames when it is whole. */
export const isTemporary = (name: string): boolean => /^\..+\.[0-9a-f]{12}\.tmp$/.test(name);

/** Removes what processes killed while writing have left in a folder that nobody writes to now. */
export async function sweepTemporaries(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter(isTemporary)) await rm(join(folder, name));
}

async function writeFlushed(path: string, content: Uint8Array | string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Makes renames in a folder survive a power cut. Windows has no such call and needs none. */
export async function flushFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Creates a folder and those above it. */
export const makeFolder = (path: string): Promise<unknown> =>
  explained('create the folder', path, () => mkdir(path, { recursive: true }));
