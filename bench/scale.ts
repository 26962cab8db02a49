/**
 * What does an example cost in training as the batch, the width, the depth, the latent space and the data grow? One
 * thing grows at a time, from the usual MLP; blocks of all its sizes alternate, and with them the product of two large
 * matrices, the measure of what the machine can do. npm run ts -- bench/scale.ts [question …] [rounds]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCodec, openDataset } from '../src/data/index.ts';
import { adam } from '../src/optim/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { trainingSource } from '../src/tasks/source.ts';
import { createLearner, type Learner } from '../src/train/index.ts';
import { type Case, interleave, type Timing, timed } from './interleave.ts';
import { writeRows } from './made-rows.ts';
import { drawScale, type Point, type Question } from './plots.ts';
import { openProduct, PRODUCT_GFLOP } from './product.ts';
import { updateResult } from './results.ts';
import { endless, KNOBS } from './setting.ts';
import { openSource, type Source } from './sources.ts';
import { objectiveOf, operations, vaeOf, type Workload, workloads } from './workloads.ts';

const SEED = 1;
const THREADS = nodeRuntime().threads; // what a user gets

/** Sizes of one thing, and the model that has it; all else is as in `workloads.mlp`. */
interface Growth {
  readonly title: string;
  readonly axis: string;
  readonly sizes: readonly number[];
  readonly workload: (size: number) => Partial<Workload>;
}

const mlp = (hidden: readonly number[]) => ({ network: { kind: 'mlp' as const, hidden } });

const growths: Readonly<Record<string, Growth>> = {
  batch: {
    title: 'MLP 784-400-20 as the batch grows',
    axis: 'batch size (examples)',
    sizes: [1, 4, 16, 64, 128, 512, 2048, 8192],
    workload: (batch) => ({ batch }),
  },
  hidden: {
    title: 'MLP 784-h-20, batch 128, as the hidden layers grow',
    axis: 'hidden width (units)',
    sizes: [25, 50, 100, 200, 400, 800, 1600, 3200],
    workload: (width) => mlp([width]),
  },
  depth: {
    title: 'MLP 784-400-…-400-20, batch 128, as hidden layers are added',
    axis: 'depth (hidden layers of the encoder, and of the decoder)',
    sizes: [1, 2, 4, 8, 16],
    workload: (depth) => mlp(Array.from({ length: depth }, () => 400)),
  },
  latent: {
    title: 'MLP 784-400-z, batch 128, as the latent space grows',
    axis: 'latent size (dimensions)',
    sizes: [2, 5, 20, 80, 320, 1280],
    workload: (latent) => ({ latent }),
  },
};

const openLearner = (workload: Workload, { codec }: Source): Promise<Learner> =>
  createLearner({
    vae: vaeOf(workload, codec),
    objective: objectiveOf(workload),
    optimizer: adam(),
    runtime: nodeRuntime({ threads: THREADS }),
    batchSize: workload.batch,
    seed: SEED,
  });

/** Whole steps, one after the other, the batch taken and encoded in each. */
function steps(learner: Learner, source: Source, batch: number): Case & { close(): Promise<unknown> } {
  const batches = endless(source, batch, THREADS);
  let number = 0;
  const step = async () => learner.step(++number, (await batches.next()).value, KNOBS);
  return {
    block: (warm, count) => timed(step, warm, count),
    close: () => batches.return(undefined as never),
  };
}

/** The timings of the cases, and GFLOP/s of the product that takes turns with them. */
async function measure(cases: readonly Case[], rounds: number) {
  const product = await openProduct(THREADS);
  try {
    const all = [...cases, { block: (warm: number, count: number) => timed(product.run, warm, count) }];
    const timings = await interleave(all, rounds);
    return { timings, peak: PRODUCT_GFLOP / (timings.pop()!.median / 1e3) };
  } finally {
    await product.dispose();
  }
}

/** Microseconds an example. */
function point(series: string, size: number, timing: Timing, batch: number): Point {
  const each = (ms: number) => (1e3 * ms) / batch;
  const { median, low, high, minimum, used, disturbed, quiet } = timing;
  const costs = { cost: each(median), low: each(low), high: each(high), least: each(minimum) };
  return { series, size, ...costs, blocks: used, disturbed, quiet };
}

async function growing({ title, axis, sizes, workload }: Growth, rounds: number): Promise<Question> {
  const source = await openSource('digits');
  const models = sizes.map((size): Workload => ({ ...workloads.mlp, ...workload(size) }));
  const learners = await Promise.all(models.map((model) => openLearner(model, source)));
  const cases = learners.map((learner, i) => steps(learner, source, models[i]!.batch));
  const { timings, peak } = await measure(cases, rounds);
  const points = timings.map((timing, i): Point => {
    const { batch } = models[i]!;
    const gflop = operations(models[i]!, learners[i]!.vae) / 1e9;
    return {
      ...point('a training step', sizes[i]!, timing, batch),
      rate: gflop / (timing.median / 1e3),
      bound: (1e6 * gflop) / peak / batch,
    };
  });
  for (const { close } of cases) await close();
  for (const learner of learners) await learner.dispose();
  return { title, axis, peak, points };
}

/** A table of four columns, trained as `elbo train` would. */
const TABLE: Workload = {
  ...workloads.table,
  title: 'Table of 4 columns, MLP 64-64-4, batch 256, as rows are added',
  network: { kind: 'mlp', hidden: [64, 64] },
  latent: 4,
  batch: 256,
};
const ROWS = [1e3, 1e4, 1e5, 1e6];
/** Share of the rows that the shuffle buffer of a streamed table holds. */
const BUFFERED = 1 / 16;

/** Whole epochs, in milliseconds a full batch: what only happens once an epoch counts for each of its steps. */
function epochs(learner: Learner, { data, codec }: Source, batch: number): Case & { close(): Promise<void> } {
  const { rows, batches, close } = trainingSource(data, codec, {
    batchSize: batch,
    seed: SEED,
    threads: THREADS,
  });
  let number = 0;
  let epoch = 0;
  const whole = async () => {
    for await (const some of batches(epoch++, 0)) await learner.step(++number, some, KNOBS);
  };
  return {
    block: async (_, count) => {
      const times = await timed(whole, 0, Math.max(1, Math.round((count * batch) / rows)));
      return times.map((ms) => (ms * batch) / rows);
    },
    close,
  };
}

/** A step on a batch that is there already. */
async function stepAlone(learner: Learner, source: Source, batch: number): Promise<Case> {
  const { value } = await endless(source, batch).next();
  let number = 0;
  await learner.step(++number, value, KNOBS);
  const again = { count: batch, fill: () => {} };
  return { block: (warm, count) => timed(() => learner.step(++number, again, KNOBS), warm, count) };
}

async function moreRows(rounds: number): Promise<Question> {
  const folder = mkdtempSync(join(tmpdir(), 'elbo-scale-'));
  const named: { series: string; size: number; case: Case }[] = [];
  const closing: (() => Promise<void>)[] = [];
  const open = async (path: string, memory?: number): Promise<Source> => {
    const data = await openDataset(path, { validation: 0, test: 0, ...(memory && { memory }) });
    closing.push(data.close);
    return { data, codec: createCodec(data.schema) };
  };
  const learn = async (source: Source): Promise<Learner> => {
    const learner = await openLearner(TABLE, source);
    closing.push(learner.dispose);
    return learner;
  };
  try {
    for (const size of ROWS) {
      const path = join(folder, `${size}.parquet`);
      await writeRows(path, size);
      const held = await open(path);
      const streamed = await open(path, 36 * size * 2 * BUFFERED); // bytes of a row, and half is for the buffer
      const alone = await stepAlone(await learn(held), held, TABLE.batch);
      named.push({ series: 'the step alone', size, case: alone });
      for (const [series, source] of Object.entries({ 'in memory': held, streamed })) {
        const whole = epochs(await learn(source), source, TABLE.batch);
        closing.push(whole.close);
        named.push({ series, size, case: whole });
      }
    }
    const cases = named.map((each) => each.case);
    const { timings, peak } = await measure(cases, rounds);
    const points = named.map(({ series, size }, i) => point(series, size, timings[i]!, TABLE.batch));
    return { title: TABLE.title, axis: 'training rows', peak, points };
  } finally {
    for (const close of closing) await close();
    rmSync(folder, { recursive: true });
  }
}

function print(name: string, { title, peak, points }: Question): void {
  console.log(`\n${name}: ${title}; products at ${peak.toFixed(0)} GFLOP/s`);
  for (const { series, size, cost, low, high, rate, bound, blocks, disturbed, quiet } of points) {
    const products =
      bound === undefined ? '' : `  ${rate!.toFixed(1)} GFLOP/s, at the peak ${bound.toFixed(2)} µs`;
    console.log(
      `  ${series} ${String(size).padStart(8)} ${cost.toFixed(2).padStart(9)} µs (${low.toFixed(2)}–${high.toFixed(2)})${products}  ${blocks} blocks, ${disturbed} disturbed${quiet ? '' : ', NOT QUIET'}`,
    );
  }
}

const questions: Readonly<Record<string, (rounds: number) => Promise<Question>>> = {
  ...Object.fromEntries(
    Object.entries(growths).map(([name, growth]) => [name, (rounds: number) => growing(growth, rounds)]),
  ),
  rows: moreRows,
};

const given = process.argv.slice(2);
const asked = Object.keys(questions).filter((name) => given.includes(name));
const rounds = Number(given.find((a) => /^\d+$/.test(a)) ?? 4);
for (const name of asked.length > 0 ? asked : Object.keys(questions)) {
  const result = await questions[name]!(rounds);
  print(name, result);
  updateResult('scale', { [name]: { unit: 'µs an example', threads: THREADS, ...result } });
}
await drawScale();
