/** Fields that are given: from tables, arrays and folders, as features, as values a person gives, and drawn jointly. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import sharp from 'sharp';
import {
  conditionFields,
  conditionsOf,
  createCodec,
  describeSchema,
  drawConditions,
  formatJoint,
  formatNpz,
  type Given,
  givenValues,
  jointOf,
  openDataset,
  parseJoint,
  type Rows,
  type Schema,
} from '../../src/data/index.ts';
import { stream } from '../../src/random/index.ts';
import { collect, mixedCsv, put, temporaryFolder } from './files.ts';

const folder = temporaryFolder();
const table = put(folder, 'mixed.csv', mixedCsv(600));
const everything = { validation: 0, test: 0 };
const refused = (action: () => unknown, message: RegExp) =>
  assert.throws(action, { name: 'UserError', message });

test('a given column has its role in the schema, is read as any other and is no part of x', async () => {
  const data = await openDataset(table, { ...everything, condition: ['member', 'age'] });
  const codec = createCodec(data.schema);
  assert.deepEqual(
    codec.parts.map(({ field }) => field),
    ['price', 'joined', 'city'],
  );
  assert.deepEqual(codec.conditions, [
    { field: 'age', start: 0, size: 1, missing: true },
    { field: 'member', start: 2, size: 2, missing: false },
  ]);
  assert.equal(codec.conditionSize, 4);
  const lines = describeSchema(data.schema);
  assert.equal(lines[1], 'age: given, integer 18 to 77, 60 values, 2.0 % missing');
  assert.match(lines[5]!, /^member: given, yes or no/);
  const [batch] = await collect(data, { split: 'train', batchSize: 600 });
  const x = new Float32Array(600 * 6);
  const condition = new Float32Array(600 * 4).fill(7);
  codec.encode(batch!, { x, mask: new Float32Array(600 * 3), condition });
  const { columns } = conditionsOf(data.schema, batch!.rows, batch!.index);
  const again = new Float32Array(600 * 4).fill(7);
  codec.encodeConditions({ count: 600, columns }, again);
  assert.deepEqual(again, condition);
  for (let i = 0; i < 600; i++) {
    const [age, there, no, yes] = condition.subarray(4 * i, 4 * i + 4);
    assert.equal(there, Number.isNaN(columns[0]![i]) ? 0 : 1);
    if (!there) assert.equal(age, 0);
    assert.deepEqual([no, yes], columns[1]![i] ? [0, 1] : [1, 0]);
  }
  const back = codec.decode(x, 600, { given: { count: 600, columns } });
  assert.deepEqual([back.columns[0], back.columns[4]], [columns[0], columns[1]]);
  assert.deepEqual(
    back.columns[3],
    batch!.rows.columns[3]!.map((code) => Math.max(0, code)),
  );
  assert.throws(() => codec.decode(x, 600), /nothing is given for "age"/);
});

test('streamed rows have the same conditions as rows in memory', async () => {
  const options = { ...everything, condition: ['city'] };
  const conditions = async (memory: number) => {
    const data = await openDataset(table, { ...options, memory });
    const batches = await collect(data, { split: 'train', batchSize: 600 });
    return batches.flatMap(({ rows, index }) => [...conditionsOf(data.schema, rows, index).columns[0]!]);
  };
  assert.deepEqual(await conditions(20_000), await conditions(2 ** 29));
});

test('what cannot be given is refused with its reason', async () => {
  const open = (condition: string[], ignore: string[] = []) => openDataset(table, { condition, ignore });
  await assert.rejects(open(['hue']), /there is no column "hue"; it has "id"/);
  await assert.rejects(open(['note']), /column "note" cannot be a condition: identifier/);
  await assert.rejects(open(['age'], ['age']), /column "age" cannot be left out and be a condition/);
  const all = await open(['age', 'price', 'joined', 'city', 'member']);
  refused(() => createCodec(all.schema), /all are ignored or given/);
});

test('a gap where training had none is refused', async () => {
  const data = await openDataset(table, { ...everything, condition: ['member'] });
  const codec = createCodec(data.schema);
  const column = Int32Array.of(1, -1);
  refused(
    () => codec.encodeConditions({ count: 2, columns: [column] }, new Float32Array(4)),
    /column "member", row 2: no value.*without gaps/,
  );
});

test('edits of a schema file and roles of options come together', async () => {
  const edits = { fields: [{ name: 'age', transform: 'standard' as const }] };
  const { schema } = await openDataset(table, { ...everything, schema: edits, condition: ['age'] });
  const [age] = conditionFields(schema);
  assert.ok(age?.type === 'integer' && age.transform.kind === 'standard');
  const plain = await openDataset(table, everything);
  const whole = await openDataset(table, { ...everything, schema: plain.schema, condition: ['age'] });
  assert.deepEqual(
    conditionFields(whole.schema).map(({ name }) => name),
    ['age'],
  );
});

test('labels beside arrays are given when asked for, by their name or as "label"', async () => {
  const pixels = Uint8Array.from({ length: 12 * 16 }, (_, i) => (i * 37) % 256);
  const y = Int32Array.from({ length: 12 }, (_, i) => [10, 2, -1][i % 3]!);
  const bytes = formatNpz({ X: { shape: [12, 4, 4], data: pixels }, y: { shape: [12], data: y } });
  const file = put(folder, 'digits.npz', bytes);
  for (const name of ['y', 'label']) {
    const data = await openDataset(file, { ...everything, condition: [name], missing: ['-1'] });
    const [field] = conditionFields(data.schema);
    assert.ok(field?.type === 'category');
    assert.deepEqual(
      [field.name, field.categories, field.counts, field.missing],
      [name, ['2', '10'], [4, 4], true],
    );
    const [batch] = await collect(data, { split: 'train', batchSize: 12 });
    const [codes] = conditionsOf(data.schema, batch!.rows, batch!.index).columns;
    assert.deepEqual([...codes!].slice(0, 4), [1, 0, -1, 1]);
    const known = await openDataset(file, { ...everything, schema: data.schema, missing: ['-1'] });
    const [same] = await collect(known, { split: 'train', batchSize: 12 });
    assert.deepEqual(same!.rows, batch!.rows);
  }
  const table = put(
    folder,
    'rows.npz',
    formatNpz({
      X: { shape: [6, 2], data: pixels.subarray(0, 12) },
      y: { shape: [6], data: y.subarray(0, 6) },
    }),
  );
  const rows = await openDataset(table, { ...everything, condition: ['x1', 'y'] });
  assert.deepEqual(
    createCodec(rows.schema).conditions.map(({ field, size }) => [field, size]),
    [
      ['x1', 1],
      ['y', 3],
    ],
  );
  const bare = put(folder, 'bare.npz', formatNpz({ X: { shape: [12, 4, 4], data: pixels } }));
  await assert.rejects(
    openDataset(bare, { condition: ['label'] }),
    /no "label" to be a condition: .*no labels beside/,
  );
  const { schema } = await openDataset(file, { ...everything, condition: ['y'] });
  await assert.rejects(openDataset(bare, { schema }), /is given "y", and these data have no labels/);
});

test('names of folders are given when asked for, in memory or not', async () => {
  const pictures = join(folder, 'pictures');
  for (const [i, name] of ['cats', 'dogs', 'cats'].entries()) {
    mkdirSync(join(pictures, name), { recursive: true });
    const one = sharp({
      create: { width: 4, height: 4, channels: 3, background: { r: 80 * i, g: 0, b: 0 } },
    });
    put(join(pictures, name), `${i}.png`, await one.png().toBuffer());
  }
  for (const memory of [2 ** 20, 1]) {
    const data = await openDataset(pictures, { ...everything, condition: ['label'], memory });
    const [batch] = await collect(data, { split: 'train', batchSize: 3 });
    const [codes] = conditionsOf(data.schema, batch!.rows, batch!.index).columns;
    assert.deepEqual([...codes!], [0, 0, 1]);
    assert.deepEqual(createCodec(data.schema).shape, [4, 4, 3]);
  }
  await assert.rejects(
    openDataset(join(pictures, 'cats'), { ...everything, condition: ['folder'] }),
    /there is no column "folder"|no "folder" to be a condition/,
  );
});

const given = async (...condition: string[]): Promise<Schema> =>
  (await openDataset(table, { ...everything, condition })).schema;

test('given values are checked and told what is known', async () => {
  const schema = await given('age', 'price', 'joined', 'city', 'member');
  const one = (values: Given) => [...givenValues(schema, values)];
  assert.deepEqual(one({ city: 'Rome', member: 'yes', age: '30', price: 2.5, joined: '2021-03-05' }), [
    [3, 2 + ["L'Aquila", 'Oslo', 'Paris', 'Rome'].indexOf('Rome') - 2],
    [4, 1],
    [0, 30],
    [1, 2.5],
    [2, 18_691],
  ]);
  assert.deepEqual(one({ member: true, city: '', age: null }), [
    [4, 1],
    [3, -1],
    [0, Number.NaN],
  ]);
  const bad: [Given, RegExp][] = [
    [{ hue: 'red' }, /there is no condition "hue": the model is given "age", "price"/],
    [{ city: 'Rom' }, /condition "city": "Rom" is not known; known are .*"Rome"/],
    [{ member: 'perhaps' }, /"perhaps" is not known; known are "No", "Yes"/],
    [{ age: 'old' }, /condition "age": "old" is not a whole number/],
    [{ age: 30.5 }, /"30.5" is not a whole number/],
    [{ age: 200 }, /200 is outside what was seen in training, 18 to 77/],
    [{ joined: '5.3.2021' }, /"5.3.2021" is not a date such as 2026-11-22/],
    [{ joined: '2023-01-01' }, /outside what was seen in training, 2021-03-01 to 2021-03-28/],
    [{ member: null }, /condition "member": needs a value/],
  ];
  for (const [values, message] of bad) refused(() => one(values), message);
  const none = (await openDataset(table, everything)).schema;
  refused(() => givenValues(none, { age: 3 }), /given nothing, because it was trained without --condition/);
});

const jointFor = async (schema: Schema) => {
  const data = await openDataset(table, { ...everything, schema });
  return jointOf(schema, data.batches({ split: 'train', batchSize: 100 }), stream(1, 'test'));
};

test('the joint counts every combination once, and survives JSON', async () => {
  const schema = await given('city', 'member');
  const joint = await jointFor(schema);
  assert.equal(
    joint.counts.reduce((a, b) => a + b, 0),
    600,
  );
  assert.ok(joint.rows.count <= 10);
  const text = formatJoint(schema, joint);
  assert.deepEqual(parseJoint(schema, text, 'conditions.json'), joint);
  refused(() => parseJoint(schema, text.replace('city', 'town'), 'c.json'), /c\.json is damaged: its fields/);
  refused(() => parseJoint(schema, text.slice(0, 20), 'c.json'), /c\.json is damaged: it is not JSON/);
  refused(() => parseJoint(schema, '{"fields": []}', 'c.json'), /c\.json is damaged/);
});

test('conditions are drawn as often as they occur, and within what is given', async () => {
  const schema = await given('city', 'member');
  const joint = await jointFor(schema);
  const draw = (values: Given, count: number): Rows =>
    drawConditions(schema, joint, values, count, stream(2, 'test'));
  const key = ({ columns }: Rows, i: number) => columns.map((column) => column[i]).join();
  const drawn = draw({}, 30_000);
  for (let k = 0; k < joint.rows.count; k++) {
    const p = joint.counts[k]! / 600;
    let found = 0;
    for (let i = 0; i < drawn.count; i++) found += Number(key(drawn, i) === key(joint.rows, k));
    assert.ok(
      Math.abs(found / 30_000 - p) < 5 * Math.sqrt((p * (1 - p)) / 30_000),
      `${found}, expected ${p}`,
    );
  }
  const members = draw({ member: 'Yes' }, 5000);
  assert.ok(members.columns[1]!.every((code) => code === 1));
  let [rome, all] = [0, 0];
  for (let k = 0; k < joint.rows.count; k++)
    if (joint.rows.columns[1]![k] === 1) {
      all += joint.counts[k]!;
      if (joint.rows.columns[0]![k] === 1) rome += joint.counts[k]!;
    }
  const share = members.columns[0]!.filter((code) => code === 1).length / 5000;
  assert.ok(Math.abs(share - rome / all) < 0.03, `${share}, expected ${rome / all}`);
});

test('of more combinations than are kept, rows are picked at random', async () => {
  const many = put(
    folder,
    'many.csv',
    `a,b\n${Array.from({ length: 9000 }, (_, i) => `${i / 7},${i % 3}`).join('\n')}`,
  );
  const data = await openDataset(many, { ...everything, condition: ['a'] });
  const pick = () =>
    jointOf(data.schema, data.batches({ split: 'train', batchSize: 500 }), stream(3, 'test'));
  const joint = await pick();
  assert.equal(joint.rows.count, 4096);
  assert.ok(joint.counts.every((n) => n === 1));
  const mean = (joint.rows.columns[0] as Float64Array).reduce((a, b) => a + b, 0) / 4096;
  assert.ok(Math.abs(mean - 4500 / 7) < 25, `${mean}`);
  assert.deepEqual(await pick(), joint);
});
