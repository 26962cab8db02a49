/** NumPy and IDX: read, written and read back; arrays as tables and as pictures. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { parseIdx } from '../../src/data/idx.ts';
import { formatNpy, formatNpz, type NdArray, parseNpy } from '../../src/data/npy.ts';
import { openDataset } from '../../src/data/open.ts';
import { readWhole } from '../../src/data/read-whole.ts';
import { parseSchema, type Schema } from '../../src/data/schema.ts';
import { writeRows } from '../../src/data/write.ts';
import { byId, collect, put, temporaryFolder } from './files.ts';

const folder = temporaryFolder();

const KINDS = [
  Float64Array,
  Float32Array,
  Int32Array,
  Int16Array,
  Int8Array,
  Uint32Array,
  Uint16Array,
  Uint8Array,
];

test('.npy: every array comes back', () => {
  const shape = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(shape, fc.constantFrom(...KINDS), fc.nat(), (sizes, Kind, seed) => {
      const data = new Kind(sizes.reduce((a, b) => a * b, 1)).map(
        (_: number, i: number) => (seed + i * 37) % 120,
      );
      assert.deepEqual(parseNpy(formatNpy({ shape: sizes, data }), 'x'), { shape: sizes, data });
    }),
    { numRuns: 50, seed: 1 },
  );
  const texts: NdArray = { shape: [3], data: ['a', 'zürich', '☕🙂'] };
  assert.deepEqual(parseNpy(formatNpy(texts), 'x'), texts);
});

/** A .npy file as NumPy writes it, from its header words and bytes. */
function npy(words: string, body: Uint8Array): Uint8Array {
  const header = new TextEncoder().encode(`${words.padEnd(117)}\n`);
  return Uint8Array.of(
    0x93,
    ...new TextEncoder().encode('NUMPY'),
    1,
    0,
    header.length,
    0,
    ...header,
    ...body,
  );
}

test('.npy: big-endian, Fortran order, half precision and long integers', () => {
  const big = npy(
    "{'descr': '>f8', 'fortran_order': False, 'shape': (2,), }",
    Uint8Array.of(0x3f, 0xf8, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0),
  );
  assert.deepEqual(parseNpy(big, 'x').data, Float64Array.of(1.5, -2));
  const fortran = npy(
    "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }",
    Uint8Array.of(1, 4, 2, 5, 3, 6),
  );
  assert.deepEqual(parseNpy(fortran, 'x'), { shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
  const half = npy(
    "{'descr': '<f2', 'fortran_order': False, 'shape': (4,), }",
    Uint8Array.of(0, 0x3e, 0, 0xc0, 1, 0, 0, 0x7c),
  );
  assert.deepEqual(
    [...(parseNpy(half, 'x').data as Float32Array)],
    [1.5, -2, 2 ** -24, Number.POSITIVE_INFINITY],
  );
  const long = npy("{'descr': '<i8', 'fortran_order': False, 'shape': (1,), }", new Uint8Array(8).fill(255));
  assert.deepEqual(parseNpy(long, 'x').data, Float64Array.of(-1));
});

test('.npy: damaged or hostile bytes are refused in words, never with a crash', () => {
  const good = formatNpy({ shape: [4], data: Float64Array.of(1, 2, 3, 4) });
  assert.throws(() => parseNpy(good.subarray(0, good.length - 1), 'f.npy'), {
    name: 'UserError',
    message: /f\.npy: is cut short/,
  });
  assert.throws(() => parseNpy(new Uint8Array(200), 'f.npy'), {
    name: 'UserError',
    message: /is not a NumPy array/,
  });
  const objects = npy("{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", new Uint8Array(99));
  assert.throws(() => parseNpy(objects, 'x'), { name: 'UserError' });
  const huge = npy(
    "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
    new Uint8Array(9),
  );
  assert.throws(() => parseNpy(huge, 'x'), { name: 'UserError', message: /is cut short/ });
  for (const [type, sizes, message] of [
    ['<f8', '-5, 2', /says \(-5, 2\), expected whole sizes from 0 and not -5/],
    ['<f8', '1.5, 2', /and not 1\.5/],
    ['<U0', '1000000000000000,', /of type "<U0"/],
  ] as const) {
    const odd = npy(
      `{'descr': '${type}', 'fortran_order': False, 'shape': (${sizes}), }`,
      new Uint8Array(99),
    );
    assert.throws(() => parseNpy(odd, 'x'), { name: 'UserError', message });
  }
  const long: NdArray = { shape: [1], data: ['x'.repeat(200_000)] };
  assert.deepEqual(parseNpy(formatNpy(long), 'x'), long);
  fc.assert(
    fc.property(fc.nat(good.length - 1), fc.nat(255), (at, byte) => {
      const bytes = good.slice();
      bytes[at] = byte;
      try {
        parseNpy(bytes, 'x');
      } catch (error) {
        assert.equal((error as Error).name, 'UserError');
      }
    }),
    { numRuns: 300, seed: 3 },
  );
});

const everything = { validation: 0, test: 0 };

test('.npz: X [n, d] is a table, y its labels; what is not finite is missing', async () => {
  const X = Float64Array.from({ length: 90 }, (_, i) => (i % 3 === 2 ? 7 : i === 4 ? Number.NaN : i / 4));
  const path = put(
    folder,
    'table.npz',
    formatNpz({
      X: { shape: [30, 3], data: X },
      y: { shape: [30], data: Int32Array.from({ length: 30 }, (_, i) => i % 2) },
      other: { shape: [1], data: Float64Array.of(0) },
    }),
  );
  const dataset = await openDataset(path, everything);
  assert.deepEqual(
    dataset.schema.fields.map((f) => [f.name, f.role]),
    [
      ['x0', 'model'],
      ['x1', 'model'],
      ['x2', 'ignored'],
    ],
  );
  assert.deepEqual(dataset.labels, {
    name: 'y',
    names: ['0', '1'],
    codes: Int32Array.from({ length: 30 }, (_, i) => i % 2),
  });
  assert.match(dataset.notes.join(), /the examples are array "X"; not used: other/);
  const rows = byId(await collect(dataset, { split: 'train', batchSize: 7 }));
  assert.equal(rows.get(1), '0.75 NaN');
  await assert.rejects(openDataset(path, { label: 'z' }), /no array "z" for labels; it holds "X" \(30 × 3\)/);
});

test('pictures from arrays: bytes as they are, [0, 1] in steps of 1/255; nearly black and white ones are binarised', async () => {
  const bytes = Uint8Array.from({ length: 20 * 12 }, (_, i) => (i % 5 ? 0 : 255));
  const dark = await openDataset(
    put(folder, 'dark.npy', formatNpy({ shape: [20, 3, 4], data: bytes })),
    everything,
  );
  const [field] = dark.schema.fields;
  assert.ok(field?.type === 'image' && field.role === 'model');
  assert.deepEqual([field.height, field.width, field.channels], [3, 4, 1]);
  assert.deepEqual([field.binarize, field.likelihood], ['dynamic', 'bernoulli']);
  const floats = Float32Array.from({ length: 20 * 36 }, (_, i) => (i % 100) / 99);
  const grey = await openDataset(
    put(folder, 'grey.npy', formatNpy({ shape: [20, 3, 4, 3], data: floats })),
    everything,
  );
  const [other] = grey.schema.fields;
  assert.ok(other?.type === 'image' && other.role === 'model');
  assert.deepEqual([other.channels, other.binarize, other.likelihood], [3, 'none', 'gaussian']);
  const [batch] = await collect(grey, { split: 'train', batchSize: 20 });
  assert.deepEqual(
    batch!.rows.columns[0],
    Uint8Array.from(floats, (v) => Math.round(v * 255)),
  );
});

const pixelsIn = async (path: string, schema?: Schema) => {
  const dataset = await openDataset(path, { ...everything, ...(schema && { schema }) });
  const [batch] = await collect(dataset, { split: 'train', batchSize: 100 });
  return { dataset, pixels: batch!.rows.columns[0] as Uint8Array };
};

test('pictures of bytes 0 and 1, or of booleans: 1 is white, and stays so for new data of the model', async () => {
  const ones = Uint8Array.from({ length: 20 * 12 }, (_, i) => Number(i % 5 < 2));
  const white = ones.map((v) => 255 * v);
  const shape = [20, 3, 4];
  const bytes = put(folder, 'ones.npy', formatNpy({ shape, data: ones }));
  const booleans = put(
    folder,
    'bools.npy',
    npy("{'descr': '|b1', 'fortran_order': False, 'shape': (20, 3, 4), }", ones),
  );
  const [seen, read] = [await pixelsIn(bytes), await pixelsIn(booleans)];
  const [field] = seen.dataset.schema.fields;
  assert.ok(field?.type === 'image' && field.role === 'model');
  assert.deepEqual([field.full, field.binarize, field.likelihood], [1, 'static', 'bernoulli']);
  assert.match(seen.dataset.notes.join(), /no byte is above 1, so 1 is read as white/);
  assert.deepEqual(read.dataset.schema, seen.dataset.schema);
  assert.deepEqual([seen.pixels, read.pixels], [white, white]);

  const saved = parseSchema(JSON.parse(JSON.stringify(seen.dataset.schema)));
  const one = put(folder, 'one.npy', formatNpy({ shape: [2, 3, 4], data: new Uint8Array(24).fill(1, 3, 4) }));
  assert.equal((await pixelsIn(one, saved)).pixels[3], 255);
  const grey = put(folder, 'grey2.npy', formatNpy({ shape, data: white.map((v, i) => v || i % 7) }));
  await assert.rejects(pixelsIn(grey, saved), /grey2\.npy: example 1 holds 255, expected bytes of 0 and 1/);
  const again = join(folder, 'again.npy');
  await writeRows({ count: 20, columns: [white] }, saved, again);
  assert.deepEqual((await pixelsIn(again, saved)).pixels, white, 'what is written is of the same form');

  const old = parseSchema({ version: 1, fields: [{ ...field, full: undefined, binarize: 'dynamic' }] });
  assert.deepEqual((await pixelsIn(booleans, old)).pixels, white);
  await assert.rejects(pixelsIn(bytes, old), /no byte is above 1, but the model is of bytes up to 255/);
});

test('a schema says whether arrays are pictures, whatever their values; without one the training file does', async () => {
  const values = (low: number, high: number, n = 20) =>
    Float64Array.from({ length: n * 4 }, (_, i) => low + ((high - low) * ((i * 7) % 11)) / 10);
  const file = (name: string, data: Float64Array) =>
    put(folder, name, formatNpy({ shape: [data.length / 4, 2, 2], data }));
  const [wide, narrow] = [file('wide.npy', values(-1, 1)), file('narrow.npy', values(0, 1))];
  const table = await openDataset({ train: wide, validation: narrow }, everything);
  assert.deepEqual([table.schema.fields.length, table.counts.validation], [4, 20]);
  const known = await openDataset(narrow, { ...everything, schema: table.schema });
  assert.match(known.notes.join(), /each 2 × 2 example is read as 4 columns/);
  const pictures = (await openDataset(narrow, everything)).schema;
  const odd = values(0, 1);
  odd[9] = 1.0001;
  await assert.rejects(openDataset(file('odd.npy', odd), { schema: pictures }), {
    name: 'UserError',
    message: /odd\.npy: example 3 holds 1\.0001, expected pixels from 0 to 1/,
  });
});

test('files of any size are read in pieces', async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i % 251);
  assert.deepEqual(new Uint8Array(await readWhole(put(folder, 'bytes', bytes), 64)), bytes);
});

/** The bytes of an IDX file of unsigned bytes. */
function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const head = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  head.setUint32(0, 0x0800 + shape.length);
  for (const [i, n] of shape.entries()) head.setUint32(4 + 4 * i, n);
  return Uint8Array.of(...new Uint8Array(head.buffer), ...data);
}

test('IDX: a folder laid out as MNIST gives training and test pictures with labels', async () => {
  const home = join(folder, 'mnist');
  mkdirSync(home);
  const pixels = Uint8Array.from({ length: 30 * 4 }, (_, i) => i);
  put(home, 'train-images-idx3-ubyte', idx([20, 2, 2], pixels.subarray(0, 80)));
  put(
    home,
    'train-labels-idx1-ubyte',
    idx(
      [20],
      Uint8Array.from({ length: 20 }, (_, i) => i % 10),
    ),
  );
  put(home, 't10k-images-idx3-ubyte.gz', gzipSync(idx([10, 2, 2], pixels.subarray(80))));
  put(
    home,
    't10k-labels-idx1-ubyte.gz',
    gzipSync(
      idx(
        [10],
        Uint8Array.from({ length: 10 }, (_, i) => 9 - i),
      ),
    ),
  );
  const dataset = await openDataset(home, { validation: 0.1 });
  assert.deepEqual(dataset.counts, { train: 18, validation: 2, test: 10 });
  assert.equal(dataset.labels!.codes[20], 9);
  const rows = byId(await collect(dataset, { split: 'test', batchSize: 4 }));
  assert.deepEqual(
    [...rows.keys()],
    Array.from({ length: 10 }, (_, i) => 20 + i),
  );
  const [batch] = await collect(dataset, { split: 'test', batchSize: 1 });
  const at = batch!.index[0]! * 4;
  assert.deepEqual([...(batch!.rows.columns[0] as Uint8Array).subarray(at, at + 4)], [80, 81, 82, 83]);

  const own = join(folder, 'own');
  mkdirSync(own);
  put(own, 'train-images-idx3-ubyte', idx([5, 2, 2], pixels.subarray(0, 20)));
  const given = await openDataset({ train: home, validation: own, test: own });
  assert.deepEqual(given.counts, { train: 20, validation: 5, test: 5 });
  const file = join(own, 'train-images-idx3-ubyte');
  const beside = await openDataset({ train: home, validation: file });
  assert.deepEqual(beside.counts, { train: 20, validation: 5, test: 10 });
  assert.deepEqual((await openDataset({ train: file, test: own })).counts.test, 5);
  await assert.rejects(
    openDataset({ train: own, test: home }),
    /mnist: has training and test pictures, expected those of one split/,
  );
});

test('IDX: wrong magic, cut short, too long and overflowing sizes are refused', () => {
  const good = idx([2, 2], Uint8Array.of(1, 2, 3, 4));
  assert.deepEqual(parseIdx(good, 'x'), { shape: [2, 2], data: Uint8Array.of(1, 2, 3, 4) });
  const bad: [Uint8Array, RegExp][] = [
    [Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8), /begins with 01 02 03 04/],
    [new Uint8Array(), /begins with nothing/],
    [good.subarray(0, 9), /header is not complete/],
    [good.subarray(0, 15), /says 2 × 2 values of 1 bytes, but 3 bytes follow/],
    [Uint8Array.of(...good, 0), /but 5 bytes follow/],
    [idx([0xffffffff, 0xffffffff, 0xffffffff], Uint8Array.of(1)), /but 1 bytes follow/],
  ];
  for (const [bytes, message] of bad)
    assert.throws(() => parseIdx(bytes, 'x'), { name: 'UserError', message });
});

test('an array is written only with as many values as its shape has, and of however many texts', () => {
  assert.throws(
    () => formatNpy({ shape: [3, 3], data: new Float32Array(4) }),
    /an array of shape \[3,3\] has 9 values, given 4/,
  );
  const texts = Array.from({ length: 200_000 }, (_, i) => `row ${i}`);
  assert.deepEqual(parseNpy(formatNpy({ shape: [texts.length], data: texts }), 'texts').data, texts);
});
