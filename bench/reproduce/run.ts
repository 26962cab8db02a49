/**
 * Published figures, reproduced through the command line: npx tsx bench/reproduce/run.ts [experiment …]. Trains and evaluates
 * each experiment that is not there yet under ELBO_REPRODUCE (a folder, by default in the system's temporary one) and writes
 * what came out to bench/reproduce/results.json.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Experiment, experiments } from './experiments.ts';

const ROOT = process.env['ELBO_REPRODUCE'] ?? join(tmpdir(), 'elbo-reproduce');
const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));

/** Runs one verb and gives its last JSON line. */
async function elbo(words: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...words, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let last = '{}';
  for await (const line of createInterface({ input: child.stdout })) {
    last = line;
    const event = JSON.parse(line) as {
      type?: string;
      epoch?: number;
      validation?: { negativeElbo: number };
    };
    if (event.type === 'epoch' && event.epoch! % 10 === 0)
      console.log(`  epoch ${event.epoch}: validation −ELBO ${event.validation!.negativeElbo.toFixed(2)}`);
  }
  const code = child.exitCode ?? (await new Promise<number>((done) => child.once('exit', done)));
  if (code !== 0) throw new Error(`elbo ${words.join(' ')} ended with ${code}`);
  return JSON.parse(last) as Record<string, unknown>;
}

const asked = process.argv.slice(2);
for (const [name, { data: find, train, evaluate, published }] of Object.entries<Experiment>(experiments)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const data = find();
  if (data === undefined) {
    console.log(`${name}: its data is not here (ELBO_DATA names the folder)`);
    continue;
  }
  mkdirSync(ROOT, { recursive: true });
  const model = join(ROOT, `${name}.model`);
  console.log(`${name}: elbo train ${train.join(' ')}`);
  const started = performance.now();
  if (!existsSync(model)) await elbo(['train', data, '--out', model, ...train]);
  const seconds = (performance.now() - started) / 1000;
  const figures = await elbo(['evaluate', model, data, ...evaluate]);
  const all = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as object) : {};
  const { rows, negativeElbo, logPx, kl, activeUnits, logLikelihood } = figures;
  const kept = { rows, negativeElbo, logPx, kl, activeUnits, logLikelihood };
  const result = { published, train: train.join(' '), evaluate: evaluate.join(' '), seconds, figures: kept };
  writeFileSync(RESULTS, `${JSON.stringify({ ...all, [name]: result }, null, 2)}\n`);
  console.log(`${name}: ${JSON.stringify(kept)}`);
}
