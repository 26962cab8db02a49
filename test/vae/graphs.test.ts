import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  createVae,
  decoderGraph,
  encoderGraph,
  evaluationGraph,
  gradientName,
  importanceGraph,
  type ModelSpec,
  make,
  meanGraph,
  type Objective,
  objectives,
  posteriors,
  priorGraph,
  trainingGraph,
  valueNames,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { expectClose, runOnce } from '../graph/ort.ts';
import { compile, evaluate, value } from '../reference.ts';
import { mixedSpec, pictureSpec, small } from './models.ts';

const elbo = (options: object = {}): Objective => make(objectives.elbo, { ...options });
const point = make(posteriors.point);
const reconstruction = make(objectives.autoencoder);

const checked: Record<string, { spec: ModelSpec; objective: Objective }> = {
  'a masked product of fields': { spec: mixedSpec, objective: elbo({ samples: 3 }) },
  'a masked product with free bits': { spec: mixedSpec, objective: elbo({ freeBits: 0.05 }) },
  'a convolutional model of binary pictures': { spec: pictureSpec, objective: elbo() },
  'a plain autoencoder': { spec: { ...mixedSpec, posterior: point }, objective: reconstruction },
};

for (const [name, { spec, objective }] of Object.entries(checked)) {
  test(`${name}: each gradient of the training graph is that of central differences`, () => {
    const { vae, feeds } = small(spec, { samples: objective.samples, batch: 2 });
    const tensors = vae.parameters.map((p) => p.tensor);
    checkGradients(trainingGraph(vae, objective).outputs['loss']!, tensors, feeds);
  });

  test(`${name}: ONNX Runtime gives what the reference does`, async () => {
    const { vae, feeds } = small(spec, { samples: objective.samples });
    const { outputs } = trainingGraph(vae, objective);
    const expected = compile(Object.values(outputs))(feeds);
    const found = await runOnce(outputs, feeds);
    Object.keys(outputs).forEach((key, i) => {
      expectClose(found[key]!, expected[i]!, `${name}, ${key}`);
    });
  });
}

test('every parameter has a gradient of its own shape, and none is zero throughout', () => {
  for (const spec of [mixedSpec, pictureSpec]) {
    const { vae, feeds } = small(spec, { batch: 5 });
    const { outputs } = trainingGraph(vae, elbo());
    for (const { name, shape } of vae.parameters) {
      const [g] = evaluate([outputs[gradientName(name)]!], feeds);
      assert.deepEqual([...g!.shape], [...shape], name);
      assert.ok(
        g!.data.some((v) => v !== 0),
        `${name} does not move the loss`,
      );
    }
  }
});

test('the evaluation graph gives each example what the training graph gives on average', () => {
  const { vae, feeds } = small(mixedSpec, { batch: 4 });
  const { logPx, kl, ...fields } = evaluationGraph(vae);
  const { logPx: meanLogPx, kl: meanKl } = trainingGraph(vae, elbo()).outputs;
  const [px, each, mx, mkl, ...parts] = evaluate(
    [logPx!, kl!, meanLogPx!, meanKl!, ...Object.values(fields)],
    feeds,
  );
  const total = (v: Float64Array) => v.reduce((a, b) => a + b, 0) / 4;
  assert.ok(Math.abs(total(px!.data) - mx!.data[0]!) < 1e-9);
  assert.ok(Math.abs(total(each!.data) - mkl!.data[0]!) < 1e-9);
  assert.ok(Math.abs(parts.reduce((a, { data }) => a + total(data), 0) - mx!.data[0]!) < 1e-9);
  assert.deepEqual(Object.keys(fields), ['logPx age', 'logPx city', 'logPx price', 'logPx member']);
});

test('encoder and decoder have the names and shapes that other programs are told of', () => {
  const mixed = small(mixedSpec);
  const encoded = encoderGraph(mixed.vae);
  assert.deepEqual(Object.keys(encoded), ['mean', 'logVar', 'z']);
  const [mean, logVar, z] = evaluate(Object.values(encoded), mixed.feeds);
  const noise = mixed.feeds['noise']!.data;
  z!.data.forEach((v, i) => {
    const expected = mean!.data[i]! + Math.exp(logVar!.data[i]! / 2) * noise[i]!;
    assert.ok(Math.abs(v - expected) < 1e-12, 'z = μ + σ ⊙ ε');
  });
  const shapesOf = (spec: ModelSpec) =>
    Object.entries(decoderGraph(createVae(spec))).map(([name, t]) => [name, t.shape]);
  assert.deepEqual(shapesOf(mixedSpec), [
    ['age.mean', ['B', 1]],
    ['age.logVar', [1]],
    ['city.logits', ['B', 3]],
    ['price.mean', ['B', 1]],
    ['price.logVar', [1]],
    ['member.logits', ['B', 1]],
  ]);
  assert.deepEqual(shapesOf(pictureSpec), [['picture.logits', ['B', 9, 8, 2]]]);
  assert.deepEqual(Object.keys(encoderGraph(createVae({ ...mixedSpec, posterior: point }))), ['mean', 'z']);
});

test('the mean of a row has each field in its place', () => {
  const { vae, feeds } = small(mixedSpec);
  assert.deepEqual(valueNames(vae), [['mean', 'logVar'], ['logits'], ['mean', 'logVar'], ['logits']]);
  const given = { ...feeds, z: value([0.3, -1, 1, 2, 0, 0], [3, 2]) };
  const decoded = decoderGraph(vae);
  const [mean, age, logits] = evaluate(
    [meanGraph(vae)['mean']!, decoded['age.mean']!, decoded['member.logits']!],
    given,
  );
  for (const row of [0, 1, 2]) {
    const own = [...mean!.data.subarray(6 * row, 6 * row + 6)];
    assert.equal(own[0], age!.data[row]);
    assert.ok(Math.abs(own.slice(1, 4).reduce((a, b) => a + b, 0) - 1) < 1e-9);
    assert.ok(Math.abs(own[5]! - 1 / (1 + Math.exp(-logits!.data[row]!))) < 1e-12);
  }
});

test('the mean of a picture has each pixel in its place', () => {
  const { vae, feeds } = small(pictureSpec);
  const given = { ...feeds, z: value([0.3, -1, 1, 2, 0, 0], [3, 2]) };
  const [p, logits] = evaluate([meanGraph(vae)['mean']!, decoderGraph(vae)['picture.logits']!], given);
  assert.deepEqual([...p!.shape], [3, 9, 8, 2]);
  logits!.data.forEach((l, i) => {
    assert.ok(Math.abs(p!.data[i]! - 1 / (1 + Math.exp(-l))) < 1e-12);
  });
});

test('the prior draws its own noise, and K samples weigh [K, B]', () => {
  const { vae, feeds } = small(mixedSpec, { samples: 5 });
  const [z] = evaluate([priorGraph(vae)['z']!], feeds);
  const [w] = evaluate([importanceGraph(vae, 5)['logWeight']!], feeds);
  assert.deepEqual([...z!.data], [...feeds['noise']!.data]);
  assert.deepEqual([...w!.shape], [5, 3]);
});
