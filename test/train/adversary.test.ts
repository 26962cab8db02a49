import assert from 'node:assert/strict';
import { test } from 'node:test';
import { adam, type Optimizer, sgd } from '../../src/optim/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { createLearner } from '../../src/train/index.ts';
import { createVae, make, objectives, posteriors } from '../../src/vae/index.ts';
import { rowSpec, toy } from './toy.ts';

const runtime = nodeRuntime({ threads: 1 });
const RATE = 0.01;

/** The state before and after one step; each block by the name of its parameter. */
async function oneStep(options: object, optimizer: Optimizer, more: object = {}) {
  const vae = createVae({ ...rowSpec, posterior: make(posteriors.point) });
  const objective = make(objectives.aae, { adversaryHidden: [8], ...options });
  const given = toy({ runtime, vae, objective, optimizer, ...more });
  const learner = await createLearner(given);
  const copy = () =>
    new Map(Object.entries(learner.state()).map(([name, data]) => [name, Float64Array.from(data)]));
  const before = copy();
  for await (const batch of given.train.batches(0, 0)) {
    await learner.step(1, batch, { beta: 0, progress: 0, learningRate: RATE });
    break;
  }
  const after = copy();
  await learner.dispose();
  const of = (kind: string, whose: 'model' | 'adversary') =>
    [...after].filter(
      ([name]) => name.startsWith(`${kind}/`) && name.includes('/objective.') === (whose === 'adversary'),
    );
  const moved = (whose: 'model' | 'adversary') =>
    of('parameters', whose).flatMap(([name, data]) => [
      ...data.map((v, i) => Math.abs(v - before.get(name)![i]!)),
    ]);
  return { after, of, moved };
}

const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);

test('the networks of an adversary move by Adam with a rate of their own, whatever moves the model', async () => {
  for (const optimizer of [adam(), sgd(), sgd({ momentum: 0.9 })]) {
    const { moved } = await oneStep({ adversaryRate: 3 }, optimizer);
    // Adam's first step is the rate itself wherever the gradient is well above its epsilon
    assert.ok(Math.abs(largest(moved('adversary')) - 3 * RATE) < 1e-5, `${optimizer.kind}`);
    assert.ok(largest(moved('model')) > 0);
  }
  const { moved } = await oneStep({}, adam());
  assert.ok(Math.abs(largest(moved('model')) - RATE) < 1e-5);
});

test('the mean of the adversary decays as asked, that of the model as its optimiser says', async () => {
  const { of } = await oneStep({ adversaryBeta1: 0.5 }, adam({ beta1: 0.9, beta2: 0.99 }));
  /** m / √v after one step: (1 − β₁) / √(1 − β₂). */
  const ratio = (whose: 'model' | 'adversary'): number => {
    const [m, v] = [of('slot 0', whose), of('slot 1', whose)];
    const [i, j] = m
      .flatMap(([, data], at) => [...data].map((value, k) => [at, k, Math.abs(value)] as const))
      .reduce((a, b) => (b[2] > a[2] ? b : a));
    return Math.abs(m[i]![1][j]!) / Math.sqrt(v[i]![1][j]!);
  };
  assert.ok(Math.abs(ratio('model') - 0.1 / Math.sqrt(0.01)) < 1e-3);
  assert.ok(Math.abs(ratio('adversary') - 0.5 / Math.sqrt(0.001)) < 1e-2);
});

test('each is clipped by its own norm', async () => {
  const { of } = await oneStep({ adversaryBeta1: 0 }, adam({ beta1: 0 }), { clip: 1e-3 });
  for (const whose of ['model', 'adversary'] as const) {
    const norm = Math.sqrt(of('slot 0', whose).reduce((a, [, m]) => a + m.reduce((b, v) => b + v * v, 0), 0));
    assert.ok(Math.abs(norm - 1e-3) < 1e-7, `${whose}: ${norm}`);
  }
});
