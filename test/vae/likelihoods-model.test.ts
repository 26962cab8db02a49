/** Likelihoods inside a model: two fields side by side and pictures, what the decoder exports, views, moved parameters. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mlp } from '../../src/nn/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import {
  type BlockLikelihood,
  createVae,
  decoderGraph,
  encoderGraph,
  evaluationGraph,
  gradientName,
  type Law,
  type LikelihoodName,
  type ModelSpec,
  make,
  meanGraph,
  objectives,
  observation,
  posteriors,
  priors,
  terms,
  trainingGraph,
  valueNames,
} from '../../src/vae/index.ts';
import { parameterFeeds } from '../nn/feeds.ts';
import { compile, evaluate, value } from '../reference.ts';
import { type LawCase, lawCases } from './law-cases.ts';
import { built, lawOf } from './laws.ts';
import { small } from './models.ts';

const BASE = {
  latent: 2,
  masked: false,
  posterior: make(posteriors.gaussian),
  prior: make(priors.normal),
  network: mlp({ hidden: [5], activation: 'silu', norm: false }),
};

const ofClasses = ({ support }: Law): boolean => support === 'class' || support === 'order';

/** A row with two fields of one law, which are decoded together. */
function rowSpec(law: Law): ModelSpec {
  const [first, second] = ofClasses(law) ? [3, 4] : [1, 2];
  const parts = [
    { field: 'a', law, start: 0, size: first! },
    { field: 'b', law, start: first!, size: second! },
  ];
  return { ...BASE, shape: [first! + second!], parts };
}

const pictureSpec = (law: Law): ModelSpec => ({
  ...BASE,
  shape: [1, 2, 3],
  parts: [{ field: 'picture', law, start: 0, size: 3 }],
});

const COUNT = 1500;

/** Draws of one example, each part from the values that the decoder exports for it, as [COUNT, D]. */
function drawnFrom(spec: ModelSpec, given: readonly (readonly [string, Float32Array])[]): Float64Array[] {
  const names = valueNames(createVae(spec));
  const all = new Map(given);
  return spec.parts.flatMap(({ field, law, size }, p) => {
    const space = spec.shape.slice(0, -1);
    const places = space.reduce((a, b) => a * b, 1);
    const own = Object.fromEntries(names[p]!.map((name) => [name, all.get(`${field}.${name}`)!]));
    const random = variates(stream(3, field));
    const columns = Array.from({ length: places * size }, () => new Float64Array(COUNT));
    const out = new Float32Array(places * size);
    for (let i = 0; i < COUNT; i++) {
      law.draw(own, random, out, { space, channels: size });
      columns.forEach((column, d) => {
        column[i] = out[d]!;
      });
    }
    return columns;
  });
}

const mean = (values: Float64Array, f = (v: number) => v): number =>
  values.reduce((a, v) => a + f(v), 0) / values.length;

function checkMeans(spec: ModelSpec, within: number): void {
  const vae = createVae(spec);
  const feeds = { ...parameterFeeds(vae.parameters, 2), z: value([0.4, -1.1], [1, 2]) };
  const { mean: means } = meanGraph(vae);
  const decoded = decoderGraph(vae);
  const [expected, ...values] = evaluate([means!, ...Object.values(decoded)], feeds);
  const given = Object.keys(decoded).map((name, i) => [name, Float32Array.from(values[i]!.data)] as const);
  const angle = spec.parts[0]!.law.support === 'angle';
  drawnFrom(spec, given).forEach((column, d) => {
    const found = angle ? Math.atan2(mean(column, Math.sin), mean(column, Math.cos)) : mean(column);
    const error = Math.sqrt(mean(column, (v) => (v - found) ** 2) / COUNT);
    const off = angle
      ? Math.abs(Math.sin((found - expected!.data[d]!) / 2)) * 2
      : Math.abs(found - expected!.data[d]!);
    assert.ok(
      off <= 5 * error + within,
      `feature ${d}: mean ${found} of draws, ${expected!.data[d]} decoded`,
    );
  });
}

for (const [name, list] of Object.entries(lawCases) as [LikelihoodName, readonly LawCase[]][]) {
  test(`${name}: what a model exports for each field has, drawn, the mean that the model gives`, () => {
    for (const { options, meanWithin = 0 } of list) {
      const law = lawOf(name, options);
      if (!law.pictures) checkMeans(rowSpec(law), meanWithin);
      if (!ofClasses(law)) checkMeans(pictureSpec(law), meanWithin);
    }
  });
}

test('the best variance is a running mean of squared errors, of what is there', () => {
  const spec = { ...rowSpec(lawOf('gaussianOptimal')), masked: true };
  const { vae, feeds } = small(spec, { batch: 4, samples: 2 });
  const mask = value([1, 0, 0, 0, 1, 0, 1, 0], [4, 2]); // of b nothing
  const graph = trainingGraph(vae, make(objectives.elbo, { samples: 2 }));
  const names = ['a', 'b'].map((field) => `likelihood.field.${field}.logVar`);
  assert.deepEqual([...graph.updated], names);
  const [{ likelihood }] = terms(vae, observation(spec), { samples: 2, progress: 1 }).decoded as [
    BlockLikelihood,
  ];
  const wanted = [likelihood.mean, ...names.map((name) => graph.outputs[gradientName(name)]!)];
  const at = { ...feeds, mask, [names[0]!]: value([0.3], [1]), [names[1]!]: value([-0.7], [1]) };
  const [means, a, b] = evaluate(wanted, at);
  const errors = [0, 2, 3].flatMap((row) =>
    [0, 1].map((k) => (feeds['x']!.data[3 * row]! - means!.data[3 * (4 * k + row)]!) ** 2),
  );
  const mse = errors.reduce((sum, e) => sum + e, 0) / errors.length;
  assert.ok(Math.abs(a!.data[0]! - Math.log(0.9 * Math.exp(0.3) + 0.1 * mse)) < 1e-6);
  assert.ok(Math.abs(b!.data[0]! - -0.7) < 1e-12, 'nothing seen, nothing moved');
});

test('the best variance of a picture is one, and stays where it is the mean squared error', () => {
  const spec = pictureSpec(lawOf('gaussianOptimal'));
  const { vae, feeds } = small(spec);
  const name = 'likelihood.field.picture.logVar';
  const moved = trainingGraph(vae, make(objectives.elbo)).outputs[gradientName(name)]!;
  const step = compile([moved]);
  let logVar = 0;
  for (let i = 0; i < 200; i++) logVar = step({ ...feeds, [name]: value([logVar], [1]) })[0]!.data[0]!;
  const [block] = terms(vae, observation(spec), { samples: 1, progress: 1 }).decoded;
  const [means] = evaluate([block!.likelihood.mean], feeds);
  const errors = means!.data.map((m, i) => (feeds['x']!.data[i]! - m) ** 2);
  assert.ok(
    Math.abs(logVar - Math.log(mean(errors))) < 1e-6,
    `${logVar}, expected ${Math.log(mean(errors))}`,
  );
});

test('the encoder sees counts and sizes by their logarithms, and angles without a seam', () => {
  const seen = (name: LikelihoodName, xs: readonly number[]): number[][] => {
    const spec = { ...BASE, shape: [1], parts: [{ field: 'x', law: lawOf(name), start: 0, size: 1 }] };
    const vae = createVae(spec);
    const encoded = encoderGraph(vae)['mean']!;
    const feeds = { ...parameterFeeds(vae.parameters, 1), x: value(xs, [xs.length, 1]) };
    const { data } = evaluate([encoded], feeds)[0]!;
    return xs.map((_, i) => [...data.subarray(2 * i, 2 * i + 2)]);
  };
  const [a, b] = seen('vonMises', [-3, -3 + 2 * Math.PI]);
  assert.ok(
    a!.every((v, i) => Math.abs(v - b![i]!) < 1e-12),
    'a whole turn changes nothing',
  );
  const width = (name: LikelihoodName) =>
    createVae(rowSpec(lawOf(name))).parameters.find((p) => p.name === 'encoder.0.weight')!.shape[0];
  assert.deepEqual([width('vonMises'), width('poisson'), width('gaussian')], [6, 3, 3]);
  for (const name of ['poisson', 'negativeBinomial', 'gamma', 'logNormal'] as const) {
    const [none, some, many] = seen(name, [0, 1e3, 1e6]);
    const distance = (p: number[], q: number[]) => Math.hypot(...p.map((v, i) => v - q[i]!));
    assert.ok(
      distance(some!, many!) < 3 * distance(none!, some!),
      `${name} is seen on a scale of magnitudes`,
    );
    assert.ok(none!.every(Number.isFinite));
  }
});

test('an order has one decoded number a field, and higher classes further along it', () => {
  const vae = createVae(rowSpec(lawOf('ordinal')));
  const sizes = Object.fromEntries(vae.parameters.map(({ name, shape }) => [name, shape.join()]));
  assert.equal(sizes['decoder.output.bias'], '2');
  assert.deepEqual(
    ['a', 'b'].map((field) => sizes[`likelihood.field.${field}.gap`]),
    ['1', '2'],
  );
  const expected = [-3, 0, 3].map((location) => {
    const { likelihood, feeds } = built('ordinal', { values: [[location]], size: 4 });
    return evaluate([likelihood.mean], feeds)[0]!.data.reduce((sum, p, j) => sum + p * j, 0);
  });
  assert.ok(expected[0]! < expected[1]! - 0.5 && expected[1]! < expected[2]! - 0.5, `${expected}`);
});

test('a field of one class has no order', () => {
  assert.throws(() => built('ordinal', { values: [[0]], size: 1 }), /order of 1 class/);
});

test('a missing value adds nothing and teaches nothing, whatever its law', () => {
  for (const name of Object.keys(lawCases) as LikelihoodName[]) {
    if (lawOf(name).pictures) continue;
    const spec = { ...rowSpec(lawOf(name)), masked: true };
    const { vae, feeds } = small(spec, { batch: 2 });
    const width = spec.shape[0]!;
    const [first] = spec.parts;
    const x = feeds['x']!.data.map((_, i) =>
      i % width < first!.size ? 0 : Number(i % width === first!.size),
    );
    const given = { ...feeds, x: value(x, [2, width]), mask: value([0, 1, 0, 1], [2, 2]) };
    const graph = trainingGraph(vae, make(objectives.elbo));
    const fields = evaluationGraph(vae);
    const [missing, there] = evaluate([fields['logPx a']!, fields['logPx b']!], given);
    assert.deepEqual([...missing!.data].map(Math.abs), [0, 0], name);
    assert.ok(
      there!.data.every((v) => Number.isFinite(v) && v !== 0),
      name,
    );
    for (const found of evaluate(Object.values(graph.outputs), given))
      assert.ok(found.data.every(Number.isFinite), name);
  }
});
