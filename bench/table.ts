/** Writes the tables of the READMEs from results/steps.json and results/jobs.json. npx tsx bench/table.ts */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { workloads } from './workloads.ts';

interface Step {
  readonly title: string;
  readonly rate: number;
  readonly machine: { readonly cpu: string };
  readonly rows: readonly { readonly side: string; readonly median: number; readonly memory: number }[];
}
interface Job {
  readonly ours: readonly number[];
  readonly torch: readonly number[];
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`results/${name}.json`, import.meta.url), 'utf8')) as T;

const steps = read<Record<string, Step>>('steps');
const peak = read<{ readonly 'threads 2': number }>('peak');
const jobs = read<{ readonly digits: Job; readonly table: Job }>('jobs');

/** The fastest of a side whose name starts so, at its best threads and layout. */
function fastest({ rows }: Step, side: string): number {
  return Math.min(...rows.filter((row) => row.side.startsWith(side)).map((row) => row.median));
}

const show = (value: number, unit: string): string =>
  Number.isFinite(value) ? `${Number(value.toPrecision(3))} ${unit}`.trim() : '–';

const SIDES = ['PyTorch eager', 'PyTorch compile', 'JAX', 'TensorFlow.js', 'jax-js'];

const WORDS = {
  'README.md': {
    head: 'one training step',
    jobs: ['MNIST, 10 epochs, start to saved model', 'table of 32,561 rows, 100 epochs, the same'],
  },
  'README.zh-CN.md': {
    head: '一个训练步',
    jobs: ['MNIST，10 轮，从启动到保存模型', '32,561 行的表格，100 轮，同上'],
  },
};

const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

function table({ head, jobs: names }: (typeof WORDS)['README.md']): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
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
  const columns = [head, 'Elbo', ...SIDES];
  return [row(columns), row(columns.map(() => '---')), ...stepRows, ...jobRows].join('\n');
}

/** Ratios above 1 are in our favour. */
function ratios(): string {
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const columns = [
    '',
    'PyTorch eager ÷ ours',
    'fastest peer ÷ ours',
    'TensorFlow.js ÷ ours',
    'jax-js ÷ ours',
    'of the peak',
    'memory, MiB',
  ];
  const rows = Object.keys(workloads).map((name) => {
    const step = steps[name]!;
    const mine = fastest(step, 'ours');
    const ratio = (side: string) => show(fastest(step, side) / mine, '');
    const others = Math.min(...SIDES.map((side) => fastest(step, side)));
    const memory = Math.max(...step.rows.filter((r) => r.side === 'ours').map((r) => r.memory));
    return row([
      name,
      ratio('PyTorch eager'),
      show(others / mine, ''),
      ratio('TensorFlow.js'),
      ratio('jax-js'),
      (step.rate / peak['threads 2']).toFixed(2),
      String(memory),
    ]);
  });
  return [row(columns), row(columns.map(() => '---')), ...rows].join('\n');
}

const [START, END] = ['<!-- made by bench/table.ts -->', '<!-- end -->'];

function put(name: string, made: string): void {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const [before, rest] = readFileSync(path, 'utf8').split(START);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${name}: expected ${START} … ${END}`);
  writeFileSync(path, `${before}${START}\n${made}\n${END}${after}`);
  console.log(`written: ${name}`);
}

for (const [name, words] of Object.entries(WORDS)) put(name, table(words));
put('bench/README.md', ratios());
