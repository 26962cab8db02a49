/** A workload made ready on all sides: our learners and the peers, which have shown that they compute the same. */
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { adam } from '../src/optim/index.ts';
import { stream } from '../src/random/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import { trainingSource } from '../src/tasks/source.ts';
import { createLearner, type Learner, type Minibatch } from '../src/train/index.ts';
import { type Peer, type PeerName, peerKinds, startPeer } from './peers.ts';
import { openSource, type Source } from './sources.ts';
import { objectiveOf, vaeOf, type Workload, type WorkloadName, workloads } from './workloads.ts';

export const SEED = 1;
export const THREADS = [1, 2];
const TOLERANCE = 1e-3;
const CHUNK = 1024; // rows
export const KNOBS = { beta: 1, progress: 1, learningRate: 1e-3 };

export interface Setting {
  readonly workload: Workload;
  readonly source: Source;
  /** One for each of THREADS. */
  readonly learners: readonly Learner[];
  readonly peers: readonly Peer[];
  /** Peers that are not there, or cannot do this, by name with the reason. */
  readonly absent: Readonly<Record<string, string>>;
  /** The workload as the peers know it. */
  readonly described: object;
  /** Weights, a batch, its noise and the training rows, as files. */
  readonly folder: string;
  readonly agreement: Agreement;
  readonly close: () => Promise<void>;
}

export async function openSetting(name: WorkloadName, names: readonly PeerName[]): Promise<Setting> {
  const workload: Workload = workloads[name];
  const source = await openSource(workload.source);
  const learners = await Promise.all(THREADS.map((threads) => openLearner(workload, source, threads)));
  const learner = learners[0]!;
  const folder = mkdtempSync(join(tmpdir(), 'elbo-bench-'));
  const peers: Peer[] = [];
  const absent: Record<string, string> = {};
  const agreement = await writeCheck(folder, workload, source, learner);
  const described = describe(name, source);
  await writeRows(folder, source, described.pixels);
  for (const [kind, threads] of names.flatMap((n) => peerKinds[n].threads.map((t) => [n, t] as const))) {
    const peer = await startPeer(kind, threads);
    if (typeof peer === 'string') absent[kind] = peer;
    else
      await ready(peer, { described, folder, learners, agreement }).then(
        () => peers.push(peer),
        (error: Error) => {
          absent[kind] = error.message;
          peer.close();
        },
      );
  }
  const close = async () => {
    for (const peer of peers) peer.close();
    for (const each of learners) await each.dispose();
    rmSync(folder, { recursive: true });
  };
  return { workload, source, learners, peers, absent, described, folder, agreement, close };
}

const openLearner = (workload: Workload, { codec }: Source, threads: number): Promise<Learner> =>
  createLearner({
    vae: vaeOf(workload, codec),
    objective: objectiveOf(workload),
    optimizer: adam(),
    runtime: nodeRuntime({ threads }),
    batchSize: workload.batch,
    seed: SEED,
  });

/** Full batches for ever. */
export async function* endless(
  { data, codec }: Source,
  batch: number,
  threads = 1,
): AsyncGenerator<Minibatch, never> {
  const source = trainingSource(data, codec, { batchSize: batch, seed: SEED, threads });
  try {
    for (let epoch = 0; ; epoch++)
      for await (const some of source.batches(epoch, 0)) if (some.count === batch) yield some;
  } finally {
    await source.close();
  }
}

interface Agreement {
  readonly loss: number;
  readonly norm: number;
}

/** What a peer has to know of a workload, and the training rows in files. */
function describe(name: WorkloadName, { data, codec }: Source) {
  const { shape, parts, masked } = codec;
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
  const x = new Float32Array(CHUNK * size);
  const mask = new Float32Array(CHUNK * codec.parts.length);
  for await (const batch of data.batches({ split: 'train', batchSize: CHUNK })) {
    const n = batch.index.length;
    codec.encode(batch, { x, mask }, pixels ? undefined : { kind: 'row', seed: SEED });
    const own = x.subarray(0, n * size);
    const append = (file: string, values: ArrayBufferView) =>
      appendFileSync(join(folder, file), values as Uint8Array);
    if (pixels)
      append(
        'pixels',
        Uint8Array.from(own, (v) => Math.round(v * 255)),
      );
    else append('rows', own);
    if (!pixels && codec.masked) append('rows.mask', mask.subarray(0, n * codec.parts.length));
  }
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
    if (view.every((v) => v === 0)) {
      stream(SEED, key).uniform(view); // else what comes before it has no gradient
      view.set(view.map((v) => 0.04 * (v - 0.5)));
    }
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
export async function ready(
  peer: Pick<Peer, 'ask'>,
  {
    described,
    folder,
    learners,
    agreement,
  }: Pick<Setting, 'described' | 'folder' | 'learners' | 'agreement'>,
): Promise<void> {
  const shapes = Object.fromEntries(learners[0]!.vae.parameters.map((p) => [p.name, p.shape]));
  await peer.ask({ do: 'load', workload: described, folder });
  const { loss, norm } = await peer.ask<Agreement>({ do: 'check', workload: described, folder, shapes });
  const differ = Math.max(Math.abs(loss / agreement.loss - 1), Math.abs(norm / agreement.norm - 1));
  if (!(differ < TOLERANCE))
    throw new Error(`loss ${loss}, gradient ${norm}; ours are ${agreement.loss}, ${agreement.norm}`);
}
