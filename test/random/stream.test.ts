import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/errors.ts';
import { type Stream, stream } from '../../src/random/index.ts';

const floats = (n: number, fill: (out: Float32Array) => void): Float32Array => {
  const out = new Float32Array(n);
  fill(out);
  return out;
};
const words = (s: Stream, n = 8): Uint32Array => {
  const out = new Uint32Array(n);
  s.uint32(out);
  return out;
};
const mean = (xs: ArrayLike<number>, f = (x: number) => x): number => {
  let total = 0;
  for (let i = 0; i < xs.length; i++) total += f(xs[i]!);
  return total / xs.length;
};

test('a stream is a function of seed, purpose and indices alone', () => {
  const indices = fc.array(fc.nat(), { maxLength: 2 });
  const property = fc.property(fc.nat(), fc.string(), indices, (seed, purpose, at) =>
    assert.deepEqual(words(stream(seed, purpose, ...at)), words(stream(seed, purpose, ...at))),
  );
  fc.assert(property);
});

test('another seed, purpose, index or number of indices is another stream', () => {
  const variants: [number, string, ...number[]][] = [
    [0, 'noise'],
    [1, 'noise'],
    [2 ** 32, 'noise'],
    [2 ** 53 - 1, 'noise'],
    [0, 'shuffle'],
    [0, ''],
    [0, '\0'],
    [0, 'a long purpose, longer than one block'],
    [0, 'a long purpose, longer than one Block'],
    [0, 'noise', 0],
    [0, 'noise', 0, 0],
    [0, 'noise', 1],
    [0, 'noise', 0, 1],
    [0, 'noise', 2 ** 32],
    [0, 'noise', 2 ** 53 - 1],
    [0, 'noise', 2 ** 53 - 1, 2 ** 32 - 1],
  ];
  const first = variants.map(([seed, purpose, ...at]) => words(stream(seed, purpose, ...at), 2).join());
  assert.equal(new Set(first).size, variants.length);
});

test('the numbers of a seed never change', () => {
  const s = stream(42, 'noise', 3, 1);
  assert.deepEqual([...words(s, 4)], [378543899, 929895715, 3342728920, 2953060412]);
  assert.deepEqual(
    [...floats(4, s.normal)],
    [0.6921380758285522, -0.32237866520881653, -0.1804933398962021, 1.9419445991516113],
  );
  assert.deepEqual([...s.permutation(8)], [7, 3, 4, 6, 2, 5, 1, 0]);
});

test('draws continue, and the size of an array does not change its beginning', () => {
  const property = fc.property(
    fc.integer({ min: 1, max: 20_000 }),
    fc.integer({ min: 1, max: 40 }),
    (long, short) => {
      for (const kind of ['uniform', 'normal', 'gumbel'] as const) {
        const a = floats(long, stream(1, 'p')[kind]);
        const b = floats(short, stream(1, 'p')[kind]);
        const n = Math.min(long, short);
        assert.deepEqual(a.subarray(0, n), b.subarray(0, n));
      }
    },
  );
  fc.assert(property, { numRuns: 30 });
  const s = stream(1, 'p');
  const together = words(stream(1, 'p'), 8);
  assert.deepEqual([...words(s, 4), ...words(s, 4)], [...together]);
});

test('uniforms lie strictly inside (0, 1) with the right moments', () => {
  const u = floats(1_000_000, stream(5, 'u').uniform);
  assert.ok(u.every((x) => x > 0 && x < 1));
  assert.ok(Math.abs(mean(u) - 0.5) < 4 * Math.sqrt(1 / 12 / 1e6));
  assert.ok(Math.abs(mean(u, (x) => x * x) - 1 / 3) < 4 * Math.sqrt(4 / 45 / 1e6));
});

test('normals have the moments and tails of N(0, 1)', () => {
  const z = floats(1_000_000, stream(5, 'z').normal);
  const expected = [0, 1, 0, 3, 0, 15];
  const variance = [1, 2, 15, 96, 945, 10170];
  for (let k = 1; k <= 6; k++)
    assert.ok(
      Math.abs(mean(z, (x) => x ** k) - expected[k - 1]!) < 4 * Math.sqrt(variance[k - 1]! / 1e6),
      `moment ${k}`,
    );
  const beyond3 = mean(z, (x) => (Math.abs(x) > 3 ? 1 : 0));
  assert.ok(Math.abs(beyond3 - 0.0026998) < 4 * Math.sqrt(0.0027 / 1e6));
  let product = 0;
  for (let i = 1; i < z.length; i++) product += z[i]! * z[i - 1]!;
  assert.ok(Math.abs(product / 1e6) < 4 / 1000, 'neighbours are uncorrelated');
});

test('Gumbel noise has the mean and variance of Gumbel(0, 1)', () => {
  const g = floats(1_000_000, stream(5, 'g').gumbel);
  const m = mean(g);
  assert.ok(Math.abs(m - 0.5772156649) < 4 * Math.sqrt(Math.PI ** 2 / 6 / 1e6));
  assert.ok(Math.abs(mean(g, (x) => (x - m) ** 2) - Math.PI ** 2 / 6) < 0.012);
});

test('integers are uniform below any bound', () => {
  const s = stream(9, 'i');
  const counts = new Float64Array(7);
  for (let i = 0; i < 70_000; i++) counts[s.integer(7)]!++;
  const chi2 = counts.reduce((total, c) => total + (c - 10_000) ** 2 / 10_000, 0);
  assert.ok(chi2 < 27.9, `chi-squared ${chi2} with 6 degrees of freedom (p = 1e-4)`);
  // 3 · 2³⁰ would be visibly biased by a bare remainder: its lowest third would come up half the time
  let lowest = 0;
  for (let i = 0; i < 10_000; i++) if (s.integer(3 * 2 ** 30) < 2 ** 30) lowest++;
  assert.ok(Math.abs(lowest / 10_000 - 1 / 3) < 4 * Math.sqrt(2 / 9 / 10_000));
  assert.equal(s.integer(1), 0);
  assert.throws(() => s.integer(0), RangeError);
});

test('a permutation holds every index once, and each order is as likely', () => {
  const property = fc.property(fc.integer({ min: 0, max: 9000 }), (n) => {
    const sorted = stream(2, 'order', n).permutation(n).sort();
    assert.ok(sorted.length === n && sorted.every((x, i) => x === i));
  });
  fc.assert(property, { numRuns: 30 });
  const counts = new Map<string, number>();
  for (let i = 0; i < 24_000; i++) {
    const order = stream(2, 'order', i).permutation(4).join();
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  const chi2 = [...counts.values()].reduce((total, c) => total + (c - 1000) ** 2 / 1000, 0);
  assert.equal(counts.size, 24);
  assert.ok(chi2 < 55, `chi-squared ${chi2} with 23 degrees of freedom (p = 2e-4)`);
});

test('binarising draws two pixels a word, whatever their number', () => {
  const pixels = Uint8Array.from({ length: 20_011 }, (_, i) => (i * 37) & 255);
  const out = new Float32Array(pixels.length);
  stream(3, 'b').binarise(pixels, out);
  const halves = new Uint16Array(words(stream(3, 'b'), 10_008).buffer);
  pixels.forEach((p, i) => {
    assert.equal(out[i], Number(halves[i]! < Math.round((p * 65536) / 255)), `pixel ${i}`);
  });
});

test('a bad seed says what is expected', () => {
  for (const seed of [-1, 0.5, Number.NaN, 2 ** 53])
    assert.throws(
      () => stream(seed, 'x'),
      (e) => e instanceof UserError && e.message.includes(String(seed)),
    );
  assert.throws(() => stream(1, 'x', 1, 2, 3), RangeError);
});
