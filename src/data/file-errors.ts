/** File errors in plain words. */
import { dirname } from 'node:path';
import { UserError } from '../errors.ts';

const causes: Readonly<Record<string, (path: string) => string>> = {
  ENOSPC: () => 'the disk is full. Free some space and try again',
  EFBIG: () => 'the file is larger than the system allows (see ulimit -f)',
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
