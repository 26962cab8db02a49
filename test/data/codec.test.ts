/** Rows to model space and back, exactly; masks; randomness that is fixed by its key; pictures. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createCodec } from '../../src/data/codec.ts';
import { fitNumeric } from '../../src/data/fit-number.ts';
import { directionIn } from '../../src/data/number-codec.ts';
import type { Batch, Rows } from '../../src/data/rows.ts';
import { type ModelField, parseSchema, type Schema } from '../../src/data/schema.ts';
import { stream } from '../../src/random/stream.ts';

const whole = (rows: Rows, first = 0): Batch => {
  const index = Int32Array.from({ length: rows.count }, (_, i) => i);
  return { rows, index, ids: index.map((i) => i + first) };
};
const draft = { missing: true, missingShare: 0 };
const schemaOf = (fields: readonly unknown[]): Schema => parseSchema({ version: 1, fields });

const cities = ['Paris', 'Rome', 'Kyiv', 'Oslo'];
const category = { name: 'city', type: 'category', missing: true, categories: cities, counts: [4, 3, 2, 1] };
const boolean = { name: 'member', type: 'boolean', missing: true, words: ['no', 'yes'], counts: [1, 1] };

/** One row of a mixed table; null = missing. */
const row = fc.record({
  age: fc.option(fc.integer({ min: 0, max: 120 })),
  price: fc.option(fc.integer({ min: -50_000, max: 50_000 }).map((cents) => cents / 100)),
  day: fc.option(fc.integer({ min: 0, max: 30_000 })),
  city: fc.option(fc.nat(3)),
  member: fc.option(fc.nat(1)),
});
const some = { age: 1, price: 1.5, day: 1, city: 0, member: 0 };

for (const transform of ['quantile', 'standard'] as const) {
  test(`${transform}: every value of a mixed table comes back; missing values are masked zeros`, () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 80 }), fc.nat(1000), (list, seed) => {
        const rows = [some, ...list];
        const number = (key: 'age' | 'price' | 'day') => Float64Array.from(rows, (r) => r[key] ?? Number.NaN);
        const code = (key: 'city' | 'member') => Int32Array.from(rows, (r) => r[key] ?? -1);
        const columns = [number('age'), number('price'), number('day'), code('city'), code('member')];
        const fit = { transform };
        const codec = createCodec(
          schemaOf([
            fitNumeric({ ...draft, name: 'age', type: 'integer' }, columns[0] as Float64Array, fit),
            fitNumeric({ ...draft, name: 'price', type: 'number' }, columns[1] as Float64Array, fit),
            fitNumeric(
              { ...draft, name: 'day', type: 'date', unit: 'day', format: '%Y-%m-%d' },
              columns[2] as Float64Array,
              fit,
            ),
            category,
            boolean,
          ]),
        );
        assert.deepEqual(codec.shape, [9]);
        const x = new Float32Array(rows.length * 9).fill(Number.NaN);
        const mask = new Float32Array(rows.length * 5).fill(Number.NaN);
        codec.encode(whole({ count: rows.length, columns }), { x, mask }, { kind: 'row', seed });
        assert.ok(x.every(Number.isFinite));
        const back = codec.decode(x, rows.length);
        columns.forEach((column, j) => {
          column.forEach((v, i) => {
            const absent = Number.isNaN(v) || (j > 2 && v < 0);
            assert.equal(mask[i * 5 + j], absent ? 0 : 1);
            if (!absent) assert.equal(back.columns[j]![i], v);
          });
        });
      }),
      { numRuns: 40, seed: 2 },
    );
  });
}

for (const [min, max, period] of [
  [-180, 180, 360],
  [-170, 90, 360],
  [-90, 300, 360],
  [0, 359, 360],
  [0, 23, 24],
] as const)
  test(`directions from ${min} to ${max} come back, and others to the nearer end`, () => {
    const directions = Float64Array.from({ length: max - min + 1 }, (_, i) => min + i);
    const fit = { likelihood: 'vonMises' };
    const codec = createCodec(
      schemaOf([fitNumeric({ ...draft, missing: false, name: 'to', type: 'integer' }, directions, fit)]),
    );
    const there = (v: number, w: number) => Math.abs(v - w - period * Math.round((v - w) / period));
    const x = new Float32Array(directions.length);
    codec.encode(whole({ count: directions.length, columns: [directions] }), { x });
    const [back] = codec.decode(x, directions.length).columns;
    for (const [i, v] of directions.entries()) {
      assert.equal(there(back![i]!, v), 0);
      assert.ok(back![i]! >= min && back![i]! <= max);
    }
    const beyond = Array.from({ length: period }, (_, i) => min - i).filter((v) =>
      directions.every((w) => there(v, w) > 0),
    );
    const angles = Float32Array.from(beyond, (v) => (2 * Math.PI * v) / period);
    const held = codec.decode(angles, beyond.length).columns[0]!;
    beyond.forEach((v, i) => {
      assert.equal(there(held[i]!, v), Math.min(there(min, v), there(max, v)));
    });
  });

test('of a range that training has seen, values beyond count as its ends; shares beyond 0 and 1 are refused', () => {
  const encoded = (values: readonly number[], more: number) => {
    const field = fitNumeric(
      { ...draft, missing: false, name: 'x', type: 'number' },
      Float64Array.from(values),
      {
        likelihood: 'beta',
      },
    );
    const x = new Float32Array(1);
    createCodec(schemaOf([field])).encode(whole({ count: 1, columns: [Float64Array.of(more)] }), { x });
    return x[0];
  };
  assert.equal(encoded([5, 7.5, 15], 15.3), 1);
  assert.equal(encoded([5, 7.5, 15], 4), 0);
  assert.equal(encoded([0.1, 0.25, 0.9], 0.5), 0.5);
  assert.throws(() => encoded([0.1, 0.25, 0.9], 1.5), /column "x", row 1: 1.5 cannot be by the law/);
});

test('directions of any turn and range are given back within it', () => {
  for (const [min, max, v, expected] of [
    [-300, 0, -290, -290],
    [-300, 0, 70, -290],
    [400, 700, 50, 410],
    [-90, 300, 200, 200],
    [-180, 180, 190, -170],
    [0, 360, -10, 350],
  ] as const)
    assert.equal(directionIn({ min, max }, 360, v), expected);
});

test('parts say where each field lies', () => {
  const codec = createCodec(schemaOf([category, { ...boolean, missing: false }]));
  assert.deepEqual(codec.parts, [
    { field: 'city', likelihood: 'categorical', support: 'class', start: 0, size: 4 },
    { field: 'member', likelihood: 'categorical', support: 'class', start: 4, size: 2 },
  ]);
  assert.equal(codec.masked, true);
  assert.equal(createCodec(schemaOf([{ ...boolean, missing: false }])).masked, false);
});

const numbers = Float64Array.from({ length: 400 }, (_, i) => i % 7);
const sevens = schemaOf([fitNumeric({ ...draft, name: 'n', type: 'integer' }, numbers)]);

test('draws: by row they depend on the row alone, by step they are fresh, without one they are the middle', () => {
  const codec = createCodec(sevens);
  const rows = { count: 400, columns: [numbers] };
  const encode = (batch: Batch, draw?: Parameters<typeof codec.encode>[2]) => {
    const x = new Float32Array(batch.index.length);
    codec.encode(batch, { x }, draw);
    return x;
  };
  const all = encode(whole(rows), { kind: 'row', seed: 5 });
  const index = Int32Array.of(3, 399, 17);
  const picked = encode({ rows, index, ids: index }, { kind: 'row', seed: 5 });
  assert.deepEqual([...picked], [all[3], all[399], all[17]]);
  assert.notDeepEqual(encode(whole(rows), { kind: 'row', seed: 6 }), all);
  const random = stream(5, 'noise');
  assert.notDeepEqual(
    encode(whole(rows), { kind: 'step', stream: random }),
    encode(whole(rows), { kind: 'step', stream: random }),
  );
  const middle = encode(whole(rows));
  assert.equal(new Set(middle).size, 7);
  assert.ok(Math.abs(middle[3]!) < 0.02, 'the fourth of seven equally frequent values is in the middle');
});

test('standard: decode clips to the range seen unless told not to', () => {
  const values = Float64Array.of(0, 10);
  const schema = schemaOf([
    fitNumeric({ ...draft, name: 'n', type: 'integer' }, values, { transform: 'standard' }),
  ]);
  const codec = createCodec(schema);
  assert.deepEqual([...codec.decode(Float32Array.of(3, -3, 0.5), 3).columns[0]!], [10, 0, 8]);
  assert.deepEqual([...codec.decode(Float32Array.of(3, -3), 2, { clip: false }).columns[0]!], [20, -10]);
});

const picture = (more: object): ModelField =>
  schemaOf([{ name: 'image', type: 'image', height: 3, width: 5, channels: 1, ...more }])
    .fields[0] as ModelField;

test('pictures: pixels come back; a picture is one part of the shape [H, W, C]', () => {
  const codec = createCodec(schemaOf([picture({ likelihood: 'gaussian' })]));
  const pixels = Uint8Array.from({ length: 10 * 15 }, (_, i) => (i * 37) % 256);
  const x = new Float32Array(150);
  codec.encode(whole({ count: 10, columns: [pixels] }), { x });
  assert.deepEqual(codec.shape, [3, 5, 1]);
  assert.deepEqual(codec.parts, [
    { field: 'image', likelihood: 'gaussian', support: 'unit', start: 0, size: 15 },
  ]);
  assert.deepEqual(codec.decode(x, 10).columns[0], pixels);
});

test('dynamic binarisation: a pixel is 1 with probability pixel / 255, black and white never change', () => {
  const codec = createCodec(schemaOf([picture({ binarize: 'dynamic', likelihood: 'bernoulli' })]));
  const one = Uint8Array.of(0, 255, 64, 128, 200, 0, 0, 0, 0, 255, 1, 254, 0, 30, 90);
  const n = 6000;
  const pixels = new Uint8Array(n * 15);
  for (let i = 0; i < n; i++) pixels.set(one, i * 15);
  const x = new Float32Array(n * 15);
  for (const draw of [
    { kind: 'step', stream: stream(1, 'draw') },
    { kind: 'row', seed: 1 },
  ] as const) {
    codec.encode(whole({ count: n, columns: [pixels] }), { x }, draw);
    assert.ok(x.every((v) => v === 0 || v === 1));
    one.forEach((p, j) => {
      let ones = 0;
      for (let i = 0; i < n; i++) ones += x[i * 15 + j]!;
      const expected = p / 255;
      const tolerance = 5 * Math.sqrt((expected * (1 - expected)) / n);
      assert.ok(Math.abs(ones / n - expected) <= tolerance, `${draw.kind}, pixel ${p}: ${ones / n}`);
    });
  }
});

test('a codec gives the pictures of a batch whatever batch came before', () => {
  const pixels = Uint8Array.from({ length: 12 * 15 }, (_, i) => (i * 37) % 256);
  const rows = { count: 12, columns: [pixels] };
  for (const binarize of ['none', 'static', 'dynamic']) {
    const schema = schemaOf([
      picture({ binarize, likelihood: binarize === 'none' ? 'gaussian' : 'bernoulli' }),
    ]);
    const used = createCodec(schema);
    for (const ids of [[11, 2, 7], [5], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [9, 9, 3]]) {
      const index = Int32Array.from(ids);
      const [x, expected] = [new Float32Array(ids.length * 15), new Float32Array(ids.length * 15)];
      used.encode({ rows, index, ids: index }, { x }, { kind: 'row', seed: 1 });
      createCodec(schema).encode({ rows, index, ids: index }, { x: expected }, { kind: 'row', seed: 1 });
      assert.deepEqual(x, expected, binarize);
    }
  }
});

test('static binarisation is a threshold', () => {
  const codec = createCodec(schemaOf([picture({ binarize: 'static', likelihood: 'bernoulli' })]));
  const x = new Float32Array(15);
  const pixels = Uint8Array.from({ length: 15 }, (_, i) => 121 + i);
  codec.encode(whole({ count: 1, columns: [pixels] }), { x }, { kind: 'row', seed: 1 });
  assert.deepEqual(
    [...x],
    [...pixels].map((p) => (p >= 128 ? 1 : 0)),
  );
});

test('what cannot be modelled is refused', () => {
  const ignored = { name: 'id', role: 'ignored', reason: 'identifier' };
  assert.throws(() => createCodec(schemaOf([ignored])), /all are ignored/);
  assert.throws(() => createCodec(schemaOf([picture({}), boolean])), /cannot be modelled with other columns/);
  assert.throws(
    () => createCodec(sevens).encode(whole({ count: 400, columns: [numbers] }), { x: new Float32Array(3) }),
    RangeError,
  );
});

test('a gap in a column that had none is refused with its row', () => {
  const codec = createCodec(schemaOf([{ ...category, missing: false }]));
  const batch = whole({ count: 2, columns: [Int32Array.of(0, -1)] }, 10);
  assert.throws(() => codec.encode(batch, { x: new Float32Array(8) }), /column "city", row 12: no value/);
});
