import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, gradients, input, logSoftmax, mul, slice, sum } from '../../src/graph/index.ts';
import { parameters } from '../../src/nn/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import { categorical, type LikelihoodName, likelihoods, logProb, make } from '../../src/vae/index.ts';
import { checkGradients, draw, random } from '../check.ts';
import { parameterFeeds } from '../nn/feeds.ts';
import { evaluate, type Feeds, type Value, value } from '../reference.ts';

/** Points of the sample space, and what each counts for in a sum or an integral. */
interface Support {
  readonly points: readonly (readonly number[])[];
  readonly weight: number;
}

interface Case {
  /** What the decoder gives, for each parameter and feature. */
  readonly values: readonly (readonly number[])[];
  readonly support: Support;
}

const LOGITS = [-1.2, 0.4, 2.1];

const binary: Support = {
  points: Array.from({ length: 8 }, (_, i) => [i & 1, (i >> 1) & 1, i >> 2]),
  weight: 1,
};
const oneOfThree: Support = {
  points: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  weight: 1,
};

/** A square around the origin, on which the trapezoid rule is as good as exact; constants of the graph are float32. */
const plane: Support = (() => {
  const axis = Array.from({ length: 201 }, (_, i) => (i - 100) / 8);
  return { points: axis.flatMap((a) => axis.map((b) => [a, b])), weight: 1 / 64 };
})();

/** A new likelihood without a case does not type-check. */
const cases: Record<LikelihoodName, Case> = {
  bernoulli: { values: [LOGITS], support: binary },
  categorical: { values: [LOGITS], support: oneOfThree },
  gaussian: { values: [[0.7, -1.5]], support: plane },
  gaussianShared: { values: [[0.7, -1.5]], support: plane },
};

/** A likelihood over [1, D], with the feeds of all it is made from. */
function built(name: LikelihoodName, values: Case['values'], options = {}) {
  const { root, all } = parameters();
  const size = values[0]!.length;
  const inputs = values.map((_, i) => input(`value ${i}`, [1, size]));
  const law = make(likelihoods[name], options);
  const likelihood = law.build([{ scope: root, size, channels: size }], inputs);
  const fed = values.map((v, i) => [`value ${i}`, value(v, [1, size])] as const);
  const feeds: Feeds = { ...parameterFeeds(all(), 1), ...Object.fromEntries(fed) };
  return { law, likelihood, feeds, size, tensors: [...inputs, ...all().map((p) => p.tensor)] };
}

/** `count` draws, [count, D] flat. */
function draws(name: LikelihoodName, values: Case['values'], count: number): Float32Array {
  const { law, likelihood, feeds, size } = built(name, values);
  const found = evaluate(Object.values(likelihood.values), feeds);
  const given = Object.keys(likelihood.values).map((key, i) => [key, Float32Array.from(found[i]!.data)]);
  const random = variates(stream(11, name));
  const out = new Float32Array(count * size);
  for (let i = 0; i < count; i++)
    law.draw(Object.fromEntries(given), random, out.subarray(i * size, (i + 1) * size), size);
  return out;
}

const table = (rows: readonly (readonly number[])[]): Value =>
  value(rows.flat(), [rows.length, rows[0]!.length]);

const close = (actual: number, expected: number, by: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= by, `${what}: ${actual}, expected ${expected} within ${by}`);

for (const [name, { values, support }] of Object.entries(cases) as [LikelihoodName, Case][]) {
  test(`${name}: its density adds up to 1, and its mean is the mean`, () => {
    const { likelihood, feeds, size } = built(name, values);
    const x = input('x', ['B', size]);
    const [logP, mean] = evaluate([logProb(likelihood, x), likelihood.mean], {
      ...feeds,
      x: table(support.points),
    });
    const p = logP!.data.map((v) => Math.exp(v) * support.weight);
    close(
      p.reduce((a, b) => a + b, 0),
      1,
      1e-7,
      'total',
    );
    for (let d = 0; d < size; d++) {
      const expected = support.points.reduce((a, point, i) => a + p[i]! * point[d]!, 0);
      close(mean!.data[d]!, expected, 2e-7, `mean of feature ${d}`);
    }
  });

  test(`${name}: draws have the mean and the variance of the density`, () => {
    const count = 50_000;
    const { likelihood, feeds, size } = built(name, values);
    const fed = { ...feeds, x: table(support.points) };
    const [logP] = evaluate([logProb(likelihood, input('x', ['B', size]))], fed);
    const drawn = draws(name, values, count);
    const moment = (d: number, power: number, centre = 0) =>
      support.points.reduce(
        (a, x, i) => a + Math.exp(logP!.data[i]!) * support.weight * (x[d]! - centre) ** power,
        0,
      );
    for (let d = 0; d < size; d++) {
      const mean = moment(d, 1);
      const [variance, fourth] = [moment(d, 2, mean), moment(d, 4, mean)];
      const column = Array.from({ length: count }, (_, i) => drawn[i * size + d]!);
      const average = (f: (v: number) => number) => column.reduce((a, v) => a + f(v), 0) / count;
      close(
        average((v) => v),
        mean,
        4 * Math.sqrt(variance / count),
        `mean of feature ${d}`,
      );
      const error = Math.sqrt((fourth - variance ** 2) / count) + 1 / count;
      close(
        average((v) => (v - mean) ** 2),
        variance,
        4 * error,
        `variance of feature ${d}`,
      );
    }
  });

  test(`${name}: the gradient of log p(x) is that of central differences`, () => {
    const { likelihood, feeds, size, tensors } = built(name, values);
    const next = random(4);
    const rows = Array.from({ length: 5 }, () => support.points[Math.floor(next() * support.points.length)]!);
    const loss = sum(mul(logProb(likelihood, input('x', ['B', size])), input('w', ['B'])));
    checkGradients(loss, tensors, { ...feeds, x: table(rows), w: draw({ shape: ['B'] }, 5, next) });
  });
}

test('draws of discrete laws are in their sample space', () => {
  for (const name of ['bernoulli', 'categorical'] as const) {
    const data = draws(name, cases[name].values, 300);
    assert.deepEqual(new Set(data), new Set([0, 1]));
    const sums = Array.from({ length: 300 }, (_, i) => data[3 * i]! + data[3 * i + 1]! + data[3 * i + 2]!);
    if (name === 'categorical') assert.deepEqual(new Set(sums), new Set([1]));
  }
});

test('log densities are right at logits of ±100, where the naive formula is not', () => {
  const logits = [100, -100, 100];
  const at = (name: LikelihoodName, x: readonly number[]): number => {
    const { likelihood, feeds } = built(name, [logits]);
    return evaluate([logProb(likelihood, input('x', ['B', 3]))], { ...feeds, x: table([x]) })[0]!.data[0]!;
  };
  close(at('bernoulli', [1, 0, 1]), 0, 1e-12, 'sure and right');
  close(at('bernoulli', [0, 1, 0]), -300, 1e-9, 'sure and wrong');
  close(at('categorical', [0, 1, 0]), -200 - Math.log(2), 1e-9, 'an unlikely class');
});

test('a learned variance has a floor, so that no density runs to infinity', () => {
  const { likelihood, feeds } = built('gaussian', [[0, 0]]);
  const [name] = Object.keys(feeds).filter((n) => n.endsWith('logVar'));
  const logVar = (raw: number): number =>
    evaluate([likelihood.values['logVar']!], { ...feeds, [name!]: value([raw, raw], [2]) })[0]!.data[0]!;
  close(logVar(-1000), -12, 1e-9, 'far below the floor');
  assert.ok(logVar(-1) > -12 && logVar(0) > logVar(-1) && logVar(1) > logVar(0));
});

test('the gradient of many fields at once is that of each, however many there are', () => {
  for (const fields of [3, 300]) {
    const sizes = Array.from({ length: fields }, (_, i) => 2 + (i % 3));
    const width = sizes.reduce((a, b) => a + b, 0);
    const logits = input('logits', ['B', width]);
    const x = input('x', ['B', width]);
    let at = 0;
    const alone = sizes.map((size) => {
      const [l, own] = [slice(logits, -1, at, at + size), slice(x, -1, at, (at += size))];
      return sum(mul(own, logSoftmax(l)));
    });
    const together = gradients(sum(categorical(logits, sizes).logProbs(x)), [logits])[0]!;
    const separately = gradients(
      alone.reduce((a, b) => add(a, b)),
      [logits],
    )[0]!;
    const next = random(5);
    const feeds = { logits: draw(logits, 2, next), x: draw(x, 2, next) };
    const [a, b] = evaluate([together, separately], feeds);
    a!.data.forEach((v, i) => {
      close(v, b!.data[i]!, 1e-12, `${fields} fields, feature ${i}`);
    });
  }
});
