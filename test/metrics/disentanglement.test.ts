/** Scores of codes whose answer is known: the factors themselves, factors turned into each other, and noise. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scoresOf } from '../../src/metrics/disentanglement/scores.ts';
import { type Coded, disentanglement } from '../../src/metrics/index.ts';
import { stream } from '../../src/random/index.ts';
import { near } from './near.ts';

const SIZES = [3, 6, 8, 5];
const COUNT = 1600;

/** Rows drawn from all combinations; the first factor is a name. */
function rows(codesOf: (values: readonly number[], noise: Float32Array) => readonly number[]): Coded {
  const random = stream(3, 'factors');
  const values = SIZES.map((size) => Float64Array.from({ length: COUNT }, () => random.integer(size)));
  const noise = new Float32Array(COUNT * 8);
  stream(3, 'noise').normal(noise);
  const codes = Array.from({ length: COUNT }, (_, i) =>
    codesOf(
      SIZES.map((size, k) => values[k]![i]! / (size - 1) - 0.5),
      noise.subarray(8 * i, 8 * i + 8),
    ),
  );
  const factors = values.map((v, k) => ({ name: `f${k}`, ordered: k > 0, values: v }));
  return { count: COUNT, width: codes[0]!.length, codes: Float32Array.from(codes.flat()), factors };
}

const scores = (codesOf: Parameters<typeof rows>[0]) => scoresOf(rows(codesOf));
const CHANCE = 1 / SIZES.length;

test('the factors themselves, in any order and scale and beside an idle dimension, score 1', () => {
  const perfect = disentanglement(rows(([a, b, c, d], e) => [-3 * c!, a!, 0.001 * e[0]!, 0.2 * d!, b!]))!;
  for (const [name, { value, low, high }] of Object.entries(perfect)) {
    near(value, 1, 0.02);
    assert.ok(low <= value && value <= high, name);
  }
});

test('noise scores nothing: about 0, or the share that guessing gets', () => {
  const random = scores((_, e) => [...e.subarray(0, 5)]);
  near(random.mig, 0, 0.02);
  near(random.sap, 0, 0.05);
  near(random.dciDisentanglement, 0, 0.1);
  near(random.dciCompleteness, 0, 0.1);
  near(random.dciInformativeness, 0, 0.05);
  assert.ok(random.modularity <= 0.25, `${random.modularity}`);
  near(random.factorVae, CHANCE, 0.1);
  near(random.betaVae, CHANCE, 0.15);
});

test('factors turned into each other score between, the information still there', () => {
  const turned = scores(([a, b, c, d]) => [a! + b!, a! - b!, c! + d!, c! - d!].map((v) => v / Math.SQRT2));
  for (const name of ['mig', 'sap', 'dciDisentanglement', 'dciCompleteness', 'modularity'] as const)
    assert.ok(turned[name] < 0.9, `${name} ${turned[name]}`);
  for (const name of ['dciDisentanglement', 'dciCompleteness', 'modularity', 'factorVae'] as const)
    assert.ok(turned[name] > 0.25, `${name} ${turned[name]}`);
  assert.ok(turned.dciInformativeness > 0.85, `${turned.dciInformativeness}`);
  assert.ok(turned.mig < 0.2 && turned.sap < 0.2);
});

test('a factor in two dimensions is disentangled and not complete', () => {
  const twice = scores(([a, b, c, d], e) => [a!, b!, c!, d! + 0.3 * e[0]!, d! + 0.3 * e[1]!]);
  assert.ok(twice.dciDisentanglement > 0.85, `${twice.dciDisentanglement}`);
  assert.ok(twice.dciCompleteness < twice.dciDisentanglement - 0.05);
  assert.ok(twice.modularity > 0.95, `${twice.modularity}`);
  assert.ok(twice.mig < 0.85);
});

test('a dimension for two factors is complete and not disentangled', () => {
  const both = scores(([a, b, c, d]) => [a!, b!, 4 * c! + 0.55 * d!]);
  assert.ok(both.dciCompleteness > 0.95, `${both.dciCompleteness}`);
  assert.ok(both.dciDisentanglement < 0.9, `${both.dciDisentanglement}`);
});

test('constant codes and constant factors have no scores', () => {
  assert.equal(disentanglement(rows(() => [1, 2])), undefined);
  const { factors, ...rest } = rows(([a]) => [a!]);
  const constant = { ...factors[0]!, values: new Float64Array(COUNT) };
  assert.equal(disentanglement({ ...rest, factors: [constant] }), undefined);
  assert.ok(disentanglement({ ...rest, factors: [constant, factors[0]!] })!.mig.value > 0.99);
});
