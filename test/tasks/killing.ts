/** Trainings that are killed in the middle: the real command in a process of its own, SIGKILL, and --resume. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readSafetensors, sha256 } from '../../src/model/index.ts';

export interface Command {
  /** The compiled `elbo`. */
  readonly main: string;
  readonly folder: string;
  /** The words after `elbo train`, without --out. */
  readonly words: readonly string[];
}

/**
 * Trains to `out`; killed when it has told of `epochs` more epochs, which meets it anywhere in those that follow. False where it
 * came to its end first.
 */
export async function trainUntil(
  { main, folder, words }: Command,
  out: string,
  epochs: number,
): Promise<boolean> {
  const isBegun = [out, `${out}.training`].some((path) => existsSync(join(folder, path)));
  const args = [main, 'train', ...words, '--out', out, ...(isBegun ? ['--resume'] : []), '--json'];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaint += text;
  });
  let seen = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.includes('"type":"epoch"') && ++seen === epochs) child.kill('SIGKILL');
  });
  const { code, signal } = await new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  if (signal === null && code !== 0) throw new Error(`training failed (${code}):\n${complaint}`);
  return signal === 'SIGKILL';
}

/** What a training has left: everything but the time that it took. */
export interface Kept {
  /** SHA-256 of the tensors of weights.safetensors and of the last checkpoint, by name. */
  readonly tensors: Readonly<Record<string, string>>;
  /** What else the checkpoint holds. */
  readonly run: unknown;
  readonly history: string;
}

export function kept(folder: string, out: string): Kept {
  const read = (name: string): Buffer => readFileSync(join(folder, out, name));
  const weights = readSafetensors(read('weights.safetensors'));
  const { tensors, metadata } = readSafetensors(read('checkpoint/state.safetensors'));
  const all = Object.entries({ ...weights.tensors, ...tensors }).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    tensors: Object.fromEntries(
      all.map(([name, { data }]) => [name, sha256(new Uint8Array(data.slice().buffer))]),
    ),
    run: JSON.parse(metadata['run']!),
    history: read('history.jsonl').toString(),
  };
}

/** Kills a training `times` times, each after 1 to `within` more epochs, and lets it end. Gives the kills that struck. */
export async function killedAndResumed(
  command: Command,
  out: string,
  times: number,
  within: number,
  next: () => number,
): Promise<number[]> {
  const struck: number[] = [];
  for (let i = 0; i < times; i++) {
    const epochs = 1 + Math.floor(next() * within);
    if (await trainUntil(command, out, epochs)) struck.push(epochs);
  }
  await trainUntil(command, out, Number.POSITIVE_INFINITY);
  return struck;
}
