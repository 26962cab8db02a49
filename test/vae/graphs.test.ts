import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stream } from '../../src/random/index.ts';
import {
  createVae,
  decoderGraph,
  drawingGraph,
  elbo,
  encoderGraph,
  evaluationGraph,
  gradientName,
  importanceGraph,
  type ModelSpec,
  noiseLaws,
  type Objective,
  priorGraph,
  reconstruction,
  trainingGraph,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { expectClose, runOnce } from '../graph/ort.ts';
import { compile, evaluate, value } from '../reference.ts';
import { mixedSpec, pictureSpec, small } from './models.ts';

const checked: Record<string, { spec: ModelSpec; objective: Objective; samples?: number }> = {
  'a masked product of fields': { spec: mixedSpec, objective: elbo(), samples: 3 },
  'a masked product with free bits': { spec: mixedSpec, objective: elbo({ freeBits: 0.05 }) },
  'a convolutional model of binary pictures': { spec: pictureSpec, objective: elbo() },
  'a plain autoencoder': { spec: { ...mixedSpec, posterior: 'point' }, objective: reconstruction },
};

for (const [name, { spec, objective, samples = 1 }] of Object.entries(checked)) {
  test(`${name}: each gradient of the training graph is that of central differences`, () => {
    const { vae, feeds } = small(spec, { samples, batch: 2 });
    const tensors = vae.parameters.map((p) => p.tensor);
    checkGradients(trainingGraph(vae, objective, samples)['loss']!, tensors, feeds);
  });

  test(`${name}: ONNX Runtime gives what the reference does`, async () => {
    const { vae, feeds } = small(spec, { samples });
    const outputs = trainingGraph(vae, objective, samples);
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
    const outputs = trainingGraph(vae, elbo());
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
  const { logPx: meanLogPx, kl: meanKl } = trainingGraph(vae, elbo());
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
  assert.deepEqual(Object.keys(encoderGraph(createVae({ ...mixedSpec, posterior: 'point' }))), ['mean', 'z']);
});

test('drawings put each field in its place, by the noise of its own law', () => {
  const { vae, feeds } = small(mixedSpec);
  assert.deepEqual(noiseLaws(vae), ['normal', 'gumbel', 'normal', 'uniform']);
  const uniform = new Float32Array(18);
  stream(1, 'x').uniform(uniform);
  const given = { ...feeds, z: value([0.3, -1, 1, 2, 0, 0], [3, 2]), 'noise.x': value(uniform, [3, 6]) };
  const decoded = decoderGraph(vae);
  const [sample, mean, logits, age, logVar] = evaluate(
    [
      ...Object.values(drawingGraph(vae)),
      decoded['city.logits']!,
      decoded['age.mean']!,
      decoded['age.logVar']!,
    ],
    given,
  );
  for (const row of [0, 1, 2]) {
    const [s, m] = [sample, mean].map((v) => [...v!.data.subarray(6 * row, 6 * row + 6)]);
    const own = [...logits!.data.subarray(3 * row, 3 * row + 3)];
    const scores = own.map((l, j) => l + uniform[6 * row + 1 + j]!);
    assert.equal(s!.slice(1, 4).indexOf(1), scores.indexOf(Math.max(...scores)));
    const expected = age!.data[row]! + Math.exp(logVar!.data[0]! / 2) * uniform[6 * row]!;
    assert.ok(Math.abs(s![0]! - expected) < 1e-9);
    assert.equal(s![5], Number(uniform[6 * row + 5]! < m![5]!));
    assert.ok(Math.abs(m!.slice(1, 4).reduce((a, b) => a + b, 0) - 1) < 1e-9);
    assert.equal(m![0], age!.data[row]);
  }
});

test('a picture comes back from its drawing pixel by pixel', () => {
  const { vae, feeds } = small(pictureSpec);
  const noise = new Float32Array(3 * 144).fill(0.5);
  const given = { ...feeds, z: value([0.3, -1, 1, 2, 0, 0], [3, 2]), 'noise.x': value(noise, [3, 9, 8, 2]) };
  const { sample, mean } = drawingGraph(vae);
  const [drawn, p, logits] = evaluate([sample!, mean!, decoderGraph(vae)['picture.logits']!], given);
  assert.deepEqual([...drawn!.shape], [3, 9, 8, 2]);
  logits!.data.forEach((l, i) => {
    assert.ok(Math.abs(p!.data[i]! - 1 / (1 + Math.exp(-l))) < 1e-12);
    assert.equal(drawn!.data[i], Number(l > 0));
  });
});

test('the prior draws its own noise, and K samples weigh [K, B]', () => {
  const { vae, feeds } = small(mixedSpec, { samples: 5 });
  const [z] = evaluate([priorGraph(vae)['z']!], feeds);
  const [w] = evaluate([importanceGraph(vae, 5)['logWeight']!], feeds);
  assert.deepEqual([...z!.data], [...feeds['noise']!.data]);
  assert.deepEqual([...w!.shape], [5, 3]);
});
