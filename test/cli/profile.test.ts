/** The profile as a person sees it, and as a program does. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { runCommandLine } from '../../src/cli/app.ts';
import { printProfile } from '../../src/cli/profile.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { ProfileEvent } from '../../src/tasks/index.ts';
import type { ProfileNode, ProfilePart } from '../../src/train/index.ts';
import { newFolder, quickly, writeTable } from './elbo.ts';

const outside = (work: ProfilePart['work'], share: number): ProfilePart => ({
  work,
  inEngine: false,
  seconds: share * 5e-3,
  share,
  nodes: 0,
});
const inside = (work: ProfilePart['work'], share: number, nodes: number, gflops?: number): ProfilePart => ({
  ...outside(work, share),
  inEngine: true,
  nodes,
  ...(gflops && { gflops }),
});
const nodes: ProfileNode[] = [
  {
    name: 'fused encoder.0/Gemm_7',
    layer: 'encoder.0',
    op: 'FusedGemm',
    work: 'matrix products',
    inputs: [
      [128, 784],
      [784, 400],
    ],
    outputs: [[128, 400]],
    product: { m: 128, k: 784, n: 400, count: 1 },
    seconds: 6e-4,
    share: 0.12,
    gflops: 133.8,
  },
  {
    name: 'decoder.output/Log_70',
    layer: 'decoder.output',
    op: 'Log',
    work: 'elementwise arithmetic',
    inputs: [[1, 128, 784]],
    outputs: [[1, 128, 784]],
    seconds: 1.8e-4,
    share: 0.036,
  },
  {
    name: 'decoder.output/ReduceSum_81',
    layer: 'decoder.output',
    op: 'ReduceSum',
    work: 'reductions',
    inputs: [[1, 128, 784], [1]],
    outputs: [[1, 128]],
    seconds: 2e-5,
    share: 0.004,
  },
];
const event: ProfileEvent = {
  type: 'profile',
  path: 'traces/p_2026-01-02.json',
  seconds: 5e-3,
  rows: 128,
  threads: 2,
  tracedSteps: 100,
  isSlowed: true,
  parts: [
    inside('elementwise arithmetic', 0.1, 43),
    inside('matrix products', 0.5, 15, 146.2),
    inside('gathers and patches', 0, 0),
    inside('between nodes', 0.2, 88),
    outside('noise', 0.05),
    outside('optimiser', 0.15),
  ],
  nodes,
  advice: 'Most of a step (50 %) is matrix products.',
};

function printed(columns: number): string[] {
  const lines: string[] = [];
  const wrong = () => assert.fail('a profile is a result');
  const terminal: Terminal = {
    print: (line = '') => void lines.push(line),
    remark: wrong,
    write: wrong,
    draw: wrong,
    json: wrong,
    paint: (_, text) => text,
    wantsJson: false,
    isLive: { out: true, err: true },
    columns: () => columns,
  };
  printProfile(event, terminal);
  return lines;
}

test('the figures stand under each other, the largest part first', () => {
  assert.deepEqual(printed(80), [
    '',
    'A step of 128 examples takes 5.00 ms with 2 threads',
    '  in the engine             4.00 ms   80 %  ━━━━━━━━━━━━━━━━',
    '    matrix products         2.50 ms   50 %  ━━━━━━━━━━            15 nodes, 146 GFLOP/s',
    '    between nodes           1.00 ms   20 %  ━━━━',
    '    elementwise arithmetic  0.50 ms   10 %  ━━                    43 nodes',
    '  outside                   1.00 ms   20 %  ━━━━',
    '    optimiser               0.75 ms   15 %  ━━━',
    '    noise                   0.25 ms    5 %  ━',
    '',
    'The 3 most expensive nodes',
    '    ms  share  GFLOP/s  layer           work',
    '  0.60   12 %      134  encoder.0       128×784 · 784×400',
    '  0.18    4 %           decoder.output  Log 1×128×784',
    '  0.02    0 %           decoder.output  ReduceSum 1×128×784 → 1×128',
    '',
    'Most of a step (50 %) is matrix products.',
    'The training was short, so the trace itself is in these times, mostly between',
    'nodes: from 200 steps on it is not.',
    'Trace  traces/p_2026-01-02.json',
  ]);
});

test('no line of words is wider than the terminal', () => {
  for (const columns of [60, 80, 120]) {
    const words = printed(columns).filter((line) => !line.includes('━') && !line.startsWith('Trace'));
    for (const line of words) assert.ok(line.length <= columns, line);
  }
});

/** The command in this process; what it printed. */
async function elbo(words: readonly string[]): Promise<{ code: number; out: string }> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  let out = '';
  stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  stderr.resume();
  const streams = { stdout, stderr, env: { NO_COLOR: '1' } } as unknown as Parameters<
    typeof runCommandLine
  >[1];
  return { code: await runCommandLine(words, streams), out };
}

test('elbo train prints the profile, or one line of JSON', async () => {
  const folder = newFolder();
  const data = join(folder, 'table.csv');
  writeTable(data);
  const words = ['train', data, ...quickly, '--overwrite', '--out', join(folder, 'a.model')];
  const text = await elbo([...words, '--profile', join(folder, 'p')]);
  assert.equal(text.code, 0);
  assert.match(text.out, /^A step of \d+ examples takes [\d.]+ ms with 1 thread$/m);
  assert.match(text.out, /^Trace {2}.*p_.*\.json$/m);
  const json = await elbo([...words, '--profile', join(folder, 'p'), '--json']);
  const events = json.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { type: string; parts?: ProfilePart[] });
  const profiles = events.filter(({ type }) => type === 'profile');
  assert.equal(profiles.length, 1);
  assert.ok(profiles[0]!.parts!.length > 10);
});
