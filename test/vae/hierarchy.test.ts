import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, input, sub, sum } from '../../src/graph/index.ts';
import { computed, topological } from '../../src/graph/tensor.ts';
import { chain, ladder } from '../../src/nn/index.ts';
import { stream } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import {
  createVae,
  dataTerms,
  encoderGraph,
  importanceGraph,
  type ModelSpec,
  make,
  objectives,
  observation,
  posteriors,
  priorGraph,
  terms,
  trainingGraph,
  type Vae,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { expectClose, runOnce } from '../graph/ort.ts';
import { compile, evaluate, type Feeds, value } from '../reference.ts';
import { run, source } from '../train/toy.ts';
import { mixedSpec, pictureSpec, small } from './models.ts';

const rungs = (levels: readonly number[], blocks = 0) =>
  ladder({ levels, channels: 6, activation: 'silu', blocks });

/** Two resolutions, of odd sizes; one, with blocks at twice its size; and a row with two levels. */
const picture: ModelSpec = {
  ...pictureSpec,
  shape: [7, 5, 1],
  parts: [{ ...pictureSpec.parts[0]!, size: 1 }],
  latent: 2,
  network: rungs([0, 1, 1]),
};
const withBlocks: ModelSpec = { ...picture, network: rungs([0, 1, 1], 1) };
const row: ModelSpec = { ...mixedSpec, latent: 3, network: rungs([2], 1) };
/** Levels of 2 and 4 dimensions. */
const chained: ModelSpec = {
  ...mixedSpec,
  latent: 2,
  network: chain({ depth: 2, layers: 1, activation: 'tanh' }),
};

/** Levels bent by flows that an encoder gives, and by networks. */
const bent: ModelSpec = { ...picture, posterior: make(posteriors.planar, { steps: 2 }) };
const bentRow: ModelSpec = { ...row, posterior: make(posteriors.iaf, { steps: 2, width: 5 }) };

const elbo = (options = {}) => make(objectives.elbo, options);

test('z has its dimensions at every place of every level', () => {
  assert.equal(createVae(picture).spec.latent, 2 * (3 * 2 + 1));
  assert.equal(createVae(row).spec.latent, 6);
  assert.equal(createVae(chained).spec.latent, 6);
});

for (const [name, spec] of Object.entries({ picture, withBlocks, row, chained, bent, bentRow })) {
  test(`${name}: each gradient of the training graph is that of central differences`, () => {
    const { vae, feeds } = small(spec, { batch: 1 });
    const tensors = vae.parameters.map((p) => p.tensor);
    checkGradients(trainingGraph(vae, elbo()).outputs['loss']!, tensors, feeds);
  });

  test(`${name}: ONNX Runtime gives what the reference does`, async () => {
    const { vae, feeds } = small(spec);
    const { outputs } = trainingGraph(vae, elbo({ freeBits: 0.1 }));
    const expected = compile(Object.values(outputs))(feeds);
    const found = await runOnce(outputs, feeds);
    Object.keys(outputs).forEach((key, i) => {
      expectClose(found[key]!, expected[i]!, `${name}, ${key}`);
    });
  });

  test(`${name}: the densities of the levels are those of the whole, and the KL is that of Monte Carlo`, () => {
    const samples = 200;
    const { vae, feeds } = small(spec, { samples, batch: 2 });
    const { levels, z } = terms(vae, observation(vae.spec), { samples, progress: 1 });
    const total = (part: 'logPz' | 'logQz') => levels.map((l) => l[part]).reduce((a, b) => add(a, b));
    const kl = levels.map((l) => sum(l.kl, [-1])).reduce((a, b) => add(a, b));
    const [pz, whole, sampled, closed] = evaluate(
      [total('logPz'), vae.prior.logProb(z), sub(total('logQz'), total('logPz')), kl],
      feeds,
    ).map(({ data }) => [...data]);
    pz!.forEach((v, i) => {
      assert.ok(Math.abs(v - whole![i]!) < 1e-9 * Math.abs(v), `sample ${i}: ${v}, ${whole![i]}`);
    });
    const difference = sampled!.map((v, i) => v - closed![i]!);
    const mean = difference.reduce((a, b) => a + b, 0) / difference.length;
    const error = Math.sqrt(difference.reduce((a, b) => a + (b - mean) ** 2, 0) / difference.length ** 2);
    assert.ok(Math.abs(mean) < 4 * error, `${mean} ± ${error}`);
  });

  test(`${name}: what inference decodes is what its z is decoded to, and the way down is in the graph once`, () => {
    const { vae, feeds } = small(spec, { samples: 3, batch: 2 });
    const seen = observation(vae.spec);
    const found = terms(vae, seen, { samples: 3, progress: 1 });
    const again = dataTerms(vae, seen, vae.decode(found.z), false);
    const [own, other] = evaluate([found.logPx, again.logPx], feeds).map(({ data }) => [...data]);
    own!.forEach((v, i) => {
      assert.ok(Math.abs(v - other![i]!) < 1e-9 * Math.abs(v), `${v}, ${other![i]}`);
    });
    const kl = found.levels.map((level) => sum(level.kl, [-1])).reduce((x, y) => add(x, y));
    const nodes = topological([computed(add(found.logPx, kl))], (t) => t.inputs.map(computed));
    for (const { name: weight, tensor } of vae.parameters)
      assert.equal(nodes.filter(({ inputs }) => inputs.includes(tensor)).length, 1, weight);
  });

  test(`${name}: the prior draws level by level, each from what is above it`, () => {
    const { vae, feeds } = small(spec, { batch: 3 });
    const [z] = evaluate([priorGraph(vae)['z']!], feeds);
    assert.deepEqual([...z!.shape], [3, vae.spec.latent]);
    const noise = feeds['noise']!;
    const first = vae.spec.latent / 3;
    const moved = { ...noise, data: noise.data.map((v, i) => (i === 0 ? v + 1 : v)) };
    const [other] = evaluate([priorGraph(vae)['z']!], { ...feeds, noise: moved });
    const changed = [...other!.data].map((v, i) => v !== z!.data[i]);
    assert.ok(changed[0], 'its own dimension');
    assert.ok(changed.slice(Math.ceil(first), vae.spec.latent).some(Boolean), 'those below it');
    assert.ok(!changed.slice(vae.spec.latent).some(Boolean), 'no other row');
  });

  test(`${name}: a code is the mean of each level where those it depends on are at their means`, () => {
    const { vae, feeds } = small(spec, { batch: 2 });
    const still = { ...feeds, noise: { ...feeds['noise']!, data: feeds['noise']!.data.map(() => 0) } };
    const { mean, logVar, z } = encoderGraph(vae);
    const [m, drawn, l] = evaluate([mean!, z!, ...(logVar ? [logVar] : [])], still);
    assert.deepEqual([...m!.shape], [2, vae.spec.latent]);
    assert.deepEqual(l && [...l.shape], spec.posterior.flow ? undefined : [2, vae.spec.latent]);
    drawn!.data.forEach((v, i) => {
      assert.ok(Math.abs(v - m!.data[i]!) < 1e-12);
    });
  });

  test(`${name}: draws of the posterior, weighed, are draws of the prior`, () => {
    const samples = 4000;
    const { vae, feeds } = small(spec, { batch: 1 });
    const noise = new Float32Array(samples * vae.spec.latent);
    stream(7, 'noise').normal(noise);
    const { logWeight } = importanceGraph(vae, samples);
    const { logPx, z } = terms(vae, observation(vae.spec), { samples, progress: 1 });
    const [logs, draws] = evaluate([sub(logWeight!, logPx), z], {
      ...feeds,
      noise: value(noise, [samples, vae.spec.latent]),
    }).map(({ data }) => [...data]);
    const weights = logs!.map(Math.exp); // p(z) / q(z|x), whose mean under q is 1
    sameMean(weights, 1, 'weights');
    sameMean(
      weights.map((w, i) => w * draws![i * vae.spec.latent]!),
      topMean(vae, feeds),
      'first dimension of z',
    );
  });
}

/** Of the first dimension under the prior: what it draws without noise, as the top level is a Gaussian. */
function topMean(vae: Vae, feeds: Feeds): number {
  const [z] = evaluate([priorGraph(vae)['z']!], {
    ...feeds,
    noise: value(Array(vae.spec.latent).fill(0), [1, vae.spec.latent]),
  });
  return z!.data[0]!;
}

/** Known to a twentieth, and the expected. */
function sameMean(values: readonly number[], expected: number, what: string): void {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, v) => a + (v - mean) ** 2, 0) / values.length;
  const error = Math.sqrt(variance / values.length);
  assert.ok(
    error < 0.05 && Math.abs(mean - expected) < 4 * error,
    `${what}: ${mean} ± ${error}, ${expected}`,
  );
}

test('in a chain of three levels the lowest depends on the highest through the one between them alone', () => {
  const network = chain({ depth: 3, layers: 1, activation: 'tanh' });
  const { vae, feeds } = small({ ...chained, latent: 1, network }, { batch: 1 });
  const density = vae.prior.logProb(input('z', [1, 'B', 7])); // levels of 1, 2 and 4 dimensions
  const at = (top: number, middle: number, low: number): number => {
    const z = [top, middle, middle, low, low, low, low];
    return evaluate([density], { ...feeds, z: value(z, [1, 1, 7]) })[0]!.data[0]!;
  };
  /** By how much the effects of two levels are not those of each, with a third where it is. */
  const mixed = (f: (a: number, b: number) => number) => Math.abs(f(1, 1) - f(1, -1) - f(-1, 1) + f(-1, -1));
  assert.ok(mixed((top, low) => at(top, 0.3, low)) < 1e-9);
  assert.ok(mixed((top, middle) => at(top, middle, 0.3)) > 1e-3);
  assert.ok(mixed((middle, low) => at(0.3, middle, low)) > 1e-3);
});

test('a row of several levels learns', async () => {
  const vae = createVae(row);
  const { fitted } = await run({
    runtime: nodeRuntime({ threads: 1 }),
    vae,
    train: source(vae.spec, 42, 8),
    validation: source(vae.spec, 20, 8, 6),
    epochs: 6,
  });
  const curve = fitted.history.map((record) => record.validation.negativeElbo);
  assert.ok(curve.at(-1)! < curve[0]! - 0.3, curve.join(', '));
});

test('a picture that cannot be halved so often is refused', () => {
  assert.throws(
    () => createVae({ ...picture, network: rungs([0, 0, 0, 0, 1]) }),
    /7 × 5 cannot be halved 4 times/,
  );
});
