/** Factors of variation: the sprites, and tables of factors beside data. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDataset, readFactors, SPRITE_FACTORS, sprites } from '../../src/data/index.ts';
import { modelFields } from '../../src/data/schema.ts';
import { put, temporaryFolder } from './files.ts';

const folder = temporaryFolder();
const all = sprites(32);
const pictureAt = (pixels: Uint8Array, size: number, i: number): Uint8Array =>
  pixels.subarray(i * size * size, (i + 1) * size * size);

test('every combination of factors is there once, and no two pictures are the same', () => {
  assert.equal(all.count, 3 * 6 * 20 * 8 * 8);
  const names = Object.keys(SPRITE_FACTORS) as (keyof typeof SPRITE_FACTORS)[];
  const combinations = new Set<string>();
  const pictures = new Set<string>();
  for (let i = 0; i < all.count; i++) {
    combinations.add(names.map((name) => all.factors[name][i]).join());
    pictures.add(Buffer.from(pictureAt(all.pixels, 32, i)).toString('latin1'));
  }
  assert.deepEqual([combinations.size, pictures.size], [all.count, all.count]);
  assert.deepEqual([...new Set(all.pixels)].sort(), [0, 255]);
});

test('a picture is what its factors say: it lies about x and y, and grows with the scale', () => {
  const moments = (i: number) => {
    let [area, x, y] = [0, 0, 0];
    pictureAt(all.pixels, 32, i).forEach((v, at) => {
      if (v === 0) return;
      area++;
      x += (at % 32) + 0.5;
      y += Math.floor(at / 32) + 0.5;
    });
    return { area, x: x / area, y: y / area };
  };
  const areas = new Map<string, number[]>();
  for (let i = 0; i < all.count; i += 17) {
    const { shape, scale, x, y } = all.factors;
    const found = moments(i);
    assert.ok(Math.abs(found.x - 2 * SPRITE_FACTORS.x[x[i]!]!) < 0.7, `${found.x} for x ${x[i]}`);
    assert.ok(Math.abs(found.y - 2 * SPRITE_FACTORS.y[y[i]!]!) < 0.7, `${found.y} for y ${y[i]}`);
    const own = areas.get(`${shape[i]}`) ?? Array<number>(6).fill(0);
    own[scale[i]!] = Math.max(own[scale[i]!]!, found.area);
    areas.set(`${shape[i]}`, own);
  }
  for (const own of areas.values())
    assert.ok(
      own.every((area, i) => i === 0 || area > own[i - 1]!),
      own.join(),
    );
});

test('fewer pictures are the first of all, and twice the size has the same factors', () => {
  const some = sprites(32, 50);
  assert.deepEqual(some.pixels, all.pixels.slice(0, 50 * 32 * 32));
  const large = sprites(64, 50);
  assert.deepEqual(large.factors, some.factors);
  for (let i = 0; i < 50; i++) {
    const [big, small] = [pictureAt(large.pixels, 64, i), pictureAt(some.pixels, 32, i)];
    const share = small.filter(
      (v, at) => v === big[2 * (2 * Math.floor(at / 32)) * 32 + 2 * (at % 32)],
    ).length;
    assert.ok(share > 0.95 * 1024, `${share}`);
  }
  assert.throws(() => sprites(30), /30 pixels: expected a multiple of 16/);
});

test('the sprites are a dataset by name, with factors and labels by row', async () => {
  const data = await openDataset('sprites', { limit: 400, image: { size: 16 } });
  assert.deepEqual(data.counts, { train: 320, validation: 40, test: 40 });
  const [field] = modelFields(data.schema);
  assert.ok(field?.type === 'image' && field.height === 16 && field.binarize === 'static');
  assert.deepEqual(data.labels!.names, ['heart', 'flag', 'drop']);
  const { factors } = sprites(16, 400);
  for (const { name, ordered, values } of data.factors!) {
    assert.equal(ordered, name !== 'shape');
    assert.equal(values.length, 400);
    if (name === 'rotation')
      assert.deepEqual(
        [...values],
        Array.from(factors.rotation, (i) => 18 * i),
      );
  }
  const again = await openDataset('sprites', { limit: 400, schema: data.schema, label: 'scale' });
  assert.equal(again.labels!.names[1], '0.6');
  for await (const { rows } of again.batches({ split: 'test', batchSize: 40 }))
    assert.equal(rows.columns[0]!.length, 400 * 256, 'the size is the schema’s');
  await assert.rejects(openDataset('sprites', { label: 'colour' }), /the sprites have shape, scale/);
  await assert.rejects(openDataset('sprites', { image: { size: 40 } }), /a multiple of 16/);
});

test('factors are read by their kind; identifiers and constants are left out', async () => {
  const lines = Array.from(
    { length: 100 },
    (_, i) => `${i},p${i}.png,${i % 3},${['b', 'a', ''][i % 3]},7,${i / 8}`,
  );
  const path = put(folder, 'factors.csv', ['id,file,level,kind,same,amount', ...lines].join('\n'));
  const factors = await readFactors(path, 100);
  assert.deepEqual(
    factors.map(({ name, ordered }) => [name, ordered]),
    [
      ['level', true],
      ['kind', false],
      ['amount', true],
    ],
  );
  const [level, kind, amount] = factors;
  assert.deepEqual([...level!.values.slice(0, 4)], [0, 1, 2, 0]);
  assert.deepEqual([...kind!.values.slice(0, 4)], [1, 0, Number.NaN, 1]);
  assert.equal(amount!.values[9], 9 / 8);
});

test('factors that do not fit are refused', async () => {
  const path = put(folder, 'few.csv', 'a,b\n1,x\n2,y\n2,x\n');
  await assert.rejects(readFactors(path, 4), /3 rows of factors for 4 rows of data: one for each is needed/);
  await assert.rejects(readFactors(put(folder, 'same.csv', 'a\n1\n1\n'), 2), /no column of factors/);
  await assert.rejects(readFactors(put(folder, 'few.txt', 'a\n1\n2\n'), 2), /factors are read from \.csv/);
});
