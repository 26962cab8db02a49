/** The built `elbo train` in a process of its own, watched from outside. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));

export interface Watched {
  readonly code: number | null;
  readonly seconds: number;
  /** Largest resident memory, MB. */
  readonly megabytes: number;
  /** Seconds after which each type of event first came. */
  readonly events: Readonly<Record<string, number>>;
}

/** Peak resident memory of a process so far, MB. */
const peak = (pid: number): number =>
  Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;

export async function watchedTraining(data: string, flags: readonly string[]): Promise<Watched> {
  const started = performance.now();
  const since = () => (performance.now() - started) / 1000;
  const words = [MAIN, 'train', data, '--json', ...flags];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
  const events: Record<string, number> = {};
  createInterface(child.stdout).on('line', (line) => {
    const { type } = JSON.parse(line) as { type: string };
    if (type in events) return;
    events[type] = since();
    console.log(`${events[type].toFixed(1).padStart(7)} s: ${type}`);
  });
  let megabytes = 0;
  const timer = setInterval(() => {
    megabytes = Math.max(megabytes, peak(child.pid!));
  }, 200);
  const code = await new Promise<number | null>((done) => child.once('exit', done));
  clearInterval(timer);
  return { code, seconds: since(), megabytes, events };
}
