/** Dropout: what it leaves, and that only training has it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.ts';
import { chain, convNetwork, dropout, ladder, mlp, noisesOf, parameters } from '../../src/nn/index.ts';
import {
  createVae,
  decoderGraph,
  encoderGraph,
  evaluationGraph,
  type ModelSpec,
  make,
  objectives,
  trainingGraph,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { evaluate, value } from '../reference.ts';
import { mixedSpec, pictureSpec, small } from '../vae/models.ts';
import { noiseFeeds } from '../vae/training.ts';

const ones = value(new Float32Array(200 * 50).fill(1), [200, 50]);

test('training keeps 1 − rate of the entries, larger by as much, and drops others at each place', () => {
  const { training } = parameters();
  const x = input('x', ['B', 50]);
  const [a, b] = [dropout(training.at('a'), x, 0.3), dropout(training.at('b'), x, 0.3)];
  const [first, second] = evaluate([a, b], { x: ones, ...noiseFeeds({ a, b }, 200, 1) });
  const values = [...new Set(Array.from(first!.data, (v) => Math.round(v * 1e6) / 1e6))].sort();
  assert.deepEqual(values, [0, Math.round(1e6 / 0.7) / 1e6]);
  const mean = first!.data.reduce((t, v) => t + v, 0) / 10_000;
  assert.ok(Math.abs(mean - 1) < 4 * Math.sqrt(0.3 / 0.7 / 10_000), `a mean of ${mean}`);
  assert.ok(first!.data.some((v, i) => v !== second!.data[i]));
});

test('outside training, and at a rate of 0, x is left as it is', () => {
  const { root, training } = parameters();
  const x = input('x', ['B', 50]);
  assert.equal(dropout(root, x, 0.3), x);
  assert.equal(dropout(training, x, 0), x);
  assert.equal(dropout(training, x), x);
});

const [rate, activation] = [0.5, 'tanh'] as const;
const bodies: Record<string, ModelSpec> = {
  mlp: { ...mixedSpec, network: mlp({ hidden: [6, 5], activation, norm: true, dropout: rate }) },
  conv: {
    ...pictureSpec,
    network: convNetwork({ channels: [4], hidden: 5, activation, norm: false, blocks: 1, dropout: rate }),
  },
  ladder: {
    ...pictureSpec,
    network: ladder({ levels: [0, 2], channels: 4, activation, blocks: 1, dropout: rate }),
  },
  chain: { ...mixedSpec, network: chain({ depth: 2, layers: 2, activation, dropout: rate }) },
};

for (const [name, spec] of Object.entries(bodies)) {
  const elbo = make(objectives.elbo, {});
  const { vae, feeds } = small(spec, { batch: 4 });
  const dropping = (outputs: Parameters<typeof noisesOf>[0]) =>
    noisesOf(outputs).filter((noise) => noise.name.includes('dropout'));
  const { outputs } = trainingGraph(vae, elbo);

  test(`${name}: the encoder and the decoder drop in training, and in nothing else`, () => {
    const places = dropping(outputs).map((noise) => noise.name.split('.')[0]);
    assert.ok(places.includes('encoder') && places.includes('decoder'), `${places}`);
    for (const graph of [encoderGraph(vae), decoderGraph(vae), evaluationGraph(vae)])
      assert.deepEqual(dropping(graph), []);
  });

  test(`${name}: with dropout the parameters are the same, and their gradients those of central differences`, () => {
    assert.deepEqual(
      vae.inTraining().parameters.map((p) => p.tensor),
      vae.parameters.map((p) => p.tensor),
    );
    const fed = { ...feeds, ...noiseFeeds(outputs, 4, 2) };
    checkGradients(
      outputs['loss']!,
      vae.parameters.map((p) => p.tensor),
      fed,
    );
  });

  test(`${name}: what is dropped changes the loss`, () => {
    const loss = (seed: number) =>
      evaluate([outputs['loss']!], { ...noiseFeeds(outputs, 4, seed), ...feeds })[0]!.data[0]!;
    assert.notEqual(loss(1), loss(2));
  });
}

test('a network without dropout reads no other noise in training', () => {
  const { outputs } = trainingGraph(createVae(mixedSpec), make(objectives.elbo, {}));
  assert.deepEqual(
    noisesOf(outputs).map((noise) => noise.name),
    ['noise'],
  );
});
