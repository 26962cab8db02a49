/** Tables: what is inferred, how bad values are told, and that streaming gives exactly what memory gives. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { describeSchema } from '../../src/data/describe.ts';
import { literal, openDatabase } from '../../src/data/duckdb.ts';
import { openDataset } from '../../src/data/open.ts';
import { SPLITS } from '../../src/data/split.ts';
import { stream } from '../../src/random/index.ts';
import { byId, collect, idsOf, mixedCsv, put, temporaryFolder } from './files.ts';

const folder = temporaryFolder();
const mixed = put(folder, "mixed [1] 'o.csv", mixedCsv(3000));

test('every type of column is recognised and described in plain words', async () => {
  const dataset = await openDataset(mixed);
  assert.deepEqual(describeSchema(dataset.schema), [
    'id: ignored: identifier, every value differs',
    'age: integer 18 to 77, 60 values, 2.0 % missing',
    'price: number 0 to 9.99, 1,000 values, none missing',
    'joined: date 2021-03-01 to 2021-03-28, 28 values, none missing',
    "city: category of 4 values (L'Aquila 26 %, Oslo 26 %, Paris 26 %, …), 2.5 % missing",
    'member: yes or no (No 33 %, Yes 67 %), none missing',
    'note: ignored: identifier, every value differs',
  ]);
  assert.deepEqual(dataset.counts, { train: 2400, validation: 300, test: 300 });
  assert.deepEqual(dataset.notes, []);
});

test('a small memory streams the same rows into the same splits', async () => {
  const memory = await openDataset(mixed, { seed: 3 });
  const streamed = await openDataset(mixed, { seed: 3, memory: 40_000 });
  assert.deepEqual(streamed.counts, memory.counts);
  assert.match(streamed.notes.join(), /read again in each epoch/);
  for (const split of SPLITS) {
    const rows = byId(await collect(memory, { split, batchSize: 128 }));
    assert.equal(rows.size, memory.counts[split]);
    assert.deepEqual(byId(await collect(streamed, { split, batchSize: 77 })), rows);
    const shuffled = { split, batchSize: 77, shuffle: { seed: 1, epoch: 0 } };
    assert.deepEqual(byId(await collect(streamed, shuffled)), rows);
    assert.deepEqual(byId(await collect(memory, shuffled)), rows);
  }
  await streamed.close();
});

for (const memory of [2 ** 29, 40_000]) {
  test(`order with ${memory} bytes: fixed by seed and epoch; skip continues exactly`, async () => {
    const dataset = await openDataset(mixed, { memory });
    const order = async (seed: number, epoch: number, skip = 0) =>
      idsOf(await collect(dataset, { split: 'train', batchSize: 100, shuffle: { seed, epoch }, skip }));
    const first = await order(1, 0);
    assert.deepEqual(await order(1, 0), first);
    assert.notDeepEqual(await order(1, 1), first);
    assert.notDeepEqual(await order(2, 0), first);
    assert.deepEqual(await order(1, 0, 7), first.slice(700));
    assert.deepEqual(await order(1, 0, 99), []);
    const plain = idsOf(await collect(dataset, { split: 'train', batchSize: 100 }));
    assert.deepEqual(
      plain,
      [...plain].sort((a, b) => a - b),
    );
    assert.notDeepEqual(first, plain);
    await dataset.close();
  });
}

test('a streamed row takes a random place of the buffer, and what was there comes out', async () => {
  const memory = 40_000;
  const held = memory / 2 / (3 * 8 + 2 * 4 + 8); // three numbers, two codes, the row number
  const dataset = await openDataset(mixed, { memory });
  const plain = idsOf(await collect(dataset, { split: 'train', batchSize: 100 }));
  const shuffle = { seed: 4, epoch: 1 };
  const order = idsOf(await collect(dataset, { split: 'train', batchSize: 100, shuffle }));
  const random = stream(shuffle.seed, 'shuffle', shuffle.epoch);
  const buffer = plain.slice(0, held);
  const expected = plain.slice(held).map((row) => {
    const place = random.integer(held);
    const out = buffer[place]!;
    buffer[place] = row;
    return out;
  });
  for (const place of random.permutation(held)) expected.push(buffer[place]!);
  assert.deepEqual(order, expected);
  await dataset.close();
});

test('many columns of many different values are counted within a fixed memory', async () => {
  const path = join(folder, 'wide.parquet');
  const db = await openDatabase();
  const columns = Array.from({ length: 50 }, (_, j) => `sqrt(range + ${j}) AS x${j}`);
  await db.query(
    `COPY (SELECT ${columns.join(', ')} FROM range(200000)) TO ${literal(path)} (FORMAT parquet)`,
  );
  db.close();
  const dataset = await openDataset(path, { memory: 1 });
  assert.equal(describeSchema(dataset.schema)[49], 'x49: number 7 to 447.267, 200,000 values, none missing');
  await dataset.close();
});

test('splits depend on the seed alone and never overlap', async () => {
  const ids = async (seed: number) => {
    const dataset = await openDataset(mixed, { seed, validation: 0.2, test: 0.05 });
    const all = await Promise.all(
      SPLITS.map(async (split) => idsOf(await collect(dataset, { split, batchSize: 500 }))),
    );
    assert.deepEqual(
      all.map((list) => list.length),
      [2250, 600, 150],
    );
    assert.equal(new Set(all.flat()).size, 3000);
    return all[1];
  };
  assert.deepEqual(await ids(1), await ids(1));
  assert.notDeepEqual(await ids(1), await ids(2));
});

test('given files keep their rows; row numbers run on', async () => {
  const train = put(folder, 'train.csv', 'a,b\n1,x\n2,y\n3,x\n4,y\n5,x\n6,y\n');
  const held = put(folder, 'test.csv', 'b,extra,a\nx,9,7\nz,9,2\n');
  for (const memory of [2 ** 29, 1]) {
    const dataset = await openDataset({ train, test: held }, { validation: 0.2, memory });
    assert.deepEqual(dataset.counts, { train: 5, validation: 1, test: 2 });
    const rows = byId(await collect(dataset, { split: 'test', batchSize: 10 }));
    assert.deepEqual(
      [...rows],
      [
        [6, '7 0'],
        [7, '2 -1'],
      ],
    );
    assert.match(dataset.notes.join(), /column "b": 1 value is not among the known values \(row 2: "z"\)/);
    await dataset.close();
  }
});

test('a few values that are not numbers are shown with their row and count as missing', async () => {
  const lines = Array.from({ length: 100 }, (_, i) => `${i === 16 ? 'oops' : i % 10},${i % 2}`);
  const dataset = await openDataset(put(folder, 'oops.csv', `age,b\n${lines.join('\n')}\n`));
  assert.deepEqual(dataset.notes, [
    'column "age": 1 value is not a number (row 17: "oops") and counts as missing; if it means "missing", add --missing "oops".',
  ]);
  assert.match(describeSchema(dataset.schema)[0]!, /^age: integer 0 to 9, 10 values, 1.0 % missing$/);
  const custom = await openDataset(put(folder, 'oops.csv', `age,b\n${lines.join('\n')}\n`), {
    missing: ['', 'OOPS '],
  });
  assert.deepEqual(custom.notes, []);
});

test('lines with too many or too few values are counted and shown', async () => {
  const path = put(folder, 'ragged.csv', 'a,b\n1,2\n3\n4,5,6\n7,8\n9,1\n2,3\n');
  const dataset = await openDataset(path, { validation: 0, test: 0 });
  assert.equal(dataset.counts.train, 4);
  assert.deepEqual(dataset.notes, [
    `${path}: 2 lines cannot be read and are left out (line 3: 1 values instead of 2; line 4: 3 values instead of 2).`,
  ]);
});

test('NaN and Inf as text are missing, not numbers', async () => {
  const lines = Array.from({ length: 60 }, (_, i) => (i === 1 ? 'NaN' : i === 2 ? 'inf' : `${i % 7}.5`));
  const dataset = await openDataset(put(folder, 'nan.csv', `v\n${lines.join('\n')}\n`), {
    validation: 0,
    test: 0,
  });
  const [batch] = await collect(dataset, { split: 'train', batchSize: 60 });
  assert.equal(batch!.rows.columns[0]!.filter((v) => Number.isNaN(v)).length, 2);
  assert.match(dataset.notes.join(), /row 3: "inf"/);
});

test('texts with leading zeros stay texts; long numbers and running numbers are identifiers', async () => {
  const lines = Array.from(
    { length: 60 },
    (_, i) => `0${i % 5}9,${9007199254740993n + BigInt(i)},${i + 10},${i % 4}`,
  );
  const dataset = await openDataset(put(folder, 'zip.csv', `zip,big,run,x\n${lines.join('\n')}\n`));
  const [zip, big, run] = describeSchema(dataset.schema);
  assert.match(zip!, /^zip: category of 5 values \(009 20 %/);
  assert.match(big!, /identifier/);
  assert.match(run!, /identifier/);
});

test('long numbers that repeat are not merged, and numbers as people write them are not called identifiers', async () => {
  const lines = Array.from(
    { length: 60 },
    (_, i) => `${1234567890123456789n + BigInt(i % 7)};1.${200 + i},50;${'x'.repeat(90)}${i % 2};${i % 5}`,
  );
  const dataset = await openDataset(put(folder, 'people.csv', `user;amount;long;x\n${lines.join('\n')}\n`));
  const [user, amount, long] = describeSchema(dataset.schema);
  assert.match(user!, /^user: ignored: whole numbers beyond 2\^53, which would not be told apart/);
  assert.match(amount!, /^amount: ignored: "1.200,50" is no number here: numbers are read with a point/);
  assert.ok(long!.length < 140, long);
  const masses = Array.from({ length: 60 }, (_, i) => `${1 + (i % 20) / 10}e30,${i % 3}`);
  const far = await openDataset(put(folder, 'far.csv', `mass,y\n${masses.join('\n')}\n`));
  assert.match(describeSchema(far.schema)[0]!, /^mass: number 1e\+30 to 2.9e\+30, 20 values/);
  const some = Array.from({ length: 60 }, (_, i) => (i % 20 === 0 ? `"1,${200 + i}.5"` : `${i}.5`));
  const mixed = await openDataset(
    put(folder, 'some.csv', `x,y\n${some.map((v, i) => `${v},${i % 3}`).join('\n')}\n`),
  );
  assert.match(
    mixed.notes.join(),
    /column "x": 3 values are not a number \(row 1: "1,200.5".*: write them so/,
  );
  assert.deepEqual(mixed.unread, { lines: 0, values: 3 });
});

test('JSON, JSON lines and TSV give the same rows as CSV; nested values are ignored', async () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({
    n: i % 9,
    s: ['p', 'q', 'r'][i % 3],
    b: i % 2 === 0,
    deep: { i },
  }));
  rows[5]!.s = null as unknown as string;
  const json = put(folder, 'rows.json', JSON.stringify(rows));
  const jsonl = put(folder, 'rows.jsonl', rows.map((r) => JSON.stringify(r)).join('\n'));
  const tsv = put(
    folder,
    'rows.tsv',
    ['n\ts\tb\tdeep', ...rows.map((r) => `${r.n}\t${r.s ?? ''}\t${r.b}\tx`)].join('\n'),
  );
  const read = async (path: string) => {
    const dataset = await openDataset(path, { validation: 0, test: 0 });
    assert.match(describeSchema(dataset.schema)[3]!, /ignored: (nested|constant)/);
    return byId(await collect(dataset, { split: 'train', batchSize: 100 }));
  };
  const expected = await read(json);
  assert.deepEqual(await read(jsonl), expected);
  assert.deepEqual(await read(tsv), expected);
  assert.equal(expected.get(5), '5 -1 0');
});

test('labels are codes by row id', async () => {
  for (const memory of [2 ** 29, 1000]) {
    const dataset = await openDataset(mixed, { label: 'city', memory, limit: 20 });
    assert.deepEqual(dataset.labels!.names, ["L'Aquila", 'Oslo', 'Paris', 'Rome']);
    assert.equal(dataset.labels!.codes.length, 20);
    assert.equal(dataset.labels!.names[dataset.labels!.codes[0]!], 'Paris');
    await dataset.close();
  }
  await assert.rejects(
    openDataset(mixed, { label: 'note' }),
    /label "note": has 257 different values or more/,
  );
});

test('a whole schema is used as it is', async () => {
  const { schema } = await openDataset(mixed);
  const few = put(folder, 'few.csv', 'city,age,price,joined,member\nRome,18,9.99,01/03/2021,Yes\n');
  const dataset = await openDataset(few, {
    schema: JSON.parse(JSON.stringify(schema)),
    validation: 0,
    test: 0,
  });
  assert.deepEqual(dataset.schema, schema);
  const [batch] = await collect(dataset, { split: 'train', batchSize: 1 });
  assert.deepEqual(
    batch!.rows.columns.map((column) => column[0]),
    [18, 9.99, 18_687, 3, 1],
  );
});

test('edits change role, type and transform of single fields', async () => {
  const dataset = await openDataset(mixed, {
    schema: {
      fields: [
        { name: 'price', transform: 'standard' },
        { name: 'age', type: 'category' },
        { name: 'id', role: 'model' },
        { name: 'city', role: 'ignored', reason: 'not wanted' },
      ],
    },
    ignore: ['member'],
  });
  const lines = describeSchema(dataset.schema);
  assert.match(lines[0]!, /^id: integer 1 to 3000/);
  assert.match(lines[1]!, /^age: category of 60 values/);
  assert.match(lines[2]!, /standardised/);
  assert.equal(lines[4], 'city: ignored: not wanted');
  assert.equal(lines[5], 'member: ignored: left out by hand');
});
