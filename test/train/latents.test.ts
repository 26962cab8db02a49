/** Every posterior and prior over a continuous space trains: short runs on made-up rows. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { type FitEvent, fit } from '../../src/train/index.ts';
import {
  createVae,
  type ModelSpec,
  make,
  objectives,
  type PosteriorName,
  type PriorName,
} from '../../src/vae/index.ts';
import { type Named, nameOf, posterior, prior } from '../vae/latent.ts';
import { rowSpec, run, source, toy } from './toy.ts';

const runtime = nodeRuntime({ threads: 1 });

const pairs: readonly (readonly [Named<PosteriorName>, Named<PriorName>])[] = [
  ['gaussianFull', 'normal'],
  ['planar', 'normal'],
  ['radial', 'normal'],
  ['householder', 'normal'],
  ['iaf', 'normal'],
  ['gaussian', 'learnedNormal'],
  ['gaussian', 'mixture'],
  ['gaussian', ['vampPrior', { components: 5 }]],
  ['gaussianFull', ['vampPrior', { components: 5 }]],
  ['householder', ['vampData', { components: 5 }]],
  ['gaussian', 'realNVP'],
  ['gaussian', 'maf'],
  ['iaf', 'maf'],
  ['vonMisesFisher', 'uniformSphere'],
  ['wrappedNormal', 'poincareNormal'],
];

const specOf = (q: Named<PosteriorName>, p: Named<PriorName>): ModelSpec => ({
  ...rowSpec,
  latent: 3,
  posterior: posterior(q),
  prior: prior(p),
});

for (const [q, p] of pairs)
  test(`${nameOf(q)} with ${nameOf(p)}: every loss is finite, and the bound gets better`, async () => {
    const objective = make(objectives.elbo, { samples: 2 });
    const ran = await run({ runtime, vae: createVae(specOf(q, p)), objective });
    const losses = ran.events.flatMap((e) => (e.type === 'step' ? [e.loss, e.gradientNorm] : []));
    assert.ok(losses.length === 2 * 24 && losses.every(Number.isFinite), String(losses));
    const { history } = ran.fitted;
    assert.ok(history.at(-1)!.train.negativeElbo < history[0]!.train.negativeElbo);
    assert.ok(history.every(({ validation }) => Number.isFinite(validation.negativeElbo)));
  });

/** The rows of the first epoch, as they come. */
async function firstRows(spec: ModelSpec, count: number): Promise<number[][]> {
  const into = { x: new Float32Array(8 * 6), mask: new Float32Array(8 * 3), condition: new Float32Array(0) };
  const rows: number[][] = [];
  for await (const batch of source(spec, 42, 8).batches(0, 0)) {
    batch.fill(into, 0);
    for (let i = 0; i < batch.count; i++) rows.push([...into.x.subarray(6 * i, 6 * i + 6)]);
  }
  return rows.slice(0, count);
}

/** The pseudo-inputs at the first event of a run and at its end. */
async function pseudoInputs(spec: ModelSpec, given: object = {}) {
  const kept: Record<string, Float32Array>[] = [];
  const options = toy({
    runtime,
    vae: createVae(spec),
    epochs: 2,
    ...given,
    save: async ({ tensors }) => {
      kept.push(Object.fromEntries(Object.entries(tensors).map(([name, data]) => [name, data.slice()])));
    },
  });
  const events: FitEvent[] = [];
  for await (const event of fit(options)) events.push(event);
  return kept.at(-1)!;
}

test('pseudo-inputs of vampData that are fixed are the first training examples, and stay so', async () => {
  const spec = specOf('gaussian', ['vampData', { components: 10, fixed: true }]);
  const end = await pseudoInputs(spec, { ema: 0.9 });
  const rows = (await firstRows(spec, 10)).flat();
  for (const kind of ['parameters', 'average', 'best'])
    assert.deepEqual(
      [...end[kind === 'best' ? 'best/prior.pseudoInputs' : `${kind}/prior.pseudoInputs`]!],
      rows,
    );
});

test('those that are not fixed start there and move; where there are more than rows, rows come again', async () => {
  const spec = specOf('gaussian', ['vampData', { components: 50 }]);
  const end = await pseudoInputs(spec, { learningRate: 1e-6 });
  const all = await firstRows(spec, 42);
  const start = [...all, ...all.slice(0, 8)].flat();
  const moved = [...end['parameters/prior.pseudoInputs']!].map((v, i) => Math.abs(v - start[i]!));
  assert.ok(moved.some((by) => by > 0));
  assert.ok(moved.every((by) => by < 1e-4));
});
