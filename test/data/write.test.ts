/**
 * What is written is read back the same: values, words, types, names and order; files are whole and never
 * overwritten unasked.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import sharp from 'sharp';
import { createCodec } from '../../src/data/codec.ts';
import { openDataset } from '../../src/data/open.ts';
import { type Rows, takeRows } from '../../src/data/rows.ts';
import { modelFields, parseSchema, type Schema } from '../../src/data/schema.ts';
import { writeRows } from '../../src/data/write.ts';
import { contactSheet, writeImages } from '../../src/data/write-images.ts';
import { byId, collect, put, temporaryFolder, withoutRights } from './files.ts';

const folder = temporaryFolder();

/** Awkward names, words, dates and numbers. */
function awkwardCsv(): string {
  const lines = ['"select ""x""; --",Datum,when,ok,flag,"O\'Neil, Ltd",price,big'];
  for (let i = 0; i < 60; i++) {
    const day = String(1 + (i % 28)).padStart(2, '0');
    const city = i === 7 ? '' : ['"a, b"', "'; DROP TABLE made; --", '"say ""hi"""', 'zürich ☕'][i % 4];
    const price = i === 9 ? '' : `${(i % 13) - 6}.${25 * (i % 4)}`;
    lines.push(
      `${i % 5},${day}.02.2024,2024-02-${day} 10:${day}:00,${i % 2 ? 'TRUE' : 'FALSE'},${i % 2},${city},${price},${4e9 + (i % 6)}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
const source = put(folder, 'awkward.csv', awkwardCsv());
const everything = { validation: 0, test: 0 };

async function load(
  path: string,
  schema?: Schema,
): Promise<{ rows: Rows; schema: Schema; texts: Map<number, string> }> {
  const dataset = await openDataset(path, { ...everything, ...(schema && { schema }) });
  const [batch] = await collect(dataset, { split: 'train', batchSize: 1000 });
  assert.deepEqual(dataset.notes, []);
  return {
    rows: takeRows(modelFields(dataset.schema), batch!.rows, batch!.index),
    schema: dataset.schema,
    texts: byId([batch!]),
  };
}

/** The rows of the source, read once. */
let original: Awaited<ReturnType<typeof load>>;
before(async () => {
  original = await load(source);
});

for (const ending of ['csv', 'csv.gz', 'tsv', 'json', 'jsonl', 'parquet']) {
  test(`${ending}: rows, names and order survive writing and reading`, async () => {
    const path = join(folder, `out.${ending}`);
    await writeRows(original.rows, original.schema, path);
    const reopened = await load(path);
    const names = (schema: Schema) => schema.fields.map(({ name }) => name);
    assert.deepEqual(names(reopened.schema), names(original.schema));
    const types = (schema: Schema) => schema.fields.map(({ type }) => type);
    assert.deepEqual(types(reopened.schema), types(original.schema));
    if (ending === 'parquet')
      assert.equal(reopened.texts.size, 60); // dates have a type there, not a text
    else assert.deepEqual((await load(path, original.schema)).texts, original.texts);
    await assert.rejects(writeRows(original.rows, original.schema, path), /exists already/);
    await writeRows(original.rows, original.schema, path, { overwrite: true });
    assert.ok(!readdirSync(folder).some((name) => name.endsWith('.part')));
  });
}

test('JSON has numbers, booleans and nulls as such; dates and words as in the data', async () => {
  const { rows, schema } = original;
  const path = join(folder, 'typed.json');
  await writeRows(rows, schema, path);
  const made = JSON.parse(readFileSync(path, 'utf8'));
  assert.deepEqual(made[0], {
    'select "x"; --': 0,
    Datum: '01.02.2024',
    when: '2024-02-01 10:01:00',
    ok: false,
    flag: 0,
    "O'Neil, Ltd": 'a, b',
    price: -6,
    big: 4e9,
  });
  assert.equal(made[7]["O'Neil, Ltd"], null);
  assert.equal(made[9].price, null);
});

test('CSV of decoded rows: the words of the data', async () => {
  const { rows, schema } = original;
  const codec = createCodec(schema);
  const index = Int32Array.of(1, 2);
  const x = new Float32Array(2 * codec.shape[0]!);
  codec.encode({ rows, index, ids: index }, { x });
  const path = join(folder, 'decoded.csv');
  await writeRows(codec.decode(x, 2), schema, path);
  const [, first] = readFileSync(path, 'utf8').split('\n');
  assert.equal(first, "1,02.02.2024,2024-02-02 10:02:00,TRUE,1,'; DROP TABLE made; --,-5.25,4000000001");
});

const pictures = parseSchema({
  version: 1,
  fields: [{ name: 'image', type: 'image', height: 4, width: 6, channels: 3 }],
});
const pixels = Uint8Array.from({ length: 3 * 72 }, (_, i) => (i * 91) % 256);

test('pictures: PNG files and .npy come back bit for bit', async () => {
  const rows = { count: 3, columns: [pixels] };
  const out = join(folder, 'pictures');
  const paths = await writeImages(rows, pictures, out);
  assert.deepEqual(
    paths.map((path) => path.slice(out.length + 1)),
    ['0001.png', '0002.png', '0003.png'],
  );
  await assert.rejects(writeImages(rows, pictures, out), /0001.png: exists already/);
  const npy = join(folder, 'pictures.npy');
  await writeRows(rows, pictures, npy);
  for (const path of [out, npy]) {
    const back = await load(path);
    assert.deepEqual(back.rows.columns[0], pixels);
  }
  await assert.rejects(writeRows(rows, pictures, join(folder, 'p.csv')), /cannot be written as a table/);
  await assert.rejects(writeImages(rows, original.schema, out), /not pictures/);
});

test('a contact sheet shows each picture enlarged, in reading order', async () => {
  const sheet = await contactSheet(
    { data: pixels, height: 4, width: 6, channels: 3 },
    { columns: 2, scale: 5 },
  );
  const { data, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  assert.deepEqual([info.height, info.width, info.channels], [2 * 22 + 2, 2 * 32 + 2, 3]);
  const at = (y: number, x: number) => [
    ...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3),
  ];
  assert.deepEqual(at(0, 0), [255, 255, 255]);
  assert.deepEqual(at(2 + 5 * 3 + 4, 2 + 5 * 5 + 4), [...pixels.subarray(69, 72)]);
  assert.deepEqual(at(24, 2), [...pixels.subarray(144, 147)]);
  await assert.rejects(
    contactSheet({ data: new Uint8Array(), height: 4, width: 6, channels: 3 }),
    /no pictures/,
  );
});

test('an unknown ending is refused with those that are known', async () => {
  await assert.rejects(
    writeRows({ count: 0, columns: [] }, pictures, join(folder, 'x.xls')),
    /\.csv .*\.parquet/,
  );
});

test('a place that may not be written to is told, whoever writes', async () => {
  const closed = join(folder, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o555);
  chmodSync(folder, 0o755);
  const { rows, schema } = original;
  const refused = { name: 'UserError', message: /cannot write .*closed.r\.\w+: .*permission denied/i };
  await withoutRights(async () => {
    for (const name of ['r.csv', 'r.npy'])
      await assert.rejects(writeRows(rows, schema, join(closed, name)), refused);
    await assert.rejects(writeRows(rows, schema, join(closed, 'more', 'r.csv')), {
      name: 'UserError',
      message: /cannot create the folder .*more: permission denied/,
    });
  });
});
