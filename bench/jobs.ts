/**
 * How long is a whole job, from the start of the process to the saved model, beside a PyTorch script that does the same?
 * Ours writes a report and two ONNX files too. And how long does the command take to start? npm run ts -- bench/jobs.ts [rounds]
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './interleave.ts';
import { absence, python } from './peers.ts';
import { updateResult } from './results.ts';
import { madeTable, mnistFolder } from './sources.ts';

const rounds = Number(process.argv[2] ?? 3);
const folder = mkdtempSync(join(tmpdir(), 'elbo-jobs-'));
const main = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const script = fileURLToPath(new URL('peers/torch_job.py', import.meta.url));

const elbo = (...words: string[]): string[] => [process.execPath, main, ...words];

/** Seconds of a command, which has to succeed. */
function seconds([command, ...words]: readonly string[]): number {
  const started = performance.now();
  const { status, stderr } = spawnSync(command!, words, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${words.join(' ')}: ${stderr}`);
  return (performance.now() - started) / 1000;
}

/** Each command in turn, `times` times; all seconds of each. */
function alternate(
  commands: Readonly<Record<string, readonly string[]>>,
  times: number,
): Record<string, number[]> {
  const all: Record<string, number[]> = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let i = 0; i < times; i++)
    for (const [name, command] of Object.entries(commands)) all[name]!.push(seconds(command));
  return all;
}

const training = (data: string, epochs: number, batch: number, hidden: string, latent: number) =>
  elbo(
    ...['train', data, '--out', join(folder, 'job.model'), '--overwrite', '--network', 'mlp'],
    ...['--hidden', hidden, '--latent', String(latent), '--epochs', String(epochs)],
    ...['--patience', String(epochs), '--batch-size', String(batch), '--test', '0'],
  );

function job(name: 'digits' | 'table', ours: readonly string[], data: string): void {
  const absent = absence(python);
  if (absent !== undefined) {
    console.log(`${name}: PyTorch is absent. ${absent}`);
    return;
  }
  const torch = [python, script, name, data, join(folder, 'job.pt')];
  const { ours: mine, torch: theirs } = alternate({ ours, torch }, rounds);
  const ratio = median(theirs!) / median(mine!);
  console.log(
    `${name}: ours ${median(mine!).toFixed(1)} s, PyTorch ${median(theirs!).toFixed(1)} s: ${ratio.toFixed(2)} times`,
  );
  updateResult('jobs', { [name]: { unit: 's', ours: mine, torch: theirs, ratio } });
}

/** Milliseconds beside those of a process that does nothing. */
function startUp(model: string): void {
  const all = alternate(
    {
      node: [process.execPath, '-e', '0'],
      help: elbo('--help'),
      sample: elbo('sample', model, '-n', '1', '--out', join(folder, 'one'), '--overwrite'),
    },
    15,
  );
  const ms = Object.fromEntries(Object.entries(all).map(([name, s]) => [name, 1000 * median(s)]));
  for (const [name, value] of Object.entries(ms))
    console.log(`${name}: ${value.toFixed(0)} ms, ${(value / ms['node']!).toFixed(1)} times node -e 0`);
  updateResult('jobs', { start: { unit: 'ms', ...ms } });
}

try {
  const digits = training(mnistFolder(), 10, 128, '400', 20);
  seconds(digits);
  startUp(join(folder, 'job.model'));
  job('digits', digits, mnistFolder());
  job('table', training(madeTable(), 100, 500, '128,128', 128), madeTable());
} finally {
  rmSync(folder, { recursive: true });
}
