/** Models of what is given, all the way through files: a table whose numbers depend on two columns, and labelled pictures. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceSession } from 'onnxruntime-node';
import { conditionFields, formatNpz, modelFields, type Rows } from '../../src/data/index.ts';
import { decode, encode, evaluate, load, type Model, reconstruct, sample } from '../../src/tasks/index.ts';
import { put, temporaryFolder } from '../data/files.ts';
import { trained } from './data.ts';

const folder = temporaryFolder();
const out = join(folder, 'a.model');
let data = '';
let model: Model;

const KINDS = ['low', 'middle', 'high'];
const HEIGHT = [0, 10, 20];

/** height ≈ 10 · kind + 5 · late, and width is noise; "late" is yes for a quarter of low, never for high. */
function toy(rows: number): string {
  const lines = Array.from({ length: rows }, (_, i) => {
    const kind = i % 3;
    const late = kind < 2 && i % 4 === 0;
    const noise = ((i * 7919) % 1000) / 500 - 1;
    const width = ((i * 104_729) % 1000) / 100;
    return `${KINDS[kind]},${late ? 'yes' : 'no'},${(HEIGHT[kind]! + (late ? 5 : 0) + noise).toFixed(2)},${width}`;
  });
  return `kind,late,height,width\n${lines.join('\n')}\n`;
}

before(async () => {
  data = put(folder, 'toy.csv', toy(600));
  const options = { data, out, condition: ['kind', 'late'], epochs: 40, batchSize: 32, learningRate: 5e-3 };
  await trained(options);
  model = await load(out, { threads: 1 });
});
after(() => model.dispose());

const column = (rows: Rows, name: string, of = model): number[] => [
  ...rows.columns[modelFields(of.schema).findIndex((field) => field.name === name)]!,
];
const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

test('samples follow what is given', async () => {
  for (const [code, kind] of KINDS.entries())
    for (const late of [false, true]) {
      if (kind === 'high' && late) continue; // never seen
      const rows = await sample(model, { count: 300, given: { kind, late } });
      const mean = average(column(rows, 'height'));
      const expected = HEIGHT[code]! + (late ? 5 : 0);
      assert.ok(Math.abs(mean - expected) < 1, `${kind}, ${late}: mean height ${mean}, expected ${expected}`);
      const kinds = conditionFields(model.schema)[0]!;
      assert.ok(kinds.type === 'category');
      assert.deepEqual(new Set(column(rows, 'kind')), new Set([kinds.categories.indexOf(kind)]));
    }
});

test('what is not given is drawn with what goes with it', async () => {
  const all = await sample(model, { count: 4000 });
  const [kinds, lates] = [column(all, 'kind'), column(all, 'late')];
  const { categories } = conditionFields(model.schema)[0] as { categories: readonly string[] };
  const of = (kind: string, values: readonly number[]) =>
    values.filter((_, i) => categories[kinds[i]!] === kind);
  for (const kind of KINDS) assert.ok(Math.abs(of(kind, kinds).length / 4000 - 1 / 3) < 0.04);
  assert.equal(average(of('high', lates)), 0, 'high is never late');
  assert.ok(Math.abs(average(of('low', lates)) - 0.25) < 0.05);
  const late = await sample(model, { count: 200, given: { late: true } });
  assert.ok(!column(late, 'kind').includes(categories.indexOf('high')));
});

test('given values are refused before any work where they are not known', async () => {
  const refused = (given: Record<string, string>, message: RegExp) =>
    assert.rejects(sample(model, { given }), { name: 'UserError', message });
  await refused({ kind: 'tall' }, /condition "kind": "tall" is not known; known are .*"middle"/);
  await refused({ height: '3' }, /there is no condition "height": the model is given "kind", "late"/);
});

test('codes carry what they were given, and decode to the reconstruction', async () => {
  const codes = await encode(model, data, { count: 50 });
  assert.equal(codes.conditions!.count, 50);
  const { original, reconstruction } = await reconstruct(model, data, { count: 50 });
  const again = await decode(model, codes.mean, { conditions: codes.conditions! });
  assert.deepEqual(again, reconstruction);
  for (const name of ['kind', 'late']) assert.deepEqual(column(reconstruction, name), column(original, name));
  const high = await decode(model, codes.mean, { given: { kind: 'high', late: 'no' } });
  assert.ok(Math.abs(average(column(high, 'height')) - 20) < 1.5, 'z says what the condition does not');
  await assert.rejects(decode(model, codes.mean), /is given "kind", "late", and the codes come without/);
  await assert.rejects(decode(model, codes.mean, { given: { kind: 'high' } }), /is given "late"/);
});

test('evaluation leaves the conditions out of log p, and the importance samples see them', async () => {
  const result = await evaluate(model, data, { samples: 50 });
  assert.deepEqual(Object.keys(result.fields), ['height', 'width']);
  assert.ok(result.logLikelihood!.mean > -result.negativeElbo - 0.05);
  const changed = put(
    folder,
    'changed.csv',
    toy(600).replaceAll('low', 'x').replaceAll('high', 'low').replaceAll('x', 'high'),
  );
  const other = await evaluate(model, changed, { samples: 0 });
  assert.ok(other.logPx < result.logPx - 1, 'the wrong kind explains the height badly');
});

test('the model folder says what is given, to any program', async () => {
  const names = async (file: string) => (await InferenceSession.create(join(out, file))).inputNames;
  assert.deepEqual([...(await names('encoder.onnx'))].sort(), ['condition', 'noise', 'x']);
  assert.deepEqual([...(await names('decoder.onnx'))].sort(), ['condition', 'z']);
  const { fields, rows, counts } = JSON.parse(readFileSync(join(out, 'conditions.json'), 'utf8'));
  assert.deepEqual([fields, rows.length], [['kind', 'late'], 5]);
  const { file } = model;
  assert.equal(average(counts) * 5, file!.training.rows['train']);
  assert.ok(file!.files['conditions.json']);
  assert.match(readFileSync(join(out, 'report.html'), 'utf8'), /kind: given, category/);
});

test('a run goes on only with the same conditions', async () => {
  const stopped = join(folder, 'b.model');
  const options = { data, out: stopped, condition: ['kind'], epochs: 3 };
  await trained(options, 4);
  const resume = { ...options, resume: true };
  await assert.rejects(trained({ ...resume, condition: ['late'] }), /condition: given \["late"\]/);
  const other = put(
    folder,
    'other.csv',
    toy(600).replaceAll('low', 'x').replaceAll('high', 'low').replaceAll('x', 'high'),
  );
  await assert.rejects(
    trained({ ...resume, data: other }),
    /has other values than the run to be resumed had/,
  );
  const whole = await trained({ ...options, out: join(folder, 'c.model') });
  const resumed = await trained(resume);
  const weights = (path: string) => readFileSync(join(path, 'weights.safetensors'));
  assert.deepEqual(weights(resumed.saved!.path), weights(whole.saved!.path));
});

test('a condition may be missing where training has seen that, and is a state of its own', async () => {
  const gaps = toy(600)
    .split('\n')
    .map((line, i) => (i % 5 === 1 ? line.replace(/^\w+/, '?') : line));
  const { saved } = await trained({
    data: put(folder, 'gaps.csv', gaps.join('\n')),
    out: join(folder, 'd.model'),
    condition: ['kind', 'width'],
  });
  const own = await load(saved!.path, { threads: 1 });
  assert.deepEqual(
    own.codec.conditions.map(({ field, missing }) => [field, missing]),
    [
      ['kind', true],
      ['width', false],
    ],
  );
  const rows = await sample(own, { count: 20, given: { kind: null, width: 3.5 } });
  assert.deepEqual(new Set(column(rows, 'kind', own)), new Set([-1]));
  assert.deepEqual(new Set(column(rows, 'width', own)), new Set([3.5]));
  await own.dispose();
});

test('labelled pictures: a label gives its picture, and the report has a row for each', async () => {
  const [count, side] = [300, 8];
  const labels = Int32Array.from({ length: count }, (_, i) => i % 3);
  const lit = (label: number, place: number) => Math.floor(place / side) % 3 === label;
  const pixels = Uint8Array.from({ length: count * side * side }, (_, j) => {
    const i = Math.floor(j / (side * side));
    return lit(labels[i]!, j % (side * side)) || (j * 31) % 40 === 0 ? 255 : 0;
  });
  const file = join(folder, 'stripes.npz');
  writeFileSync(
    file,
    formatNpz({ X: { shape: [count, side, side], data: pixels }, y: { shape: [count], data: labels } }),
  );
  const options = {
    data: file,
    out: join(folder, 'stripes.model'),
    condition: ['label'],
    epochs: 30,
    learningRate: 3e-3,
  };
  const { saved } = await trained({ ...options, network: { kind: 'conv', channels: [8], dense: 32 } });
  const own = await load(saved!.path, { threads: 1 });
  for (const label of [0, 1, 2]) {
    const { columns } = await sample(own, { count: 10, given: { label }, mean: true });
    const shown = columns[0] as Uint8Array;
    const share = (inside: boolean) =>
      average([...shown].filter((_, j) => lit(label, j % (side * side)) === inside)) / 255;
    assert.ok(share(true) > 0.8 && share(false) < 0.2, `label ${label}: ${share(true)}, ${share(false)}`);
  }
  assert.match(readFileSync(saved!.report, 'utf8'), /rows given label 0, 1, 2/);
  assert.ok(existsSync(join(saved!.path, 'conditions.json')));
  await own.dispose();
});
