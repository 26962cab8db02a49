/** What every likelihood must be: a density with the mean, the gradient and the draws that it says it has. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { add, gradients, input, logSoftmax, mul, slice, sum } from '../../src/graph/index.ts';
import { categorical, type LikelihoodName, logProb, type Support } from '../../src/vae/index.ts';
import { checkGradients, draw, random } from '../check.ts';
import { evaluate } from '../reference.ts';
import { type LawCase, lawCases } from './law-cases.ts';
import { asX, built, draws } from './laws.ts';

const all = (Object.entries(lawCases) as [LikelihoodName, readonly LawCase[]][]).flatMap(([name, list]) =>
  list.map((c, i) => ({ name, c, title: list.length > 1 ? `${name}, case ${i}` : name })),
);

const COUNT = 10_000;

const bit = (x: number): boolean => x === 0 || x === 1;
const INSIDE: Readonly<Record<Support, (x: number) => boolean>> = {
  binary: bit,
  class: bit,
  order: bit,
  unit: (x) => x >= 0 && x <= 1,
  real: Number.isFinite,
  positive: (x) => x >= 0 && x < Number.POSITIVE_INFINITY,
  count: (x) => Number.isInteger(x) && x >= 0,
  angle: (x) => Math.abs(x) <= Math.fround(Math.PI),
};

const close = (actual: number, expected: number, by: number, what: string) =>
  assert.ok(Math.abs(actual - expected) <= by, `${what}: ${actual}, expected ${expected} within ${by}`);

const total = (p: readonly number[], f: (i: number) => number = () => 1): number =>
  p.reduce((a, v, i) => a + v * f(i), 0);

/** Whether points are whole fields and not features. */
const together = ({ space, size }: LawCase): boolean => space.points[0]!.length === size && size > 1;

/** For each feature d the mass of each point of the space, and the value of d there. */
function massesOf(name: LikelihoodName, c: LawCase) {
  const { likelihood, feeds, x } = built(name, c);
  const { points, weights } = c.space;
  const rows = together(c) ? points : points.map(([v]) => Array<number>(c.size).fill(v!));
  const [logP, mean] = evaluate([likelihood.logProbs(x), likelihood.mean], { ...feeds, x: asX(rows) });
  const of = (i: number, d: number) => logP!.data[i * c.size + d]!;
  const whole = (i: number) => Array.from({ length: c.size }, (_, d) => of(i, d)).reduce((a, b) => a + b, 0);
  const features = Array.from({ length: c.size }, (_, d) => ({
    mass: rows.map((_, i) => Math.exp(together(c) ? whole(i) : of(i, d)) * weights[i]!),
    at: (i: number) => rows[i]![d]!,
    mean: mean!.data[mean!.data.length === 1 ? 0 : d]!,
  }));
  return { rows, features };
}

for (const { name, c, title } of all) {
  let known: ReturnType<typeof massesOf> | undefined;
  const masses = () => (known ??= massesOf(name, c));

  test(`${title}: its density adds up to 1, and its mean is the mean`, () => {
    const { law } = built(name, c);
    masses().features.forEach(({ mass, at, mean }, d) => {
      close(total(mass), 1, 3e-6, `total of feature ${d}`);
      const average = (f: (x: number) => number) => total(mass, (i) => f(at(i)));
      const expected =
        law.support === 'angle' ? Math.atan2(average(Math.sin), average(Math.cos)) : average((x) => x);
      close(mean, expected, c.meanWithin ?? 3e-6 * Math.max(1, Math.abs(expected)), `mean of feature ${d}`);
    });
    const counting = c.space.weights.every((w) => w === 1);
    assert.equal(law.discrete, counting, 'a law is discrete where its densities are probabilities');
    if (law.levels && !together(c)) assert.equal(c.space.points.length, law.levels);
  });

  test(`${title}: draws follow the density`, () => {
    const drawn = draws(name, c, COUNT);
    const { rows, features } = masses();
    if (together(c)) checkMoments(drawn, rows, features[0]!.mass, c.size);
    else
      features.forEach(({ mass, at }, d) => {
        const column = Array.from({ length: COUNT }, (_, i) => drawn[i * c.size + d]!);
        const { edges, shares } = binsOf(mass.map((p, i) => [at(i), p] as const));
        const counts = shares.map(() => 0);
        for (const x of column) counts[edges.filter((edge) => x > edge).length]!++;
        const chi2 = total(
          counts,
          (b) => (counts[b]! - COUNT * shares[b]!) ** 2 / counts[b]! / (COUNT * shares[b]!),
        );
        close(
          chi2,
          edges.length,
          4.5 * Math.sqrt(2 * edges.length) + 4,
          `χ² of feature ${d}: ${counts} of ${shares}`,
        );
      });
  });

  test(`${title}: draws are in its set`, () => {
    const drawn = draws(name, c, 500);
    const { law } = built(name, c);
    for (const x of drawn) assert.ok(INSIDE[law.support](x), `${x} is not ${law.support}`);
    if (!law.discrete) return;
    const width = c.space.points[0]!.length;
    const known = new Set(c.space.points.map((point) => point.map(Math.fround).join()));
    for (let i = 0; i < drawn.length; i += width)
      assert.ok(known.has(drawn.subarray(i, i + width).join()), `${drawn.subarray(i, i + width)}`);
  });

  test(`${title}: the gradient of log p(x) is that of central differences`, () => {
    const { likelihood, feeds, x, tensors } = built(name, c);
    const next = random(4);
    const { rows, features } = masses();
    const likely = rows.flatMap((_, i) => (features[0]!.mass[i]! > 1e-7 ? [i] : []));
    const pick = () => rows[likely[Math.floor(next() * likely.length)]!]!;
    const some = Array.from({ length: 6 }, () => (together(c) ? pick() : pick().map((_, d) => pick()[d]!)));
    const loss = sum(mul(logProb(likelihood, x), input('w', [1, 'B'])));
    checkGradients(loss, tensors, { ...feeds, x: asX(some), w: draw({ shape: [1, 'B'] }, 6, next) });
  });
}

/** The first two moments of draws, also of pairs of features, against those of the points. */
function checkMoments(
  drawn: Float32Array,
  rows: readonly (readonly number[])[],
  mass: readonly number[],
  size: number,
): void {
  for (let d = 0; d < size; d++)
    for (let e = d; e < size; e++)
      for (const f of [(a: number, _: number) => a, (a: number, b: number) => a * b]) {
        const mean = total(mass, (i) => f(rows[i]![d]!, rows[i]![e]!));
        const variance = total(mass, (i) => (f(rows[i]![d]!, rows[i]![e]!) - mean) ** 2);
        let found = 0;
        for (let i = 0; i < COUNT; i++) found += f(drawn[i * size + d]!, drawn[i * size + e]!) / COUNT;
        close(found, mean, 4.5 * Math.sqrt(variance / COUNT), `moment of features ${d} and ${e}`);
      }
}

/** About ten bins of points in order, by the points between them. */
function binsOf(points: readonly (readonly [number, number])[]): { edges: number[]; shares: number[] } {
  const edges: number[] = [];
  const shares = [0];
  let left = 1;
  points.forEach(([x, p], i) => {
    shares[shares.length - 1]! += p;
    left -= p;
    if (shares.at(-1)! < 0.09 || left < 0.05 || i + 1 === points.length) return;
    edges.push((x + points[i + 1]![0]) / 2);
    shares.push(0);
  });
  return { edges, shares };
}

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
