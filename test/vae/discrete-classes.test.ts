/** Gumbel-softmax and mixed posteriors: the relaxation, its temperature, hard draws, the KL in closed form. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, input, mul, sub, sum, type Tensor } from '../../src/graph/index.ts';
import { parameters } from '../../src/nn/index.ts';
import { stream } from '../../src/random/index.ts';
import {
  createVae,
  encoderGraph,
  evaluationGraph,
  type ModelSpec,
  make,
  objectives,
  posteriors,
  priorGraph,
  priors,
  trainingGraph,
  uniformCodes,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { expectClose, runOnce } from '../graph/ort.ts';
import { evaluate, type Feeds, value } from '../reference.ts';
import { mixedSpec, small } from './models.ts';

const LATENT = 6;
const close = (actual: ArrayLike<number>, expected: readonly number[], by = 1e-6) => {
  assert.equal(actual.length, expected.length);
  expected.forEach((v, i) => {
    assert.ok(Math.abs(actual[i]! - v) <= by, `element ${i} is ${actual[i]}, expected ${v}`);
  });
};

const softmax = (x: readonly number[]): number[] => {
  const e = x.map((v) => Math.exp(v - Math.max(...x)));
  return e.map((v) => v / e.reduce((a, b) => a + b));
};

/** Two groups of three classes from features that are the unnormalised log probabilities. */
function classesOf(options: object, { training = true, progress = 0 } = {}) {
  const family = make(posteriors.gumbelSoftmax, { classes: 3, ...options });
  const scope = parameters().root.at('posterior');
  const x = input('x', ['B', LATENT]);
  const context = { scope, progress: input('progress', []), ...(training && { scale: input('scale', []) }) };
  const identity = Array.from({ length: LATENT ** 2 }, (_, i) => Number(i % (LATENT + 1) === 0));
  const constants: Feeds = {
    progress: value([progress], []),
    'posterior.weight': value(identity, [LATENT, LATENT]),
    'posterior.bias': value(Array<number>(LATENT).fill(0), [LATENT]),
  };
  const posterior = family.build(x, LATENT, context);
  const prior = uniformCodes(family.codes!(LATENT, scope));
  const at = (feeds: Feeds, ...tensors: readonly Tensor[]) =>
    evaluate(tensors, { ...constants, ...feeds }).map(({ data }) => [...data]);
  return { x, posterior, prior, at };
}

const LOGITS = [0.3, -1, 2, 0, 0, 5];
const GUMBEL = [0.5, 1.5, -0.7, 2, 0, -0.2];
const feeds: Feeds = { x: value(LOGITS, [1, LATENT]), noise: value(GUMBEL, [1, LATENT]) };

test('while training z is softmax((log π + g)/τ), and τ goes by even factors from the first to the last', () => {
  for (const [progress, tau] of [
    [0, 2],
    [0.5, 1],
    [1, 0.5],
  ] as const) {
    // biome-ignore format: pairs
    const { posterior, at } = classesOf({ temperature: 2, finalTemperature: 0.5 }, { progress });
    const [z] = at(feeds, posterior.draw(1).z);
    const expected = [0, 3].flatMap((from) => {
      const own = LOGITS.slice(from, from + 3); // log π differs by a constant, which softmax does not see
      return softmax(own.map((l, i) => (l + GUMBEL[from + i]!) / tau));
    });
    close(z!, expected);
  }
});

test('straight through: the class itself, with the gradient of the relaxed one', () => {
  const along = { along: value([1, 2, 3, 4, 5, 6], [1, 1, LATENT]) };
  const slope = (straightThrough: boolean) => {
    const { x, posterior, at } = classesOf({ straightThrough });
    const { z } = posterior.draw(1);
    return at({ ...feeds, ...along }, z, ...gradients(sum(mul(z, input('along', [1, 'B', LATENT]))), [x]));
  };
  const [[hard, own], [, soft]] = [slope(true), slope(false)];
  assert.deepEqual(hard, [0, 0, 1, 0, 0, 1]); // 0.8, 0.5, 1.3 and 2, 0, 4.8
  close(own!, soft!, 1e-12);
  assert.ok(own!.some((v) => Math.abs(v) > 0.1));
});

test('outside training each class is drawn as often as it is probable', () => {
  const { posterior, at } = classesOf({}, { training: false });
  const count = 20_000;
  const noise = new Float32Array(count * LATENT);
  stream(1, 'classes').gumbel(noise);
  const { z, logQz } = posterior.draw(count);
  const [drawn, log] = at({ ...feeds, noise: value(noise, [count, LATENT]) }, z, logQz);
  const p = [...softmax(LOGITS.slice(0, 3)), ...softmax(LOGITS.slice(3))];
  p.forEach((expected, j) => {
    const share = drawn!.filter((_, i) => i % LATENT === j).reduce((a, b) => a + b) / count;
    const error = Math.sqrt((expected * (1 - expected)) / count);
    assert.ok(Math.abs(share - expected) < 4 * error, `class ${j}: ${share}, expected ${expected}`);
  });
  const first = [0, 1].reduce((sum, g) => {
    const k = drawn!.slice(3 * g, 3 * g + 3).indexOf(1);
    return sum + Math.log(p[3 * g + k]!);
  }, 0);
  close([log![0]!], [first]);
});

test('the KL to the uniform prior is that of Monte Carlo, 0 for equal classes, and finite for sure ones', () => {
  const { posterior, prior, at } = classesOf({}, { training: false });
  const count = 20_000;
  const noise = new Float32Array(count * LATENT);
  stream(2, 'classes').gumbel(noise);
  const { z, logQz } = posterior.draw(count);
  const many = { ...feeds, noise: value(noise, [count, LATENT]) };
  const [closed, draws] = at(many, prior.kl!(posterior)!, sub(logQz, prior.logProb(z)));
  const mean = draws!.reduce((a, b) => a + b) / count;
  const error = Math.sqrt(draws!.reduce((a, v) => a + (v - mean) ** 2, 0)) / count;
  assert.ok(Math.abs(closed![0]! + closed![1]! - mean) < 4 * error);
  const klOf = (logits: readonly number[]) =>
    at({ x: value(logits, [1, LATENT]) }, prior.kl!(posterior)!)[0]!;
  close(klOf([7, 7, 7, 0, 0, 0]), [0, 0]);
  close(klOf([100, -100, -100, 0, 100, -100]), [Math.log(3), Math.log(3)]);
});

const elbo = make(objectives.elbo);
const gumbelSpec: ModelSpec = {
  ...mixedSpec,
  latent: LATENT,
  posterior: make(posteriors.gumbelSoftmax, { classes: 3 }),
  prior: make(priors.uniform),
};
const jointSpec: ModelSpec = {
  ...mixedSpec,
  latent: 8,
  posterior: make(posteriors.mixed, { groups: 2, classes: 3 }),
  prior: make(priors.mixed),
};

/** `small` with the noise of the classes of a mixed posterior. */
function modelOf(spec: ModelSpec) {
  const { vae, feeds } = small(spec);
  const real = value(feeds['noise']!.data.slice(0, 6), [3, 2]);
  const gumbel = value(feeds['noise']!.data.slice(0, 18), [3, 6]);
  const joint = spec === jointSpec ? { noise: real, 'noise.classes': gumbel } : { noise: gumbel };
  return { vae, feeds: { ...feeds, ...joint } };
}

for (const [name, spec] of Object.entries({ gumbelSoftmax: gumbelSpec, mixed: jointSpec })) {
  test(`${name}: each gradient of the training graph is that of central differences`, () => {
    const { vae, feeds } = modelOf(spec);
    const tensors = vae.parameters.map((p) => p.tensor);
    checkGradients(trainingGraph(vae, elbo).outputs['loss']!, tensors, feeds);
  });

  test(`${name}: ONNX Runtime gives what the reference does`, async () => {
    const { vae, feeds } = modelOf(spec);
    const outputs = { ...trainingGraph(vae, elbo).outputs, ...evaluationGraph(vae) };
    const expected = evaluate(Object.values(outputs), feeds);
    const found = await runOnce(outputs, feeds);
    Object.keys(outputs).forEach((key, i) => {
      expectClose(found[key]!, expected[i]!, `${name}, ${key}`);
    });
  });
}

test('mixed: real dimensions and one-hot classes side by side, each with its own KL', () => {
  const { vae, feeds } = modelOf(jointSpec);
  const encoded = encoderGraph(vae);
  assert.deepEqual(Object.keys(encoded), ['mean', 'z'], 'no log variance of classes');
  const [z, kl] = evaluate([encoded['z']!, evaluationGraph(vae)['kl']!], feeds);
  assert.deepEqual([...kl!.shape], [3, 4]); // two dimensions, two groups
  for (const row of [0, 1, 2]) {
    const classes = [...z!.data.slice(8 * row + 2, 8 * row + 8)];
    assert.deepEqual(classes.toSorted(), [0, 0, 0, 0, 1, 1]);
    assert.ok(![0, 1].includes(z!.data[8 * row]!));
  }
});

test('mixed: the prior draws both', () => {
  const draws = { noise: value([0.3, -2], [1, 2]), 'noise.classes': value([0.9, 0.4], [1, 2]) };
  const [z] = evaluate([priorGraph(createVae(jointSpec))['z']!], draws);
  close(z!.data, [0.3, -2, 0, 0, 1, 0, 1, 0]);
});

test('latent dimensions that codes and classes do not fill are refused with those that they do', () => {
  assert.throws(
    () => createVae({ ...gumbelSpec, latent: 8 }),
    /latent 8: codes of length 3 \(--posterior-classes\) fill 6 or 9 dimensions/,
  );
  assert.throws(() => createVae({ ...gumbelSpec, latent: 2 }), /fill 3 dimensions/);
  assert.throws(() => createVae({ ...jointSpec, latent: 6 }), /leave no real dimension; give at least 7/);
});
