import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Counter, type Key, openEngine } from '../../src/random/engine.ts';
import { philox, referenceEngine } from './reference.ts';

// kat_vectors of Random123 1.14, lines "philox4x32 10": counter, key, expected
const known: [Counter, Key, number[]][] = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
];

test('Philox4x32-10 gives the published answers in TypeScript and in SIMD', () => {
  const simd = openEngine();
  for (const [counter, key, expected] of known) {
    const out = new Uint32Array(4);
    philox(out, 1, counter, key);
    assert.deepEqual([...out], expected);
    simd.raw(1, counter, key);
    assert.deepEqual([...simd.words.subarray(0, 4)], expected);
  }
});

const word = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 3, 2 ** 32 - 1),
);

test('the SIMD engine is bit-equal to the reference, for words and every transform', () => {
  const plain = referenceEngine(8192);
  const simd = openEngine();
  const property = fc.property(
    fc.tuple(word, word, word, word),
    fc.tuple(word, word),
    fc.integer({ min: 1, max: 2048 }),
    (counter, key, blocks) => {
      const same = (what: string) =>
        assert.deepEqual(simd.words.slice(0, 4 * blocks), plain.words.slice(0, 4 * blocks), what);
      for (const kind of ['uniform', 'normal', 'gumbel'] as const) {
        for (const engine of [plain, simd]) engine.raw(blocks, counter, key);
        same('words');
        for (const engine of [plain, simd]) engine[kind](4 * blocks);
        same(kind);
      }
    },
  );
  fc.assert(property, { numRuns: 60 });
});

test('every pixel at the edges of its draws: the engines agree', () => {
  const plain = referenceEngine(8192);
  const simd = openEngine();
  const pixels = Uint8Array.from({ length: 256 * 6 }, (_, i) => i & 255);
  const below = (p: number) => Math.round((p * 65536) / 255);
  const draws = Uint16Array.from(pixels, (p, i) =>
    Math.min(65535, Math.max(0, [below(p) - 1, below(p), below(p) + 1, 0, 65535, 32768][i >> 8]!)),
  );
  for (const engine of [plain, simd]) engine.words.set(new Uint32Array(draws.buffer));
  assert.deepEqual([...simd.binarise(pixels)], [...plain.binarise(pixels)]);
});

// Words that hit the ends: 0, the largest, quarter turns of the angle, the switch of the Gumbel formula, rounding edges.
const edges = [
  0,
  1,
  2,
  127,
  255,
  256,
  511,
  512,
  2 ** 29 - 1,
  2 ** 29,
  2 ** 30 - 1,
  2 ** 30,
  2 ** 31 - 1,
  2 ** 31,
]
  .flatMap((w) => [w, 2 ** 32 - 1 - w])
  .concat([0x95f61980, 0x95f61981, 0x95f6197f, 0xc0000000, 0x3fffff80, 0x40000080]);

test('at the edges of the words the transforms stay finite and the engines agree', () => {
  const pairs = Uint32Array.from(edges.flatMap((a) => edges.flatMap((b) => [a, b])));
  const plain = referenceEngine(8192);
  const simd = openEngine();
  for (const kind of ['uniform', 'normal', 'gumbel'] as const) {
    for (const engine of [plain, simd]) {
      engine.words.set(pairs);
      engine[kind](pairs.length);
      assert.ok(engine.floats.subarray(0, pairs.length).every(Number.isFinite), kind);
    }
    assert.deepEqual(simd.words.slice(0, pairs.length), plain.words.slice(0, pairs.length), kind);
  }
});

test('normals and Gumbels agree with the formulas in float64', () => {
  const engine = referenceEngine(8192);
  engine.raw(2048, [7, 0, 0, 0], [1, 2]);
  const words = engine.words.slice();
  const u = (i: number) => (words[i]! + 0.5) * 2 ** -32;
  engine.normal(8192);
  for (let i = 0; i < 8192; i += 2) {
    const r = Math.sqrt(-2 * Math.log1p(-u(i)));
    const angle = (2 * Math.PI * words[i + 1]!) / 2 ** 32;
    assert.ok(Math.abs(engine.floats[i]! - r * Math.cos(angle)) < 3e-7 * r);
    assert.ok(Math.abs(engine.floats[i + 1]! - r * Math.sin(angle)) < 3e-7 * r);
  }
  engine.words.set(words);
  engine.gumbel(8192);
  for (let i = 0; i < 8192; i++) {
    const expected = -Math.log(-Math.log1p(-u(i)));
    assert.ok(
      Math.abs(engine.floats[i]! - expected) < 4e-7 * Math.max(1, Math.abs(expected)),
      `${engine.floats[i]} for ${expected}`,
    );
  }
});
