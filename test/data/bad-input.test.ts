/**
 * Bad and hostile input: each is refused as something the user can mend, in words that say what and where.
 */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatNpy } from '../../src/data/npy.ts';
import { openDataset } from '../../src/data/open.ts';
import type { ImageOptions } from '../../src/data/options.ts';
import { put, temporaryFolder } from './files.ts';

const folder = temporaryFolder();
const lines = (n: number, line: (i: number) => string) =>
  Array.from({ length: n }, (_, i) => `${line(i)}\n`).join('');

const files: Record<string, [name: string, content: string | Uint8Array, message: RegExp]> = {
  'an empty file': ['empty.csv', '', /the file is empty/],
  'a header only': ['header.csv', 'a,b\n', /has no rows, only a header/],
  'one row': ['one.csv', 'a,b\n1,2\n', /1 row cannot be split .* at least 3 are needed/],
  'all rows bad': [
    'bad.csv',
    `a,b\n${lines(9, () => '1,2,3')}`,
    /9 lines cannot be read .*line 2: 3 values instead of 2/,
  ],
  'only constants': [
    'same.csv',
    `a,b\n${lines(9, () => '1,x')}`,
    /no column is left to model \("a": constant: every value is "1"/,
  ],
  'only identifiers': [
    'ids.csv',
    `id\n${lines(30, (i) => `row ${i}`)}`,
    /"id": identifier, every value differs/,
  ],
  'only missing values': ['none.csv', `a,b\n${lines(9, () => '?,NA')}`, /"a": no value at all/],
  'two columns of one name': ['twice.csv', 'a,a\n1,2\n3,4\n', /two columns are called "a"/],
  'numbers and words in one column': [
    'mixed.csv',
    `v\n${lines(900, (i) => (i % 3 ? `${i}.5` : `word ${i}`))}`,
    /column "v": 600 of 900 values are numbers, the others are not, such as "word 0" in row 1/,
  ],
  'bytes that are no table': [
    'bytes.csv',
    Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919) % 256),
    /bytes\.csv/,
  ],
  'a Parquet file that is none': ['none.parquet', 'PAR1 no', /none\.parquet: cannot be read/],
  'broken JSON': ['broken.json', '[{"a":1},{"a"', /broken\.json: cannot be read/],
  'a .npz that is none': ['none.npz', 'PK\u0003\u0004 no', /none\.npz: cannot be unpacked|no \.npy arrays/],
  'a .npy that is none': ['none.npy', 'no', /is not a NumPy array/],
  'an IDX file that is none': ['images-idx3-ubyte', 'no idx at all', /is not an IDX file/],
  'an unknown ending': ['table.xlsx', 'x', /this kind of file is not known\. Known: \.csv/],
};
for (const [name, [file, content, message]] of Object.entries(files)) {
  test(`refused: ${name}`, async () => {
    const path = put(folder, file, content);
    await assert.rejects(openDataset(path), { name: 'UserError', message });
  });
}

test('refused: a missing file, a file that may not be read', async () => {
  await assert.rejects(openDataset(join(folder, 'nowhere.csv')), {
    name: 'UserError',
    message: /no such file or folder/,
  });
  const secret = put(folder, 'secret.csv', 'a\n1\n2\n3\n');
  chmodSync(secret, 0);
  if (process.getuid?.() !== 0)
    await assert.rejects(openDataset(secret), { name: 'UserError', message: /no permission/ });
});

const small = () => put(folder, 'small.csv', `a,b\n${lines(40, (i) => `${i % 7},${i % 3}`)}`);
const options: Record<string, [Parameters<typeof openDataset>[1], RegExp]> = {
  'a column that is not there': [{ ignore: ['c'] }, /there is no column "c"; it has "a", "b"/],
  'a label that is not there': [{ label: 'c' }, /there is no column "c"/],
  'shares that leave nothing': [{ validation: 0.6, test: 0.5 }, /leave nothing to train on/],
  'a share of 2': [{ validation: 2 }, /validation share 2: expected 0 to below 1/],
  'a limit of 0': [{ limit: 0 }, /limit 0: expected a whole number from 1/],
  'a limit of one row': [{ limit: 1 }, /1 row cannot be split/],
  'a size of what is no picture': [{ image: { size: 6 } }, /size 6: has no effect on .*small\.csv \(CSV\)/],
  'a type that cannot be': [{ schema: { fields: [{ name: 'a', type: 'date' }] } }, /"a": cannot be date/],
};
for (const [name, [given, message]] of Object.entries(options)) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(openDataset(small(), given), { name: 'UserError', message });
  });
}

test('refused: options about pictures that have no effect on an array', async () => {
  const data = Float64Array.from({ length: 400 }, (_, i) => i);
  const path = put(folder, 'numbers.npy', formatNpy({ shape: [40, 10], data }));
  const open = (image: ImageOptions) => openDataset(path, { image });
  await assert.rejects(open({ color: 'rgb' }), { name: 'UserError', message: /color rgb: has no effect/ });
  await assert.rejects(open({ binarize: 'static' }), {
    name: 'UserError',
    message: /binarize is for pictures, and these are rows of 10 numbers/,
  });
});

test('whatever the text, a CSV file opens or is refused in words', async () => {
  const cell = fc.oneof(
    fc.constantFrom('', '"', "'", ',', '\n', '\r\n', '1', 'x', '-', '\u0000', '1e999', '00', '"a""b"'),
    fc.string(),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(cell, { maxLength: 40 }), async (cells) => {
      const path = put(folder, 'fuzz.csv', cells.join(''));
      const dataset = await openDataset(path, { validation: 0, test: 0 }).catch((error: Error) => {
        assert.equal(error.name, 'UserError', error.stack);
      });
      if (dataset) assert.ok(dataset.counts.train > 0);
    }),
    { numRuns: 40, seed: 7 },
  );
});
