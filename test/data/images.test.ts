/**
 * Folders of pictures: every colour type to one size, sub-folders as labels, unreadable ones told and left
 * out.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import sharp from 'sharp';
import { openDataset } from '../../src/data/open.ts';
import { takeRows } from '../../src/data/rows.ts';
import { modelFields } from '../../src/data/schema.ts';
import { SPLITS } from '../../src/data/split.ts';
import { byId, collect, put, temporaryFolder, withoutRights } from './files.ts';

const folder = temporaryFolder();
const everything = { validation: 0, test: 0 };
interface Colour {
  r: number;
  g: number;
  b: number;
  alpha?: number;
}
const plain = (width: number, height: number, background: Colour, channels: 3 | 4 = 3) =>
  sharp({ create: { width, height, channels, background } });

before(async () => {
  for (const name of ['cats', 'dogs/small']) mkdirSync(join(folder, 'mixed', name), { recursive: true });
  const red = { r: 250, g: 0, b: 0, alpha: 1 };
  const at = (name: string, bytes: Buffer) => put(join(folder, 'mixed'), name, bytes);
  at('cats/a.png', await plain(30, 20, red).png().toBuffer());
  at('cats/b.jpg', await plain(16, 16, { r: 0, g: 0, b: 250 }).jpeg({ quality: 100 }).toBuffer());
  at('cats/c.webp', await plain(16, 40, red).webp({ lossless: true }).toBuffer());
  at('dogs/d.png', await plain(16, 16, { r: 9, g: 9, b: 9 }).toColourspace('b-w').png().toBuffer());
  at('dogs/e.png', await plain(8, 8, { r: 0, g: 255, b: 0, alpha: 0 }, 4).png().toBuffer());
  at('dogs/f.png', await plain(8, 8, red).png({ palette: true }).toBuffer());
  at('dogs/small/g.gif', await plain(8, 8, red).gif().toBuffer());
  at('dogs/h.png', Buffer.from('not a picture'));
  const whole = await sharp(Buffer.from(Uint8Array.from({ length: 3072 }, (_, i) => (i * i) % 251)), {
    raw: { width: 32, height: 32, channels: 3 },
  })
    .png()
    .toBuffer();
  at('dogs/i.png', whole.subarray(0, whole.length / 2));
  at('notes.txt', Buffer.from('no picture'));
});

async function load(options: Parameters<typeof openDataset>[1]) {
  const dataset = await openDataset(join(folder, 'mixed'), { ...everything, ...options });
  const [batch] = await collect(dataset, { split: 'train', batchSize: 100 });
  const { columns } = takeRows(modelFields(dataset.schema), batch!.rows, batch!.index);
  return { dataset, pixels: columns[0] as Uint8Array };
}

test('mixed sizes and colour types become one size; bad files are counted and named', async () => {
  const { dataset, pixels } = await load({ image: { size: [10, 12] } });
  assert.equal(dataset.counts.train, 7);
  assert.match(
    dataset.notes.join(),
    /2 pictures cannot be read and are left out \(.*dogs.h\.png: .*dogs.i\.png: /,
  );
  const colour = (i: number) => [...pixels.subarray(i * 360, i * 360 + 3)];
  assert.deepEqual(colour(0), [250, 0, 0]);
  assert.ok(colour(1)[2]! > 240 && colour(1)[0]! < 10);
  assert.deepEqual(
    [colour(2), colour(3)],
    [
      [250, 0, 0],
      [9, 9, 9],
    ],
  );
  assert.deepEqual(colour(4), [255, 255, 255], 'transparent on white');
  assert.ok(
    pixels.every((v, i) => v === pixels[i - (i % 360) + (i % 3)]!),
    'every picture has one colour',
  );
  assert.deepEqual(dataset.labels, {
    name: 'folder',
    names: ['cats', 'dogs'],
    codes: Int32Array.of(0, 0, 0, 1, 1, 1, 1),
  });
});

test('64 × 64 RGB unless asked; grey and RGBA when asked', async () => {
  const sizes = async (image: object) => {
    const [field] = (await load({ image })).dataset.schema.fields;
    assert.ok(field?.type === 'image' && field.role === 'model');
    return [field.height, field.width, field.channels];
  };
  assert.deepEqual(await sizes({}), [64, 64, 3]);
  assert.deepEqual(await sizes({ color: 'gray', size: 9 }), [9, 9, 1]);
  const { pixels } = await load({ image: { color: 'rgba', size: 4 } });
  assert.deepEqual([...pixels.subarray(0, 4)], [250, 0, 0, 255]);
  assert.equal(pixels[4 * 64 + 3], 0, 'alpha kept');
});

test('a small memory decodes again for each batch and gives the same pixels', async () => {
  const home = join(folder, 'same');
  mkdirSync(home);
  for (let i = 0; i < 12; i++)
    put(
      home,
      `${i}.png`,
      await plain(6, 5, { r: 20 * i, g: i, b: 0 })
        .png()
        .toBuffer(),
    );
  const memory = await openDataset(home);
  const lazy = await openDataset(home, { memory: 10 });
  assert.deepEqual(lazy.schema, memory.schema);
  const [field] = memory.schema.fields;
  assert.ok(field?.type === 'image' && field.role === 'model');
  assert.deepEqual([field.height, field.width], [5, 6], 'the size that all have');
  for (const split of SPLITS) {
    const options = { split, batchSize: 5, shuffle: { seed: 1, epoch: 2 } };
    const [a, b] = [await collect(memory, options), await collect(lazy, options)];
    assert.deepEqual(
      b.map(({ ids }) => [...ids]),
      a.map(({ ids }) => [...ids]),
    );
    const fields = modelFields(memory.schema);
    for (const [k, batch] of a.entries())
      assert.deepEqual(takeRows(fields, b[k]!.rows, b[k]!.index), takeRows(fields, batch.rows, batch.index));
  }
  assert.equal(byId(await collect(lazy, { split: 'train', batchSize: 3 })).size, 10);
});

test('pictures that a camera has turned keep their own size, upright', async () => {
  const home = join(folder, 'turned');
  mkdirSync(home);
  const bytes = await plain(40, 20, { r: 0, g: 90, b: 0 }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
  for (let i = 0; i < 10; i++) put(home, `${i}.jpg`, bytes);
  const [field] = (await openDataset(home, everything)).schema.fields;
  assert.ok(field?.type === 'image' && field.role === 'model');
  assert.deepEqual([field.height, field.width], [40, 20]);
});

test('links to pictures are pictures; one to nowhere is told', async () => {
  const home = join(folder, 'links');
  mkdirSync(join(home, 'folder.png'), { recursive: true });
  for (let i = 0; i < 9; i++) symlinkSync(join(folder, 'mixed', 'cats', 'a.png'), join(home, `${i}.png`));
  symlinkSync(join(folder, 'mixed'), join(home, 'mixed.png'));
  symlinkSync(join(folder, 'nowhere'), join(home, 'z.png'));
  const dataset = await openDataset(home, everything);
  assert.equal(dataset.counts.train, 9);
  assert.match(dataset.notes.join(), /1 picture cannot be read and is left out \(z\.png/);
});

test('a sub-folder that cannot be listed is named', async () => {
  const home = join(folder, 'closed');
  mkdirSync(join(home, 'inner'), { recursive: true });
  put(home, 'a.png', await plain(4, 4, { r: 0, g: 0, b: 0 }).png().toBuffer());
  chmodSync(join(home, 'inner'), 0);
  chmodSync(folder, 0o755);
  await withoutRights(() =>
    assert.rejects(openDataset(home), {
      name: 'UserError',
      message: /closed.inner: the folder cannot be listed: EACCES/,
    }),
  );
});

test('a folder with nothing to read is refused', async () => {
  const empty = join(folder, 'empty');
  mkdirSync(empty);
  await assert.rejects(openDataset(empty), { name: 'UserError', message: /no pictures in it/ });
  put(empty, 'a.png', 'x');
  await assert.rejects(openDataset(empty), {
    name: 'UserError',
    message: /none of its pictures can be read \(a\.png/,
  });
  await assert.rejects(load({ image: { size: 0 } }), /picture size 0: expected a whole number/);
});
