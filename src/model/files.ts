/** Writing files so that a crash leaves the old or the new content, never half; file errors in plain words. */
import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../errors.ts';

const causes: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: () => 'the disk is full. Free some space and try again',
  EDQUOT: () => 'your disk quota is used up. Free some space and try again',
  EACCES: () => 'permission denied. Choose a place you may write to, or change its permissions',
  EPERM: () => 'the system does not permit it. Choose a place you may write to',
  EROFS: () => 'the file system is read-only. Choose another place',
  ENOENT: (path) => `the folder ${dirname(path)} does not exist`,
  ENOTDIR: (path) => `a part of ${dirname(path)} is a file, not a folder`,
  EEXIST: () => 'it exists already and is a file',
  EISDIR: () => 'it is a folder',
  ENAMETOOLONG: () => 'the name is too long',
  EMFILE: () => 'too many files are open. Raise the limit (ulimit -n)',
  EBUSY: () => 'it is in use by another program',
};

export const errorCode = (error: unknown): string | undefined => (error as { code?: string } | null)?.code;

/** A file-system error as a `UserError` that says what could not be done and why; other errors as they are. */
export function fileError(error: unknown, doing: string, path: string): unknown {
  const cause = Object.hasOwn(causes, errorCode(error) ?? '') ? causes[errorCode(error)!] : undefined;
  return cause && !(error instanceof UserError)
    ? new UserError(`cannot ${doing} ${path}: ${cause(path)}`)
    : error;
}

/** Runs a file operation; its failure is explained. */
export async function explained<T>(doing: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw fileError(error, doing, path);
  }
}

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

const PIECE = 2 ** 30; // bytes; one call reads less than 2 GiB

/** A whole file of any size: `readFile` refuses 2 GiB and more. */
export async function readLarge(path: string, piece = PIECE): Promise<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const bytes = new Uint8Array((await file.stat()).size);
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await file.read(bytes.subarray(at, at + piece));
      if (bytesRead === 0) return bytes.subarray(0, at);
      at += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
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
