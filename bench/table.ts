/** Writes the tables of the READMEs from results/{steps,jobs,browser}.json. npm run ts -- bench/table.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { workloads } from './workloads.ts';

interface Measured {
  readonly title: string;
  readonly rows: readonly {
    readonly side: string;
    readonly threads: number;
    readonly median: number;
    readonly minimum: number;
  }[];
}
interface Step extends Measured {
  readonly gflop: number;
  /** GFLOP/s of the best product, in turns with the steps. */
  readonly peak: number;
  readonly rows: readonly (Measured['rows'][number] & { readonly memory: number })[];
}
interface Job {
  readonly ours: readonly number[];
  readonly torch: readonly number[];
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`results/${name}.json`, import.meta.url), 'utf8')) as T;

const steps = read<Record<string, Step>>('steps');
const jobs = read<{ readonly digits: Job; readonly table: Job }>('jobs');
const browser = read<Record<string, Measured>>('browser');

/** The fastest of a side whose name starts so, at its best threads and layout. */
function fastest({ rows }: Measured, side: string): number {
  return Math.min(...rows.filter((row) => row.side.startsWith(side)).map((row) => row.median));
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
const head = (columns: readonly string[]): string[] => [row(columns), row(columns.map(() => '---'))];

const show = (value: number, unit: string): string =>
  Number.isFinite(value) ? `${Number(value.toPrecision(3))} ${unit}`.trim() : '–';

const OURS_IN_PAGE = 'ours, wasm';
const SIDES = ['PyTorch eager', 'PyTorch compile', 'JAX', 'TensorFlow.js', 'jax-js'];

const WORDS = {
  'README.md': {
    title: 'one training step',
    jobs: ['MNIST, 10 epochs, start to saved model', 'table of 32,561 rows, 100 epochs, the same'],
  },
  'README.zh-CN.md': {
    title: '一个训练步',
    jobs: ['MNIST，10 轮，从启动到保存模型', '32,561 行的表格，100 轮，同上'],
  },
};

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function table({ title, jobs: names }: (typeof WORDS)['README.md']): string {
  /** The least of a row in bold. */
  const cells = (values: readonly number[], unit: string) =>
    values.map((v) => (v === Math.min(...values) ? `**${show(v, unit)}**` : show(v, unit)));
  const stepRows = Object.keys(workloads).map((name) => {
    const step = steps[name]!;
    return row([
      step.title,
      ...cells(
        ['ours', ...SIDES].map((side) => fastest(step, side)),
        'ms',
      ),
    ]);
  });
  const jobRows = [jobs.digits, jobs.table].map((job, i) => {
    const seconds = [medianOf(job.ours), medianOf(job.torch)];
    return row([names[i]!, ...cells(seconds, 's'), ...SIDES.slice(1).map(() => '')]);
  });
  return [...head([title, 'Elbo', ...SIDES]), ...stepRows, ...jobRows].join('\n');
}

/** Ratios above 1 are in our favour. */
function ratios(): string {
  const columns = [
    '',
    'PyTorch eager ÷ ours',
    'fastest peer ÷ ours',
    'TensorFlow.js ÷ ours',
    'jax-js ÷ ours',
    'of the peak, median · least time',
    'memory, MiB',
  ];
  const rows = Object.keys(workloads).map((name) => {
    const step = steps[name]!;
    const mine = fastest(step, 'ours');
    const ratio = (side: string) => show(fastest(step, side) / mine, '');
    const least = Math.min(...step.rows.filter((r) => r.side === 'ours').map((r) => r.minimum));
    const others = Math.min(...SIDES.map((side) => fastest(step, side)));
    const memory = Math.max(...step.rows.filter((r) => r.side === 'ours').map((r) => r.memory));
    const share = (ms: number) => (step.gflop / (ms / 1e3) / step.peak).toFixed(2);
    return row([
      name,
      ratio('PyTorch eager'),
      show(others / mine, ''),
      ratio('TensorFlow.js'),
      ratio('jax-js'),
      `${share(mine)} · ${share(least)}`,
      String(memory),
    ]);
  });
  return [...head(columns), ...rows].join('\n');
}

/** Milliseconds in a page with one and two threads, and the ratios of each side's best. */
function browserTable(): string {
  const peers = ['TensorFlow.js', 'jax-js'];
  const steps = Object.keys(workloads).flatMap((name) => browser[name] ?? []);
  const rows = steps.map((step) => {
    const each = (side: string) =>
      [1, 2].map((threads) => {
        const rows = step.rows.filter((row) => row.threads === threads);
        return show(fastest({ ...step, rows }, side), '');
      });
    const mine = fastest(step, OURS_IN_PAGE);
    return row([
      step.title,
      ...[OURS_IN_PAGE, ...peers].map((side) => each(side).join(' · ')),
      ...peers.map((side) => show(fastest(step, side) / mine, '')),
    ]);
  });
  const columns = ['ms, 1 · 2 threads', 'ours', ...peers, ...peers.map((side) => `${side} ÷ ours`)];
  return [...head(columns), ...rows].join('\n');
}

const START = '<!-- made by bench/table.ts -->';
const START_BROWSER = '<!-- of pages, made by bench/table.ts -->';
const END = '<!-- end -->';

/** Between a start and the end that follows it. */
function put(name: string, made: string, start = START): void {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const text = readFileSync(path, 'utf8');
  const from = text.indexOf(start) + start.length;
  const to = text.indexOf(END, from);
  if (!text.includes(start) || to < 0) throw new Error(`${name}: expected ${start} … ${END}`);
  writeFileSync(path, `${text.slice(0, from)}\n${made}\n${text.slice(to)}`);
  console.log(`written: ${name}`);
}

for (const [name, words] of Object.entries(WORDS)) put(name, table(words));
put('bench/README.md', ratios());
put('bench/README.md', browserTable(), START_BROWSER);
