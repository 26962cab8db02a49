/**
 * How long is a training step in a page of a headless Chromium, beside TensorFlow.js and jax-js there? Blocks of steps
 * of all of them alternate in one run. npm run ts -- bench/browser.ts [workload …] [rounds]
 */
import { openSides } from './browser/sides.ts';
import { interleave } from './interleave.ts';
import { updateResult } from './results.ts';
import { printRows, ratiosToOurs } from './rows.ts';
import { openSetting } from './setting.ts';
import { type WorkloadName, workloadNames } from './workloads.ts';

const USUAL: readonly WorkloadName[] = ['mlp', 'table', 'conv'];

async function bench(name: WorkloadName, rounds: number) {
  const setting = await openSetting(name, []);
  try {
    const { sides, absent, versions, processes, close } = await openSides(setting);
    try {
      if (!sides.some(({ side }) => side.startsWith('ours'))) throw new Error(absent['ours, wasm']);
      const cases = sides.map((side) => ({ ...side, pids: processes }));
      const timings = await interleave(cases, rounds);
      const rows = sides.map(({ side, threads }, i) => ({ side, threads, ...timings[i]! }));
      const { workload, agreement } = setting;
      return { title: workload.title, versions, ratios: ratiosToOurs(rows), absent, agreement, rows };
    } finally {
      await close();
    }
  } finally {
    await setting.close();
  }
}

async function main(given: readonly string[]): Promise<void> {
  const asked = workloadNames.filter((name) => given.includes(name));
  const rounds = Number(given.find((a) => /^\d+$/.test(a)) ?? 6);
  for (const name of asked.length > 0 ? asked : USUAL) {
    const result = await bench(name, rounds);
    printRows(name, result);
    updateResult('browser', { [name]: { unit: 'ms a step', ...result } });
  }
}

await main(process.argv.slice(2));
