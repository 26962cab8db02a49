/**
 * How long is one whole training step (rows gathered, noise, forward, backward, Adam), beside peers doing the same?
 * Blocks of steps of all of them alternate in one run. npm run ts -- bench/steps.ts [workload …] [rounds] [--without peer …]
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Learner } from '../src/train/index.ts';
import { type Case, interleave, type Timing, timed } from './interleave.ts';
import { type Peer, type PeerName, peerNames } from './peers.ts';
import { openProduct, PRODUCT_GFLOP } from './product.ts';
import { updateResult } from './results.ts';
import { fastest, printRows, type Row, ratiosToOurs } from './rows.ts';
import { endless, KNOBS, openSetting, type Setting, THREADS } from './setting.ts';
import type { Source } from './sources.ts';
import { operations, type WorkloadName, workloadNames } from './workloads.ts';

interface Contender extends Case {
  readonly side: 'ours' | PeerName;
  readonly threads: number;
  readonly pid: number;
  readonly close?: () => Promise<unknown>;
}

function ours(learner: Learner, source: Source, batch: number, threads: number): Contender {
  const batches = endless(source, batch, threads);
  let number = 0;
  const step = async () => learner.step(++number, (await batches.next()).value, KNOBS);
  return {
    side: 'ours',
    threads,
    pid: process.pid,
    block: (warm, steps) => timed(step, warm, steps),
    close: () => batches.return(undefined as never),
  };
}

const theirs = (peer: Peer, workload: object): Contender => ({
  side: peer.name,
  threads: peer.threads,
  pid: peer.pid,
  pids: [peer.pid],
  block: async (warm, steps) => (await peer.ask<{ ms: number[] }>({ do: 'block', workload, warm, steps })).ms,
});

/** The largest resident memory of a process so far, MiB. */
function peakMemory(pid: number): number {
  const line = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Math.round(Number(line?.[1]) / 1024);
}

async function bench(name: WorkloadName, names: readonly PeerName[], rounds: number) {
  const product = await openProduct(Math.max(...THREADS));
  const setting = await openSetting(name, names);
  const { workload, source, learners, peers, described } = setting;
  const contenders = [
    ...learners.map((learner, i) => ours(learner, source, workload.batch, THREADS[i]!)),
    ...peers.map((peer) => theirs(peer, described)),
  ];
  try {
    writeFileSync('/proc/self/clear_refs', '5'); // our peak memory so far is that of earlier workloads
    const products = { block: (warm: number, count: number) => timed(product.run, warm, count) };
    const timings = await interleave([...contenders, products], rounds);
    const rows = contenders.map(
      ({ side, threads, pid }, i): Row => ({ side, threads, ...timings[i]!, memory: peakMemory(pid) }),
    );
    return summary(setting, rows, timings.at(-1)!);
  } finally {
    await product.dispose();
    for (const { close } of contenders) await close?.();
    await setting.close();
  }
}

function summary({ workload, learners, absent, agreement }: Setting, rows: readonly Row[], products: Timing) {
  const gflop = operations(workload, learners[0]!.vae) / 1e9;
  const rate = (ms: number) => PRODUCT_GFLOP / (ms / 1e3);
  const speeds = { peak: rate(products.minimum), usual: rate(products.median) };
  return { title: workload.title, gflop, ...speeds, ratios: ratiosToOurs(rows), absent, agreement, rows };
}

function print(name: string, result: Awaited<ReturnType<typeof bench>>): void {
  printRows(name, result);
  const { gflop, peak, rows } = result;
  const { median, minimum } = fastest(rows, 'ours');
  const share = (ms: number) => (gflop / (ms / 1e3) / peak).toFixed(2);
  console.log(
    `  ${gflop.toFixed(2)} GFLOP, of the peak of ${peak.toFixed(0)} GFLOP/s ${share(median)}, at best ${share(minimum)}`,
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
