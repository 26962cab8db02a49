/** One run per model folder: a lock beside it that a killed process does not hold on to. */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { lock } from 'proper-lockfile';
import { errorCode, fileError } from '../data/file-errors.ts';
import { UserError } from '../errors.ts';

export interface Lock {
  /** Throws when another process has taken the lock over, as after a long sleep of the machine. */
  check(): void;
  isHeld(): boolean;
  release(): Promise<void>;
}

/** Written inside the lock folder: who holds it. */
interface Owner {
  readonly pid: number;
  readonly host: string;
  /** Tells this lock from a later one of the same process. */
  readonly token: string;
}

const STALE = 10_000; // ms without a sign of life after which anyone may take a lock
const ownerFile = (lockPath: string): string => join(lockPath, 'owner.json');

/** Locks `out` through the folder `lockPath`; one held by a dead process of this host is taken at once. */
export async function acquireLock(out: string, lockPath: string): Promise<Lock> {
  let lost = false;
  const take = () =>
    lock(out, {
      lockfilePath: lockPath,
      realpath: false,
      stale: STALE,
      fs: owningFs,
      onCompromised: () => {
        lost = true;
      },
    });
  const release = await takeOrBreak(out, lockPath, take);
  await sweep(lockPath);
  return {
    check: () => {
      if (lost) throw new UserError(`another run took over ${out} while this one was asleep: this one stops`);
    },
    isHeld: () => !lost,
    release: async () => {
      if (!lost) await release();
    },
  };
}

type Take = () => Promise<() => Promise<void>>;

async function takeOrBreak(out: string, lockPath: string, take: Take): Promise<() => Promise<void>> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await take();
    } catch (error) {
      if (errorCode(error) !== 'ELOCKED') throw fileError(error, 'write beside', out);
      const owner = await readOwner(lockPath);
      if (attempt === 3 || (owner && !isDead(owner))) throw inUse(out, owner);
      if (owner) await breakLock(lockPath, owner);
    }
  }
}

function inUse(out: string, owner: Owner | undefined): UserError {
  const who = owner ? ` (process ${owner.pid} on ${owner.host})` : '';
  return new UserError(
    `${out} is in use by another run${who}. Wait until it ends, stop it, or choose another folder; ` +
      `a run that was killed lets go within ${STALE / 1000} seconds`,
  );
}

async function readOwner(lockPath: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(ownerFile(lockPath), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

function isDead({ pid, host }: Pick<Owner, 'pid' | 'host'>): boolean {
  if (host !== hostname()) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return errorCode(error) === 'ESRCH';
  }
}

const besides = (lockPath: string): string => `${lockPath}.${process.pid}-${randomBytes(4).toString('hex')}`;

/** Moves the dead owner's lock away, and back if it turns out to be a newer one. */
async function breakLock(lockPath: string, owner: Owner): Promise<void> {
  const aside = besides(lockPath);
  try {
    await rename(lockPath, aside);
    if ((await readOwner(aside))?.token === owner.token) await rm(aside, { recursive: true });
    else await rename(aside, lockPath);
  } catch {
    // Another process was quicker: the next attempt finds out.
  }
}

/** Removes folders that processes killed while taking or breaking a lock have left. */
async function sweep(lockPath: string): Promise<void> {
  const prefix = `${basename(lockPath)}.`;
  for (const name of await readdir(dirname(lockPath))) {
    const pid = name.startsWith(prefix)
      ? /^(\d+)-[0-9a-f]{8}$/.exec(name.slice(prefix.length))?.[1]
      : undefined;
    if (pid && isDead({ pid: Number(pid), host: hostname() }))
      await rm(join(dirname(lockPath), name), { recursive: true, force: true });
  }
}

type Callback = (error: unknown) => void;

/** proper-lockfile's `mkdir` and `rmdir`, so that the lock folder appears with its owner inside, in one step. */
const owningFs = {
  ...fs,
  mkdir: (path: string, callback: Callback) => createOwned(path).then(() => callback(null), callback),
  rmdir: (path: string, callback: Callback) => removeOwned(path).then(() => callback(null), callback),
  rmdirSync: (path: string) => fs.rmSync(path, { recursive: true, force: true }),
};

/** A folder cannot be renamed onto one that has something in it: only one process succeeds. */
async function createOwned(path: string): Promise<void> {
  const made = besides(path);
  const owner: Owner = { pid: process.pid, host: hostname(), token: randomBytes(8).toString('hex') };
  await mkdir(made);
  try {
    await writeFile(ownerFile(made), JSON.stringify(owner));
    await rename(made, path);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    const taken = fs.existsSync(ownerFile(path));
    throw taken ? Object.assign(new Error('taken'), { code: 'EEXIST' }) : error;
  }
}

async function removeOwned(path: string): Promise<void> {
  await rm(ownerFile(path), { force: true });
  await rmdir(path).catch((error: unknown) => {
    // Empty for an instant, the folder may already be another's.
    if (errorCode(error) !== 'ENOTEMPTY' && errorCode(error) !== 'EEXIST') throw error;
  });
}
