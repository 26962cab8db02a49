/**
 * How long is one whole training step (rows gathered, noise, forward, backward, Adam), beside peers doing the same?
 * Blocks of steps of all of them alternate in one run. npx tsx bench/steps.ts [workload …] [rounds] [--without peer …]
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { input, matmul, toOnnx } from '../src/graph/index.ts';
import { adam } from '../src/optim/index.ts';
import { stream } from '../src/random/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { trainingSource } from '../src/tasks/source.ts';
import { createLearner, type Learner, type Minibatch } from '../src/train/index.ts';
import { type Case, interleave, type Timing } from './interleave.ts';
import { type Peer, type PeerName, peerNames, startPeer } from './peers.ts';
import { updateResult } from './results.ts';
import { openSource, type Source } from './sources.ts';
import {
  objectiveOf,
  operations,
  vaeOf,
  type Workload,
  type WorkloadName,
  workloadNames,
  workloads,
} from './workloads.ts';

const SEED = 1;
const THREADS = [1, 2];
const TOLERANCE = 1e-3;
const KNOBS = { beta: 1, learningRate: 1e-3 };

interface Contender extends Case {
  readonly side: 'ours' | PeerName;
  readonly threads: number;
  readonly pid: number;
}

const openLearner = (workload: Workload, { codec }: Source, threads: number): Promise<Learner> =>
  createLearner({
    vae: vaeOf(workload, codec),
    objective: objectiveOf(workload),
    optimizer: adam(),
    runtime: nodeRuntime({ threads }),
    batchSize: workload.batch,
    samples: workload.samples,
    seed: SEED,
  });

/** Full batches for ever. */
async function* endless({ data, codec }: Source, batch: number): AsyncGenerator<Minibatch, never> {
  const source = trainingSource(data, codec, batch, SEED);
  for (let epoch = 0; ; epoch++)
    for await (const some of source.batches(epoch, 0)) if (some.count === batch) yield some;
}

async function timed(step: () => Promise<unknown>, warm: number, steps: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < warm + steps; i++) {
    const started = performance.now();
    await step();
    times.push(performance.now() - started);
  }
  return times.slice(warm);
}

function ours(learner: Learner, source: Source, batch: number, threads: number): Contender {
  const batches = endless(source, batch);
  let number = 0;
  const step = async () => learner.step(++number, (await batches.next()).value, KNOBS);
  return { side: 'ours', threads, pid: process.pid, block: (warm, steps) => timed(step, warm, steps) };
}

const theirs = (peer: Peer, workload: object): Contender => ({
  side: peer.name,
  threads: peer.threads,
  pid: peer.pid,
  block: async (warm, steps) => (await peer.ask<{ ms: number[] }>({ do: 'block', workload, warm, steps })).ms,
});

/** 1024³: what the machine can do of matrix products, GFLOP/s by milliseconds. */
const PEAK_SIZE = 1024;
const PEAK_OPERATIONS = 2 * PEAK_SIZE ** 3;

async function peak(threads: number): Promise<Case> {
  const [a, b] = [input('a', [PEAK_SIZE, PEAK_SIZE]), input('b', [PEAK_SIZE, PEAK_SIZE])];
  const session = await nodeRuntime({ threads }).session(toOnnx({ y: matmul(a, b) }));
  const values = () => ({ data: new Float32Array(PEAK_SIZE ** 2).fill(0.5), dims: [PEAK_SIZE, PEAK_SIZE] });
  const call = session.bind({ a: values(), b: values() }, { y: values() });
  return { block: (warm, steps) => timed(call, warm, steps) };
}

interface Agreement {
  readonly loss: number;
  readonly norm: number;
}

/** What a peer has to know of a workload, and the training rows in files. */
function describe(name: WorkloadName, { data }: Source, learner: Learner) {
  const { shape, parts, masked } = learner.vae.spec;
  const [field] = data.schema.fields;
  const pixels =
    field?.role !== 'model' || field.type !== 'image'
      ? null
      : field.binarize === 'dynamic'
        ? 'binary'
        : 'grey';
  const { title, source, ...model } = workloads[name];
  return { name, ...model, shape, parts, masked, pixels };
}

/** The training rows as the peers read them: pixels as bytes, rows of a table as the codec writes them. */
async function writeRows(folder: string, { data, codec }: Source, pixels: string | null): Promise<void> {
  const size = codec.shape.reduce((a, b) => a * b, 1);
  const { value: batch } = await data
    .batches({ split: 'train', batchSize: data.counts.train })
    [Symbol.asyncIterator]()
    .next();
  const x = new Float32Array(data.counts.train * size);
  const mask = new Float32Array(codec.masked ? data.counts.train * codec.parts.length : 0);
  codec.encode(batch!, codec.masked ? { x, mask } : { x }, pixels ? undefined : { kind: 'row', seed: SEED });
  if (pixels)
    writeFileSync(
      join(folder, 'pixels'),
      Uint8Array.from(x, (v) => Math.round(v * 255)),
    );
  else writeFileSync(join(folder, 'rows'), x);
  if (!pixels && codec.masked) writeFileSync(join(folder, 'mask'), mask);
}

/** Writes weights, one batch and its noise; gives our loss and gradient norm there. */
async function writeCheck(
  folder: string,
  workload: Workload,
  source: Source,
  learner: Learner,
): Promise<Agreement> {
  const keep = (key: string, data: Float32Array) => writeFileSync(join(folder, key), data);
  for (const [key, view] of Object.entries(learner.weights())) {
    if (view.every((v) => v === 0)) stream(SEED, key).uniform(view); // else what comes before it has no gradient
    keep(key, view);
  }
  const noise = new Float32Array(workload.batch * workload.samples * workload.latent);
  stream(SEED, 'noise', 1).normal(noise); // as the learner draws it
  keep('noise', noise);
  const { value: batch } = await endless(source, workload.batch).next();
  const fill: Minibatch['fill'] = (into, step) => {
    batch.fill(into, step);
    keep('x', into.x);
    keep('mask', into.mask);
  };
  const { loss, gradientNorm: norm } = await learner.step(1, { count: workload.batch, fill }, KNOBS);
  return { loss, norm };
}

/** Readies a peer for a workload; throws where it cannot do it, or computes something else. */
async function ready(
  peer: Peer,
  workload: object,
  folder: string,
  learner: Learner,
  wanted: Agreement,
): Promise<void> {
  const shapes = Object.fromEntries(learner.vae.parameters.map((p) => [p.name, p.shape]));
  await peer.ask({ do: 'load', workload, folder });
  const { loss, norm } = await peer.ask<Agreement>({ do: 'check', workload, folder, shapes });
  const differ = Math.max(Math.abs(loss / wanted.loss - 1), Math.abs(norm / wanted.norm - 1));
  if (!(differ < TOLERANCE))
    throw new Error(`loss ${loss}, gradient ${norm}; ours are ${wanted.loss}, ${wanted.norm}`);
}

/** The largest resident memory of a process so far, MiB. */
function peakMemory(pid: number): number {
  const line = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(line?.[1]) / 1024);
}

type Row = Omit<Contender, 'block' | 'pid'> & Timing & { readonly memory: number };

async function bench(name: WorkloadName, names: readonly PeerName[], rounds: number) {
  const workload: Workload = workloads[name];
  const source = await openSource(workload.source);
  const learners = await Promise.all(THREADS.map((threads) => openLearner(workload, source, threads)));
  const folder = mkdtempSync(join(tmpdir(), 'elbo-bench-'));
  const peers: Peer[] = [];
  const absent: Record<string, string> = {};
  try {
    const agreement = await writeCheck(folder, workload, source, learners[0]!);
    const described = describe(name, source, learners[0]!);
    await writeRows(folder, source, described.pixels);
    for (const [kind, threads] of names.flatMap((kind) => THREADS.map((t) => [kind, t] as const))) {
      const peer = await startPeer(kind, threads);
      if (typeof peer === 'string') absent[kind] = peer;
      else
        await ready(peer, described, folder, learners[0]!, agreement).then(
          () => peers.push(peer),
          (error: Error) => {
            absent[kind] = error.message;
            peer.close();
          },
        );
    }
    const contenders = [
      ...learners.map((learner, i) => ours(learner, source, workload.batch, THREADS[i]!)),
      ...peers.map((peer) => theirs(peer, described)),
    ];
    const peaks = await Promise.all(THREADS.map(peak));
    const pids = contenders.map(({ pid }) => pid);
    const timings = await interleave([...contenders, ...peaks], { rounds, pids });
    const rows = contenders.map(
      ({ side, threads, pid }, i): Row => ({ side, threads, ...timings[i]!, memory: peakMemory(pid) }),
    );
    const best = Math.min(...timings.slice(contenders.length).map((t) => t.median));
    return summary(workload, learners[0]!, rows, PEAK_OPERATIONS / best / 1e6, absent, agreement);
  } finally {
    for (const peer of peers) peer.close();
    for (const learner of learners) await learner.dispose();
    rmSync(folder, { recursive: true });
  }
}

function summary(
  workload: Workload,
  learner: Learner,
  rows: readonly Row[],
  peakRate: number,
  absent: object,
  agreement: Agreement,
) {
  const fastest = (side: string): Row =>
    rows.filter((r) => r.side === side).reduce((a, b) => (b.median < a.median ? b : a));
  const mine = fastest('ours');
  const gflop = operations(workload, learner.vae) / 1e9;
  const rate = gflop / (mine.median / 1e3);
  const others = [...new Set(rows.map((r) => r.side))].filter((side) => side !== 'ours');
  const ratios = Object.fromEntries(others.map((side) => [side, fastest(side).median / mine.median]));
  return {
    title: workload.title,
    gflop,
    rate,
    peak: peakRate,
    fraction: rate / peakRate,
    ratios,
    absent,
    agreement,
    rows,
  };
}

const milliseconds = (value: number): string => `${value.toFixed(2).padStart(8)} ms`;

function print(name: string, result: Awaited<ReturnType<typeof bench>>): void {
  console.log(`\n${name}: ${result.title}`);
  for (const { side, threads, median, low, high, minimum, memory, used, disturbed, quiet } of result.rows)
    console.log(
      `  ${side.padEnd(29)} T=${threads} ${milliseconds(median)}  (${low.toFixed(2)}–${high.toFixed(2)}, least ${minimum.toFixed(2)})  ${memory} MiB  ${used} blocks, ${disturbed} disturbed${quiet ? '' : ', NOT QUIET'}`,
    );
  for (const [peer, why] of Object.entries(result.absent)) console.log(`  ${peer}: absent. ${why}`);
  const shown = Object.entries(result.ratios).map(([peer, ratio]) => `${peer} ${ratio.toFixed(2)}`);
  console.log(`  times ours: ${shown.join(' · ')}`);
  console.log(
    `  ${result.gflop.toFixed(2)} GFLOP, ${result.rate.toFixed(0)} GFLOP/s of ${result.peak.toFixed(0)}: ${result.fraction.toFixed(2)} of the peak`,
  );
}

async function main(given: readonly string[]): Promise<void> {
  const cut = given.indexOf('--without');
  const without = cut < 0 ? [] : given.slice(cut + 1);
  const asked = workloadNames.filter((name) => given.includes(name));
  const rounds = Number(given.find((a) => /^\d+$/.test(a)) ?? 12);
  const names = peerNames.filter((name) => !without.includes(name));
  for (const name of asked.length > 0 ? asked : workloadNames) {
    const result = await bench(name, names, rounds);
    print(name, result);
    if (cut < 0) updateResult('steps', { [name]: { unit: 'ms a step', ...result } });
  }
}

await main(process.argv.slice(2));
