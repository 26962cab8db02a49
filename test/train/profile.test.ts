/** Where the time of a step goes: of made-up figures, where the answer is known, and of real trainings. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../src/graph/proto/onnx_pb.ts';
import { type Runtime, readTrace, type Trace, type TracedNode } from '../../src/runtime/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import {
  adviceOn,
  createProfile,
  type Profile,
  type ProfileSummary,
  type StepTimes,
  stepClock,
  summarise,
  TRACED,
  timedSource,
  tracedQuarter,
  type Work,
  workOf,
} from '../../src/train/index.ts';
import { createVae } from '../../src/vae/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { ops } from '../onnx-ops.ts';
import { lossesOf, pictureSpec, rowSpec, run, source } from './toy.ts';

const US = 1e-6;
const node = (
  name: string,
  op: string,
  microseconds: number,
  inputs: number[][],
  output: number[],
): TracedNode => ({
  name,
  op,
  inputs,
  outputs: [output],
  seconds: microseconds * US,
});
/** 1 µs is the least of any: 40, 20, 10, 4, 0 remain. */
const trace: Trace = {
  runs: 1,
  nodes: [
    node('fused encoder.0/Gemm_7', 'FusedGemm', 41, [[8, 6], [6, 16], [16]], [8, 16]), // biome-ignore format: shapes
    node('posterior/gradient encoder.0.weight', 'Gemm', 21, [[8, 6], [8, 16]], [6, 16]), // biome-ignore format: shapes
    node('decoder.0/Exp_9', 'Exp', 11, [[8, 16]], [8, 16]),
    node('decoder.0/NoSuchOp_9', 'NoSuchOp', 5, [], []),
    node('Transpose_token_20', 'Transpose', 1, [[8, 6]], [6, 8]),
  ],
};
const step = (engine: number, rows = 8): StepTimes => ({
  rows,
  batch: 10 * US,
  noise: 5 * US,
  engine: engine * US,
  norm: 2 * US,
  update: 3 * US,
});
const profileOf = (traced: number, after: number): Profile => ({
  ...createProfile('p'),
  steps: [...Array(TRACED).fill(step(traced)), ...Array(10).fill(step(after))],
  reading: { seconds: 440 * US, batches: 110 },
});
const times = (summary: ProfileSummary | undefined): Partial<Record<Work, number>> =>
  Object.fromEntries(summary!.parts.map(({ work, seconds }) => [work, Math.round(seconds / US)]));

test('what is left of the call without the trace is the time between nodes', () => {
  const summary = summarise(profileOf(150, 100), trace)!;
  assert.deepEqual(times(summary), {
    'matrix products': 60,
    'gathers and patches': 0,
    'elementwise arithmetic': 10,
    reductions: 0,
    'copies and reshapes': 0,
    'other nodes': 4,
    'between nodes': 26,
    'reading rows': 4,
    'batch assembly': 10,
    noise: 5,
    'gradient norm': 2,
    optimiser: 3,
  });
  assert.deepEqual([summary.isSlowed, summary.rows, summary.tracedSteps], [false, 8, TRACED]);
  assert.equal(Math.round(summary.seconds / US), 124);
});

test('a machine that was slower during the trace, or after it, stretches nodes and does not make time between them', () => {
  const slowTrace = times(summarise(profileOf(150, 37), trace));
  assert.deepEqual([slowTrace['matrix products'], slowTrace['between nodes']], [30, 0]);
  const slowAfter = times(summarise(profileOf(80, 160), trace));
  assert.deepEqual([slowAfter['matrix products'], slowAfter['between nodes']], [120, 12]);
});

test('products are counted from their shapes, transposed or not', () => {
  const { nodes, parts } = summarise(profileOf(150, 100), trace)!;
  const operations = 2 * 8 * 6 * 16;
  assert.deepEqual(
    nodes.map(({ layer, product }) => [layer, product]),
    [
      ['encoder.0', { m: 8, k: 6, n: 16, count: 1 }],
      ['∇ encoder.0.weight', { m: 6, k: 8, n: 16, count: 1 }],
      ['decoder.0', undefined],
      ['decoder.0', undefined],
      ['graph', undefined],
    ],
  );
  const rates = [nodes[0], nodes[1], parts[0]].map((of) => of!.gflops!.toFixed(6));
  assert.deepEqual(
    rates,
    [operations / 40, operations / 20, (2 * operations) / 60].map((perMicrosecond) =>
      (perMicrosecond / 1e3).toFixed(6),
    ),
  );
});

test('every op of a graph is some kind of work', () => {
  assert.deepEqual(
    Object.keys(ops).filter((op) => workOf(op) === 'other nodes'),
    [],
  );
});

test('only full steps count, and of them the fastest quarter', () => {
  const steps = [
    step(90),
    step(100),
    step(1, 3),
    step(80),
    step(110),
    step(120),
    step(130),
    step(140),
    step(150),
  ];
  const profile = { ...createProfile('p'), steps };
  assert.deepEqual([...tracedQuarter(profile)], [3, 0]);
  const { seconds, isSlowed } = summarise(profile, trace)!;
  assert.deepEqual([Math.round(seconds / US), isSlowed], [85 + 20, true]);
});

test('a trace without nodes, or a training without steps, has no summary', () => {
  assert.equal(summarise(profileOf(150, 100), { runs: 0, nodes: [] }), undefined);
  assert.equal(summarise(createProfile('p'), trace), undefined);
});

test('the clock notes each part, ends the trace once, and stops noting', () => {
  const profile = createProfile('p');
  let ended = 0;
  const clock = stepClock(profile, () => ended++);
  for (let i = 1; i <= 3 * TRACED; i++) {
    clock.start(i);
    for (const part of ['batch', 'noise', 'engine', 'norm', 'update'] as const) clock.lap(part);
    assert.equal(ended, Number(i >= TRACED));
  }
  assert.deepEqual(
    profile.steps.map(({ rows }) => rows),
    Array.from({ length: 2 * TRACED }, (_, i) => i + 1),
  );
  for (const times of profile.steps) for (const value of Object.values(times)) assert.ok(value >= 0);
});

test('a timed source gives the same batches and counts them', async () => {
  const plain = source(rowSpec, 42, 8);
  const profile = createProfile('p');
  const counts: number[] = [];
  for await (const { count } of timedSource(plain, profile).batches(0, 1)) counts.push(count);
  assert.deepEqual(counts, [8, 8, 8, 8, 2]);
  assert.equal(profile.reading.batches, 5);
  assert.ok(profile.reading.seconds > 0);
});

const mostly = (work: Work, rows = 512): ProfileSummary => {
  const summary = summarise(profileOf(150, 100), trace)!;
  const parts = summary.parts.map((part) => ({ ...part, seconds: Number(part.work === work), share: 0.6 }));
  return { ...summary, parts, rows };
};

test('every kind of work that may be the largest has its sentence', () => {
  for (const { work } of summarise(profileOf(150, 100), trace)!.parts) {
    const sentence = adviceOn(mostly(work), { threads: 2, usual: 2 });
    assert.match(sentence, /^Most of a step \(60 %\) is .{12,}: .{20,}\.$/);
  }
});

test('more threads and larger batches are recommended only where they help', () => {
  const few = { threads: 1, usual: 4 };
  assert.match(adviceOn(mostly('matrix products'), few), /--threads 4/);
  assert.doesNotMatch(adviceOn(mostly('matrix products'), { threads: 4, usual: 4 }), /--threads/);
  assert.doesNotMatch(adviceOn(mostly('between nodes'), few), /--threads/);
  assert.match(adviceOn(mostly('between nodes'), few), /--batch-size/);
  assert.doesNotMatch(adviceOn(mostly('matrix products'), few), /--batch-size/);
  assert.match(adviceOn(mostly('matrix products', 8), few), /--batch-size/);
});

interface Profiled {
  readonly summary: ProfileSummary;
  readonly losses: readonly number[];
  readonly runsInTrace: number;
  /** As the engine was given them. */
  readonly nodes: readonly { readonly name: string; readonly opType: string }[];
}

async function profiled(spec: typeof rowSpec, epochs: number): Promise<Profiled> {
  const folder = temporaryFolder();
  const profile = createProfile(join(folder, 'step'));
  const real = nodeRuntime({ threads: 1 });
  let model = new Uint8Array();
  const runtime: Runtime = {
    ...real,
    session: (bytes, options) => {
      if (options?.profile) model = Uint8Array.from(bytes);
      return real.session(bytes, options);
    },
  };
  const ran = await run({ runtime, vae: createVae(spec), epochs, profile });
  const lines = readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8').split('\n');
  const quarter = tracedQuarter(profile);
  return {
    summary: summarise(profile, await readTrace(lines, (i) => quarter.has(i)))!,
    losses: lossesOf(ran),
    runsInTrace: lines.filter((line) => line.includes('"model_run"')).length,
    nodes: fromBinary(ModelProtoSchema, model).graph!.node,
  };
}

const PRODUCTS = ['MatMul', 'Gemm'];

for (const [what, spec] of Object.entries({ rows: rowSpec, pictures: pictureSpec })) {
  test(`a real training on ${what}: parts add up, nodes are those of the graph, products are counted`, async () => {
    const { summary, losses, runsInTrace, nodes } = await profiled(spec, 2);
    const { parts, seconds } = summary;
    const sum = (of: readonly { readonly seconds: number }[]) => of.reduce((a, b) => a + b.seconds, 0);
    assert.equal(sum(parts), seconds);
    assert.equal(parts.reduce((a, b) => a + b.share, 0).toFixed(12), '1.000000000000');
    assert.equal(runsInTrace, losses.length);

    const part = (work: Work) => parts.find((p) => p.work === work)!;
    assert.deepEqual([part('other nodes').nodes, part('other nodes').seconds], [0, 0]);
    const products = nodes.filter(({ opType }) => PRODUCTS.includes(opType)).length;
    assert.equal(part('matrix products').nodes, products);

    assert.equal(summary.nodes.length, 10);
    const names = nodes.map(({ name }) => name);
    for (const { name, op, product, gflops, work, seconds: own } of summary.nodes) {
      const bare = name.replace(/^fused /, '');
      assert.ok(
        /^Transpose_token_\d+$/.test(name) ||
          names.some((known) => bare === known || bare.startsWith(`${known}/`)),
        `${name} is not in the graph`,
      );
      assert.equal(product !== undefined, /MatMul|Gemm/.test(op));
      if (product) assert.ok(product.m * product.k * product.n > 0 && gflops! > 0);
      assert.ok(own <= part(work).seconds && own > 0);
    }
  });
}

test('a profiled training is the training it would have been; its trace ends, its steps are then timed without', async () => {
  const { summary, losses, runsInTrace } = await profiled(rowSpec, 20); // of 6 steps
  const plain = await run({ runtime: nodeRuntime({ threads: 1 }), vae: createVae(rowSpec), epochs: 20 });
  assert.deepEqual(losses, lossesOf(plain));
  assert.deepEqual([runsInTrace, summary.tracedSteps, summary.isSlowed], [TRACED, TRACED, false]);
  assert.equal(summary.rows, 8);
});
