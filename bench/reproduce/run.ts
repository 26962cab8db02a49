/**
 * Published figures, reproduced through the command line: npx tsx bench/reproduce/run.ts [experiment …]. Trains and evaluates
 * each experiment that is not there yet under ELBO_REPRODUCE (a folder, by default in the system's temporary one) and writes
 * what came out to bench/reproduce/results.json.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { python } from '../peers.ts';
import { type Experiment, experiments } from './experiments.ts';
import { ROOT } from './static-digits.ts';

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

const modelOf = (name: string): string => join(ROOT, `${name}.model`);

/** The same in PyTorch: what peer.py found, or why it did not run. */
function peerOf(model: string, data: string): unknown {
  if (!existsSync(python)) return `absent: ${python} is not there, bench/peers/setup.sh installs it`;
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const { status, stdout } = spawnSync(python, [script, model, data], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`peer.py ${model} ended with ${status}`);
  return JSON.parse(String(stdout));
}

async function reproduce(name: string, experiment: Experiment, data: string): Promise<object> {
  const { published, from, peer, train, evaluate } = experiment;
  const model = modelOf(name);
  const begun = from === undefined ? [] : ['--from', modelOf(from)];
  console.log(`${name}: elbo train ${[...train, ...begun].join(' ')}`);
  const started = performance.now();
  if (!existsSync(model)) await elbo(['train', data, '--out', model, ...train, ...begun]);
  const seconds = (performance.now() - started) / 1000;
  const found = await elbo(['evaluate', model, data, ...evaluate]);
  const { rows, negativeElbo, logPx, kl, activeUnits, logLikelihood } = found;
  return {
    published,
    train: [...train, ...(from === undefined ? [] : ['--from', `${from}.model`])].join(' '),
    evaluate: evaluate.join(' '),
    seconds,
    figures: { rows, negativeElbo, logPx, kl, activeUnits, logLikelihood },
    ...(peer !== undefined && { peer: peerOf(peer, data) }),
  };
}

const asked = process.argv.slice(2);
mkdirSync(ROOT, { recursive: true });
for (const [name, experiment] of Object.entries<Experiment>(experiments)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  const data = experiment.data();
  if (data === undefined) {
    console.log(`${name}: its data is not here (ELBO_DATA names the folder)`);
    continue;
  }
  const result = await reproduce(name, experiment, data);
  const all = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as object) : {};
  writeFileSync(RESULTS, `${JSON.stringify({ ...all, [name]: result }, null, 2)}\n`);
  console.log(`${name}: ${JSON.stringify(result)}`);
}
