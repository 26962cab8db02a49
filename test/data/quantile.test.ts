/** The normal distribution to many digits; normal scores are N(0, 1) and come back exactly. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { normalCdf, normalQuantile } from '../../src/data/normal.ts';
import { fitQuantile, quantileCodec } from '../../src/data/quantile.ts';
import { stream } from '../../src/random/stream.ts';

test('Φ⁻¹ agrees with published values and inverts Φ', () => {
  const known = [
    [0.975, 1.959963984540054],
    [0.001, -3.090232306167813],
    [1e-10, -6.361340902404056],
    [0.02425, -1.9729610513118847],
  ] as const;
  for (const [p, z] of known)
    assert.ok(Math.abs(normalQuantile(p) - z) < 1e-13, `${p}: ${normalQuantile(p)}`);
  for (let z = -7; z <= 5; z += 0.01)
    assert.ok(Math.abs(normalQuantile(normalCdf(z)) - z) < 1e-9, `z = ${z}`);
  assert.ok(Math.abs(normalCdf(1) + normalCdf(-1) - 1) < 1e-15);
});

const uniforms = (n: number, seed: number): Float32Array => {
  const u = new Float32Array(n);
  stream(seed, 'test').uniform(u);
  return u;
};

/** Columns of very different shapes. */
const shapes: Record<string, (u: Float32Array) => Float64Array> = {
  'ages, whole numbers': (u) => Float64Array.from(u, (x) => Math.round(17 + 73 * x * x)),
  '92 % zeros and a long tail': (u) =>
    Float64Array.from(u, (x) => (x < 0.92 ? 0 : Math.round(100 / (1.0001 - x)))),
  'heavy-tailed decimals': (u) => Float64Array.from(u, (x) => 1 / (1.001 - x)),
  'two atoms and a stretch between': (u) => Float64Array.from(u, (x) => Math.min(0.7, Math.max(0.2, x))),
  'five values': (u) => Float64Array.from(u, (x) => Math.floor(5 * x * x)),
};

for (const [name, make] of Object.entries(shapes)) {
  test(`${name}: encoded values are N(0, 1), decoded noise has the column's shape`, () => {
    const n = 20_000;
    const values = make(uniforms(n, 1));
    const sorted = values.slice().sort();
    const codec = quantileCodec(fitQuantile(sorted, name.includes('whole') || name.includes('five')));
    const u = uniforms(n, 2);
    const z = Float64Array.from(values, (v, i) => codec.encode(v, u[i]!)).sort();
    const toNormal = z.reduce((worst, x, i) => Math.max(worst, Math.abs(normalCdf(x) - (i + 0.5) / n)), 0);
    assert.ok(toNormal < 0.015, `Kolmogorov–Smirnov distance ${toNormal}`);
    const noise = new Float32Array(n);
    stream(3, 'test').normal(noise);
    const made = Float64Array.from(noise, (x) => codec.decode(x)).sort();
    assert.ok(distance(sorted, made) < 0.015, `distance ${distance(sorted, made)}`);
  });
}

/** Largest difference of two empirical distribution functions. */
function distance(a: Float64Array, b: Float64Array): number {
  let worst = 0;
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const v = Math.min(a[i]!, b[j]!);
    while (i < a.length && a[i]! <= v) i++;
    while (j < b.length && b[j]! <= v) j++;
    worst = Math.max(worst, Math.abs(i / a.length - j / b.length));
  }
  return worst;
}

test('whatever the column and the draw, decode(encode(v)) is v', () => {
  const column = fc.array(fc.integer({ min: -500, max: 500 }), { minLength: 2, maxLength: 3000 });
  fc.assert(
    fc.property(
      column,
      fc.double({ min: 0.001, max: 0.999, noNaN: true }),
      fc.integer({ min: 4, max: 64 }),
      (list, u, knots) => {
        const values = Float64Array.from(list);
        const codec = quantileCodec(fitQuantile(values.slice().sort(), true, knots));
        for (const v of values) assert.equal(Math.round(codec.decode(Math.fround(codec.encode(v, u)))), v);
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

test('many values: few knots, mass and range kept', () => {
  const values = Float64Array.from(uniforms(50_000, 4), (x) => Math.exp(5 * x)).sort();
  const fitted = fitQuantile(values, false, 200);
  assert.ok(fitted.values.length < 350, `${fitted.values.length} knots`);
  const mass = [...fitted.atoms, ...(fitted.between ?? [])].reduce((sum, n) => sum + n, 0);
  assert.equal(mass, values.length);
  assert.equal(fitted.values[0], values[0]);
  assert.equal(fitted.values.at(-1), values.at(-1));
});

test('a value beyond the range is further out than any seen, and decodes to the end of the range', () => {
  const codec = quantileCodec(
    fitQuantile(
      Float64Array.from({ length: 100 }, (_, i) => i),
      true,
    ),
  );
  assert.ok(codec.encode(1000, 0.5) > codec.encode(99, 0.999));
  assert.ok(codec.encode(-1000, 0.5) < codec.encode(0, 0.001));
  assert.ok(codec.encode(101, 0.5) < codec.encode(120, 0.5));
  assert.equal(codec.decode(codec.encode(1000, 0.5)), 99);
});
