/**
 * Published figures, reproduced through the command line: npm run ts -- bench/reproduce/run.ts [experiment …]. Trains each
 * experiment whose model is not there yet, by the same words, under ELBO_REPRODUCE (a folder, by default in the system's temporary
 * one), measures it and writes what came out to bench/reproduce/results.json.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { absence, python } from '../peers.ts';
import { type Experiment, type ExperimentName, experiments } from './experiments.ts';
import type { Figures } from './measures.ts';
import { ROOT } from './static-digits.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const TYPESCRIPT = import.meta.resolve('../../scripts/typescript.mjs');
const RESULTS = fileURLToPath(new URL('results.json', import.meta.url));

/** Runs one verb and gives its last JSON line. */
async function elbo(words: readonly string[]): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, ['--import', TYPESCRIPT, MAIN, ...words, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close') as Promise<[number | null]>;
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
  const [code] = await closed;
  if (code !== 0) throw new Error(`elbo ${words.join(' ')} ended with ${code}`);
  return JSON.parse(last) as Record<string, unknown>;
}

const modelOf = (name: string): string => join(ROOT, `${name}.model`);

/** Kept with the source: to go on from, or to be measured without hours of training. */
const keptOf = (name: string): string => fileURLToPath(new URL(`models/${name}`, import.meta.url));

/**
 * The model that an experiment begins with, where it has several the one of the same seed: that which was trained here, or is kept,
 * or else is trained now.
 */
async function beginningOf(name: ExperimentName, given?: number): Promise<string> {
  if (!existsSync(modelOf(name)) && existsSync(keptOf(name))) return keptOf(name);
  const experiment: Experiment = experiments[name];
  const seed = experiment.seeds && (given ?? experiment.seeds[0]);
  return (await trained(name, experiment, experiment.data(seed)!, seed)).model;
}

/** The words of what a model begins with, and of what that begins with. */
function beginnings(from: ExperimentName | undefined): (readonly string[])[] {
  if (from === undefined) return [];
  const { train, from: before }: Experiment = experiments[from];
  return [train, ...beginnings(before)];
}

interface Trained {
  readonly model: string;
  readonly seconds: number;
}

/** A model that is there already is taken where the same words made it. */
async function trained(
  name: string,
  { from, train }: Experiment,
  data: string,
  seed?: number,
): Promise<Trained> {
  const model = modelOf(seed === undefined ? name : `${name}-${seed}`);
  const record = `${model}.json`; // what made it
  const own = [...train, ...(seed === undefined ? [] : ['--seed', `${seed}`])];
  const words = [own, ...beginnings(from)].map((each) => each.join(' ')).join(', from ');
  if (existsSync(model) && existsSync(record)) {
    const made = JSON.parse(readFileSync(record, 'utf8')) as { words: string; seconds: number };
    if (made.words === words) return { model, seconds: made.seconds };
  }
  const begun = from ? ['--from', await beginningOf(from, seed)] : [];
  console.log(`${name}: elbo train ${words}`);
  const started = performance.now();
  await elbo(['train', data, '--out', model, '--overwrite', ...own, ...begun]);
  const seconds = (performance.now() - started) / 1000;
  writeFileSync(record, `${JSON.stringify({ words, seconds })}\n`);
  return { model, seconds };
}

/** The same in PyTorch, once for each seed: what peer.py found and its means, or why it did not run. */
function peerOf(model: string, { data, seeds = [] }: Experiment): unknown {
  const absent = absence(python);
  if (absent !== undefined) return `absent: ${absent}`;
  const each = seeds.map((seed) => peerRun(model, data(seed)!, seed));
  const seconds = each.reduce((sum, one) => sum + Number(one['seconds']), 0);
  return { peer: each[0]!['peer'], ...meansOf(each), seconds, each };
}

/** One run of peer.py, or what it found before. */
function peerRun(model: string, data: string, seed: number): Figures {
  const record = join(ROOT, `${model}-${seed}.peer.json`);
  if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8')) as Figures;
  const script = fileURLToPath(new URL('peer.py', import.meta.url));
  const { status, stdout } = spawnSync(python, [script, model, data, `${seed}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`peer.py ${model} ended with ${status}`);
  writeFileSync(record, stdout);
  return JSON.parse(String(stdout)) as Figures;
}

/** What a sampler gains, and a sheet of samples beside the model. */
async function refitted(model: string, data: string, words: readonly string[]): Promise<unknown> {
  const { figures } = await elbo(['refit', model, data, ...words]);
  await elbo(['sample', model, '-n', '100', '--mean', '--out', `${model}.samples`, '--overwrite']);
  console.log(`  samples: ${model}.samples/contact.png`);
  return figures;
}

/** Trains and measures one experiment, with one of its seeds where it has several. */
async function measured(name: string, experiment: Experiment, data: string, seed?: number) {
  const { model, seconds } = await trained(name, experiment, data, seed);
  const sampler = experiment.refit && (await refitted(model, data, experiment.refit));
  return { seconds, sampler, figures: await experiment.measure.figures(elbo, model, data) };
}

/** Means of the figures that are numbers, and of log p(x) and the bounds of its interval over rows. */
function meansOf(all: readonly Figures[]): Figures {
  const names = Object.keys(all[0]!);
  const mean = (name: string, of = all) => of.reduce((sum, one) => sum + Number(one[name]), 0) / of.length;
  const figures = names.filter((name) => typeof all[0]![name] === 'number').map((name) => [name, mean(name)]);
  const interval = all.map((one) => one['logLikelihood']);
  if (typeof interval[0] !== 'object') return Object.fromEntries(figures);
  const each = interval as readonly Figures[];
  const logLikelihood = Object.fromEntries(Object.keys(each[0]!).map((name) => [name, mean(name, each)]));
  return { ...Object.fromEntries(figures), logLikelihood };
}

async function reproduce(name: string, experiment: Experiment): Promise<object> {
  const { published, from, peer, train, refit, measure, seeds } = experiment;
  const runs: Awaited<ReturnType<typeof measured>>[] = [];
  for (const seed of seeds ?? [undefined])
    runs.push(await measured(name, experiment, experiment.data(seed)!, seed));
  const each = runs.map(({ figures }) => figures);
  return {
    published,
    train: [...train, ...(from === undefined ? [] : ['--from', `${from}.model`])].join(' '),
    ...(refit && { refit: refit.join(' '), sampler: runs[0]!.sampler }),
    [measure.verb]: measure.words.join(' '),
    seconds: runs.reduce((sum, { seconds }) => sum + seconds, 0),
    ...(seeds ? { seeds, figures: meansOf(each), each } : { figures: each[0] }),
    ...(peer !== undefined && { peer: peerOf(peer, experiment) }),
  };
}

const asked = process.argv.slice(2);
mkdirSync(ROOT, { recursive: true });
for (const [name, experiment] of Object.entries<Experiment>(experiments)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  if (experiment.data() === undefined) {
    console.log(`${name}: its data is not here (ELBO_DATA names the folder)`);
    continue;
  }
  const result = await reproduce(name, experiment);
  const all = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, 'utf8')) as object) : {};
  writeFileSync(RESULTS, `${JSON.stringify({ ...all, [name]: result }, null, 2)}\n`);
  console.log(`${name}: ${JSON.stringify(result)}`);
}
