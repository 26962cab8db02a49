/**
 * How long is one whole training step (rows gathered and binarised, noise, forward, backward, Adam), beside PyTorch
 * doing the same? Blocks of steps of ours and of the peer alternate in one run; blocks in which other processes used
 * the processors are thrown away. node --import tsx bench/step.ts [mlp conv] [rounds]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adam } from '../src/optim/index.ts';
import { stream } from '../src/random/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { createLearner, type Learner, type Minibatch } from '../src/train/index.ts';
import { elbo } from '../src/vae/index.ts';
import { type Case, interleave, type Timing } from './interleave.ts';
import { BATCH, type Mnist, openMnist } from './mnist-data.ts';
import { type ModelName, modelNames, vaeNamed } from './models.ts';
import { type Peer, startTorch } from './peers/torch.ts';
import { updateResult } from './results.ts';

const SEED = 1;
const THREADS = [1, 2];
const TOLERANCE = 1e-3;
const TARGETS: Record<ModelName, number> = { mlp: 0.6, conv: 0.65 };
const KNOBS = { beta: 1, learningRate: 1e-3 };

type Side = 'ours' | 'torch';
interface Contender extends Case {
  readonly side: Side;
  readonly threads: number;
}

const openLearner = (name: ModelName, threads: number): Promise<Learner> =>
  createLearner({
    vae: vaeNamed(name),
    objective: elbo(),
    optimizer: adam(),
    runtime: nodeRuntime({ threads }),
    batchSize: BATCH,
    seed: SEED,
  });

/** Full batches for ever. */
async function* endless(mnist: Mnist): AsyncGenerator<Minibatch, never> {
  const source = mnist.train(SEED);
  for (let epoch = 0; ; epoch++)
    for await (const batch of source.batches(epoch, 0)) if (batch.count === BATCH) yield batch;
}

function ours(learner: Learner, mnist: Mnist, threads: number): Contender {
  const batches = endless(mnist);
  let number = 0;
  const step = async (): Promise<number> => {
    const started = performance.now();
    const { value } = await batches.next();
    await learner.step(++number, value, KNOBS);
    return performance.now() - started;
  };
  const block = async (warm: number, steps: number): Promise<number[]> => {
    const times: number[] = [];
    for (let i = 0; i < warm + steps; i++) times.push(await step());
    return times.slice(warm);
  };
  return { side: 'ours', threads, block };
}

const torch = (peer: Peer, model: ModelName, threads: number): Contender => ({
  side: 'torch',
  threads,
  block: async (warm, steps) => (await peer.ask<{ ms: number[] }>({ do: 'block', model, warm, steps })).ms,
});

interface Agreement {
  readonly loss: number;
  readonly norm: number;
}

/** Loss and gradient norm of both at one set of weights, pictures and noise. Throws where they differ. */
async function compare(name: ModelName, learner: Learner, mnist: Mnist, peer: Peer) {
  const folder = mkdtempSync(join(tmpdir(), 'elbo-bench-'));
  const keep = (key: string, data: Float32Array) => writeFileSync(join(folder, key), data);
  for (const [key, view] of Object.entries(learner.weights())) keep(key, view);
  const shapes = Object.fromEntries(learner.vae.parameters.map((p) => [p.name, p.shape]));
  const noise = new Float32Array(BATCH * learner.vae.spec.latent);
  stream(SEED, 'noise', 1).normal(noise); // as the learner draws it
  keep('noise', noise);
  const { value: batch } = await endless(mnist).next();
  const fill: Minibatch['fill'] = (into, step) => {
    batch.fill(into, step);
    keep('x', into.x);
  };
  const { loss, gradientNorm: norm } = await learner.step(1, { count: BATCH, fill }, KNOBS);
  const theirs = await peer.ask<Agreement>({ do: 'check', model: name, folder, shapes });
  rmSync(folder, { recursive: true });
  const differ = Math.max(Math.abs(loss / theirs.loss - 1), Math.abs(norm / theirs.norm - 1));
  if (!(differ < TOLERANCE))
    throw new Error(`${name}: loss ${loss}, gradient ${norm}; PyTorch has ${theirs.loss}, ${theirs.norm}`);
  return { ours: { loss, norm }, torch: theirs };
}

async function bench(name: ModelName, mnist: Mnist, peers: readonly Peer[], rounds: number) {
  const learners = await Promise.all(THREADS.map((threads) => openLearner(name, threads)));
  const agreement = await compare(name, learners[0]!, mnist, peers[0]!);
  const contenders = THREADS.flatMap((threads, i) => [
    ours(learners[i]!, mnist, threads),
    torch(peers[i]!, name, threads),
  ]);
  const pids = [process.pid, ...peers.map((p) => p.pid)];
  const timings = (await interleave(contenders, { rounds, pids })).map((timing, i) => {
    const { side, threads } = contenders[i]!;
    return { side, threads, ...timing };
  });
  for (const learner of learners) await learner.dispose();
  const best = (side: Side, key: 'median' | 'minimum'): number =>
    Math.min(...timings.filter((t) => t.side === side).map((t) => t[key]));
  const ratio = (key: 'median' | 'minimum'): number => best('ours', key) / best('torch', key);
  return {
    agreement,
    timings,
    ratio: { median: ratio('median'), minimum: ratio('minimum') },
    target: TARGETS[name],
  };
}

const milliseconds = (value: number): string => `${value.toFixed(2).padStart(7)} ms`;

function show({
  side,
  threads,
  median,
  minimum,
  processor,
  ...t
}: Timing & { side: Side; threads: number }): string {
  const name = side === 'ours' ? 'ours   ' : 'PyTorch';
  const blocks = `${t.used} blocks, ${t.disturbed} disturbed${t.quiet ? '' : ', NOT QUIET'}`;
  return `  ${name} T=${threads}  median ${milliseconds(median)}  minimum ${milliseconds(minimum)}  processor ${milliseconds(processor)}  (${blocks})`;
}

function print(
  name: ModelName,
  { agreement, timings, ratio, target }: Awaited<ReturnType<typeof bench>>,
): void {
  console.log(`${name}: loss ${agreement.ours.loss.toFixed(4)}, PyTorch ${agreement.torch.loss.toFixed(4)}`);
  for (const timing of timings) console.log(show(timing));
  console.log(
    `  ours / PyTorch, each at its best: median ${ratio.median.toFixed(3)}, minimum ${ratio.minimum.toFixed(3)} (wanted: at most ${target})`,
  );
}

async function main(given: readonly string[]): Promise<void> {
  const mnist = await openMnist();
  const asked = modelNames.filter((name) => given.includes(name));
  const rounds = Number(given.find((a) => /^\d+$/.test(a)) ?? 12);
  const data = fileURLToPath(import.meta.resolve('mnist-data/data/train-images-idx3-ubyte'));
  const peers = THREADS.map(startTorch);
  try {
    const opened = peers.map((peer, i) => peer.ask<object>({ do: 'open', data, threads: THREADS[i] }));
    const [peer] = await Promise.all(opened);
    for (const name of asked.length > 0 ? asked : modelNames) {
      const result = await bench(name, mnist, peers, rounds);
      print(name, result);
      updateResult('step', { [name]: { batch: BATCH, unit: 'ms a step', peer, ...result } });
    }
  } finally {
    for (const peer of peers) peer.close();
  }
}

await main(process.argv.slice(2));
