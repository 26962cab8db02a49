/** Models of what is given: gradients, what depends on the condition and what does not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input, type Tensor } from '../../src/graph/index.ts';
import { ladder, noisesOf } from '../../src/nn/index.ts';
import {
  createVae,
  decoderGraph,
  encoderGraph,
  evaluationGraph,
  importanceGraph,
  type ModelSpec,
  make,
  type Outputs,
  objectives,
  priorGraph,
  priors,
  terms,
  trainingGraph,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { expectClose, runOnce } from '../graph/ort.ts';
import { compile, evaluate, type Feeds, value } from '../reference.ts';
import { linearSpec, mixedSpec, pictureSpec, small } from './models.ts';

const elbo = make(objectives.elbo);
const rows: ModelSpec = { ...mixedSpec, condition: 3 };
const picture: ModelSpec = { ...pictureSpec, condition: 2 };
const learned: ModelSpec = { ...rows, prior: make(priors.conditional, { width: 4 }) };
const vamp: ModelSpec = { ...rows, prior: make(priors.vampPrior, { components: 3 }) };
const levels: ModelSpec = {
  ...pictureSpec,
  shape: [4, 4, 1],
  parts: [{ ...pictureSpec.parts[0]!, size: 1 }],
  network: ladder({ levels: [0, 1], channels: 3, activation: 'silu', blocks: 0 }),
  condition: 2,
};

for (const [name, spec] of Object.entries({ rows, picture, learned, vamp, levels })) {
  test(`${name}: each gradient of the training graph is that of central differences`, () => {
    const { vae, feeds } = small(spec, { batch: 2 });
    const tensors = vae.parameters.map((p) => p.tensor);
    checkGradients(trainingGraph(vae, elbo).outputs['loss']!, tensors, feeds);
  });

  test(`${name}: ONNX Runtime gives what the reference does`, async () => {
    const { vae, feeds } = small(spec);
    const { outputs } = trainingGraph(vae, elbo);
    const expected = compile(Object.values(outputs))(feeds);
    const found = await runOnce(outputs, feeds);
    Object.keys(outputs).forEach((key, i) => {
      expectClose(found[key]!, expected[i]!, `${name}, ${key}`);
    });
  });
}

/** Names of the data inputs that a graph reads. */
function reads(outputs: Outputs): string[] {
  const found = new Set<string>();
  const waiting: Tensor[] = Object.values(outputs);
  const seen = new Set<Tensor>();
  for (let t = waiting.pop(); t; t = waiting.pop()) {
    if (seen.has(t)) continue;
    seen.add(t);
    if (t.name && ['x', 'mask', 'condition', 'z'].includes(t.name)) found.add(t.name);
    waiting.push(...t.inputs, ...(t.value ? [t.value] : []));
  }
  return [...found].sort();
}

test('encoder and decoder read the condition; p(z) only where it is one of a ladder or learned', () => {
  for (const [spec, prior] of [
    [rows, []],
    [picture, []],
    [vamp, []],
    [learned, ['condition']],
    [levels, ['condition']],
  ] as const) {
    const vae = createVae(spec);
    assert.deepEqual(reads(encoderGraph(vae)), spec.masked ? ['condition', 'mask', 'x'] : ['condition', 'x']);
    assert.deepEqual(reads(decoderGraph(vae)), ['condition', 'z']);
    assert.deepEqual(reads(priorGraph(vae)), prior);
    assert.ok(noisesOf(evaluationGraph(vae)).some((noise) => noise.name === 'noise'));
  }
});

/** A condition with another last row. */
const moved = (feeds: Feeds): Feeds => {
  const { data, shape } = feeds['condition']!;
  return {
    ...feeds,
    condition: value(
      Array.from(data, (v, i) => (i < data.length - shape[1]! ? v : v + 1)),
      shape,
    ),
  };
};

for (const [name, spec] of Object.entries({ rows, picture, levels, learned }))
  test(`${name}: what is given to one row changes that row alone, in every sample`, () => {
    const [batch, samples] = [3, 2];
    const { vae, feeds } = small(spec, { batch, samples });
    const weights = compile([importanceGraph(vae, samples)['logWeight']!]);
    const [before, after] = [feeds, moved(feeds)].map((fed) => weights(fed)[0]!.data);
    before!.forEach((w, i) => {
      const last = i % batch === batch - 1;
      assert.equal(
        Math.abs(w - after![i]!) > 1e-6,
        last,
        `sample ${Math.floor(i / batch)}, row ${i % batch}`,
      );
    });
  });

test('a decoder can be given another condition than the graph’s own', () => {
  const { vae, feeds } = small(rows, { batch: 2 });
  const z = input('z', ['B', 2]);
  const at = { ...z, shape: [1, 'B', 2] } as Tensor;
  const means = (condition?: Tensor) => vae.decode(at, condition).map(({ likelihood }) => likelihood.mean);
  const fed = {
    ...feeds,
    z: value([0.1, -0.4, 0.7, 0.2], [1, 2, 2]),
    other: value([...moved(feeds)['condition']!.data], [2, 3]),
  };
  const other = evaluate(means(input('other', ['B', 3])), fed);
  assert.deepEqual(other, evaluate(means(), { ...fed, condition: fed.other }));
  assert.notDeepEqual(other, evaluate(means(), fed));
});

test('a linear model adds a product with the condition to the mean', () => {
  const { vae, feeds } = small({ ...linearSpec, condition: 2 }, { batch: 2 });
  const zeros = { ...feeds, z: value([0, 0, 0, 0], [2, 2]) };
  const [mean] = evaluate([decoderGraph(vae)['row.mean']!], zeros);
  const weight = feeds['decoder.output.weight']!.data; // [2 of z and 2 of c, 3]
  const bias = feeds['decoder.output.bias']!.data;
  const c = feeds['condition']!.data;
  mean!.data.forEach((found, i) => {
    const [row, j] = [Math.floor(i / 3), i % 3];
    const expected = c[2 * row]! * weight[6 + j]! + c[2 * row + 1]! * weight[9 + j]! + bias[j]!;
    assert.ok(Math.abs(found - expected) < 1e-12, `${found}, expected ${expected}`);
  });
});

test('a learned p(z|c) is what the KL is taken to, and what is drawn', () => {
  const samples = 4000;
  const { vae, feeds } = small(learned, { batch: 1, samples });
  const [level] = terms(vae, { ...observed(vae.spec) }, { samples, progress: 1 }).levels;
  const [kl, logQz, logPz] = evaluate([level!.kl, level!.logQz, level!.logPz], feeds);
  const each = logQz!.data.map((q, i) => q - logPz!.data[i]!);
  const mean = each.reduce((a, b) => a + b, 0) / samples;
  const sd = Math.sqrt(each.reduce((a, v) => a + (v - mean) ** 2, 0) / samples);
  const total = kl!.data.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(total - mean) < (5 * sd) / Math.sqrt(samples), `${total}, sampled ${mean}`);
  const one = small(learned, { batch: 3 });
  const [z] = evaluate([priorGraph(one.vae)['z']!], one.feeds);
  assert.notDeepEqual([...z!.data], [...one.feeds['noise']!.data]);
});

const observed = ({ shape, parts, condition }: ModelSpec) => ({
  x: input('x', ['B', ...shape]),
  mask: input('mask', ['B', parts.length]),
  condition: input('condition', ['B', condition!]),
});
