/**
 * How long does it take to encode and to decode one example (latency), and how many a second in batches (throughput)?
 * Weights are inside the graph, as in a saved model. npm run ts -- bench/inference.ts [workload …] [rounds]
 */
import { sigmoid, toOnnx } from '../src/graph/index.ts';
import { nodeRuntime } from '../src/runtime/node.ts';
import type { Learner } from '../src/train/index.ts';
import { decoderGraph, encoderGraph, type Outputs } from '../src/vae/index.ts';
import { type Case, interleave, timed } from './interleave.ts';
import { type Peer, type PeerName, peerNames } from './peers.ts';
import { updateResult } from './results.ts';
import { openSetting, THREADS } from './setting.ts';
import { type WorkloadName, workloadNames } from './workloads.ts';

const SIDES: readonly PeerName[] = peerNames.filter(
  (name) => !name.includes('wasm') && !name.includes('last'),
);
const WHAT = ['encode', 'decode'] as const;
const COUNTS = [1, 1000];

type What = (typeof WHAT)[number];

/** μ and log σ² as the peers give them, or the mean of x. */
function graphOf({ vae }: Learner, what: What): Outputs {
  if (what === 'decode') return { mean: sigmoid(Object.values(decoderGraph(vae))[0]!) };
  const { mean, logVar } = encoderGraph(vae);
  return { mean: mean!, logVar: logVar! };
}

async function ours(learner: Learner, what: What, count: number, threads: number): Promise<Case> {
  const outputs = graphOf(learner, what);
  const session = await nodeRuntime({ threads }).session(toOnnx(outputs, { weights: learner.weights() }));
  const { shape, latent } = learner.vae.spec;
  const dims = [count, ...(what === 'encode' ? shape : [latent])];
  const data = new Float32Array(dims.reduce((a, b) => a * b, 1)).fill(0.5);
  const feeds = { [what === 'encode' ? 'x' : 'z']: { data, dims } };
  return { block: (warm, steps) => timed(() => session.run(feeds), warm, steps) };
}

const theirs = (peer: Peer, workload: object, what: What, count: number): Case => ({
  pids: [peer.pid],
  block: async (warm, steps) =>
    (await peer.ask<{ ms: number[] }>({ do: 'infer', workload, what, count, warm, steps })).ms,
});

async function bench(name: WorkloadName, rounds: number): Promise<object> {
  const { learners, peers, described, close } = await openSetting(name, SIDES);
  const results: Record<string, object> = {};
  try {
    for (const what of WHAT)
      for (const count of COUNTS) {
        const mine = await Promise.all(THREADS.map((t, i) => ours(learners[i]!, what, count, t)));
        const cases = [...mine, ...peers.map((peer) => theirs(peer, described, what, count))];
        const timings = await interleave(cases, rounds);
        const sides = [...THREADS.map((t) => `ours, ${t}`), ...peers.map((p) => `${p.name}, ${p.threads}`)];
        const ms = Object.fromEntries(sides.map((side, i) => [side, timings[i]!.median]));
        results[`${what} ${count}`] = ms;
        const shown = Object.entries(ms).map(([side, value]) => `${side} ${value.toPrecision(3)}`);
        console.log(`${name}, ${what} ${count}, ms: ${shown.join(' · ')}`);
      }
    return results;
  } finally {
    await close();
  }
}

const given = process.argv.slice(2);
const asked = workloadNames.filter((name) => given.includes(name));
const rounds = Number(given.find((a) => /^\d+$/.test(a)) ?? 6);
for (const name of asked.length > 0 ? asked : (['mlp', 'conv'] as const))
  updateResult('inference', { [name]: { unit: 'ms', ...(await bench(name, rounds)) } });
