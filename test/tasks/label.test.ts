/** A label that most rows lack, through files: trained, told, encoded, sampled. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InferenceSession } from 'onnxruntime-node';
import { codesTable } from '../../src/cli/codes.ts';
import { conditionFields, formatNpz, modelFields, openDataset } from '../../src/data/index.ts';
import {
  decode,
  encode,
  evaluate,
  impute,
  load,
  type Model,
  reconstruct,
  sample,
} from '../../src/tasks/index.ts';
import { put, temporaryFolder } from '../data/files.ts';
import { trained } from './data.ts';

const folder = temporaryFolder();
const out = join(folder, 'a.model');
let data = '';
let model: Model;

const SPECIES = ['ant', 'bee', 'cat'];
const CENTRES = [
  [0, 0],
  [6, 0],
  [0, 6],
];

/** Three clusters in the plane, some rows of which say which it is of; one coordinate in `gaps` is missing. */
function insects(rows: number, isKnown: (i: number) => boolean, gaps = Number.POSITIVE_INFINITY): string {
  const noise = (i: number, k: number) => ((i * k) % 997) / 997 + ((i * k * 7) % 991) / 991 - 1;
  const lines = Array.from({ length: rows }, (_, i) => {
    const [x, y] = CENTRES[i % 3]!.map((c, j) => c + 2 * noise(i + 1, j ? 331 : 127));
    const cell = (v: number, j: number) => ((i + j + 1) % gaps === 0 ? '' : v.toFixed(3));
    return `${isKnown(i) ? SPECIES[i % 3] : ''},${cell(x!, 0)},${cell(y!, 1)}`;
  });
  return `species,x,y\n${lines.join('\n')}\n`;
}

const options = {
  predict: 'species',
  epochs: 30,
  batchSize: 50,
  learningRate: 5e-3,
  latent: 2,
} as const;

before(async () => {
  data = put(
    folder,
    'insects.csv',
    insects(900, (i) => i % 10 === 0),
  );
  const { events } = await trained({ ...options, data, out });
  const steps = events.filter((e) => e.type === 'step');
  assert.deepEqual(Object.keys(steps[0]!.terms), ['classification']);
  const epochs = events.filter((e) => e.type === 'epoch');
  assert.ok(epochs.every(({ accuracy }) => accuracy! >= 0 && accuracy! <= 1));
  model = await load(out, { threads: 1 });
});
after(() => model.dispose());

test('labels that were never seen are told', async () => {
  const all = put(
    folder,
    'known.csv',
    insects(450, () => true),
  );
  const codes = await encode(model, all);
  const words = (conditionFields(model.schema)[0] as { categories: readonly string[] }).categories;
  const right = [...codes.prediction!.codes].filter((code, i) => words[code] === SPECIES[codes.ids[i]! % 3]);
  assert.ok(right.length > 0.97 * 450, `${right.length} of 450`);
  assert.ok(codes.prediction!.probabilities.every((p) => p > 1 / 3 && p <= 1));
  const result = await evaluate(model, all, { samples: 0, quality: 0 });
  assert.ok(result.figures.accuracy!.value > 0.97);
  assert.ok(Math.abs(result.figures.accuracy!.value - right.length / 450) < 1e-9);
});

test('rows without a label are encoded and decoded with the one that is likeliest', async () => {
  const none = put(
    folder,
    'unknown.csv',
    insects(90, () => false),
  );
  const codes = await encode(model, none);
  assert.deepEqual(codes.conditions!.columns[0], codes.prediction!.codes);
  const { reconstruction } = await reconstruct(model, none);
  assert.deepEqual(await decode(model, codes.mean, { conditions: codes.conditions! }), reconstruction);
  const gaps = { count: 90, columns: [new Int32Array(90).fill(-1)] };
  await assert.rejects(
    decode(model, codes.mean, { conditions: gaps }),
    /rows from 1 on: some have no "species"/,
  );
});

test('gaps are filled by what goes with the label, which is the likeliest where there is none', async () => {
  const holed = put(
    folder,
    'holed.csv',
    insects(900, (i) => i % 2 === 0, 20),
  );
  const { saved } = await trained({ ...options, data: holed, out: join(folder, 'holed.model') });
  const gapped = await load(saved!.path, { threads: 1 });
  const file = (name: string, label: (k: number) => string) => {
    const rows = Array.from({ length: 60 }, (_, i) => {
      const far = (5.5 + i / 60).toFixed(3);
      return i % 2 === 0 ? `${label(1)},${far},` : `${label(2)},,${far}`; // a bee by its x, a cat by its y
    });
    return put(folder, name, `species,x,y\n${rows.join('\n')}\n`);
  };
  const filled = async (path: string) => (await impute(gapped, path, { samples: 200 })).tables[0]!.columns;
  const unknown = await filled(file('gaps.csv', () => ''));
  const known = await filled(file('told.csv', (k) => SPECIES[k]!));
  const fields = modelFields(gapped.schema).map(({ name }) => name);
  for (const [place, name] of ['y', 'x'].entries()) {
    const j = fields.indexOf(name);
    for (let i = place; i < 60; i += 2) {
      const v = unknown[j]![i]!;
      assert.ok(
        Math.abs(v - known[j]![i]!) < 1e-6,
        `${name} of row ${i}: ${v}, with its label ${known[j]![i]}`,
      );
      assert.ok(Math.abs(v) < 1.5, `${name} of row ${i}: ${v}, expected near 0`);
    }
  }
  await gapped.dispose();
});

test('samples have a label each, and lie where it is', async () => {
  const at = (name: string) => modelFields(model.schema).findIndex((field) => field.name === name);
  const words = (conditionFields(model.schema)[0] as { categories: readonly string[] }).categories;
  const { columns } = await sample(model, { count: 900 });
  const species = [...columns[at('species')]!];
  for (const [k, word] of SPECIES.entries()) {
    const own = species.flatMap((code, i) => (words[code] === word ? [i] : []));
    assert.ok(Math.abs(own.length / 900 - 1 / 3) < 0.07, `${own.length} of 900 are a ${word}`);
    for (const [j, name] of ['x', 'y'].entries()) {
      const mean = own.reduce((sum, i) => sum + columns[at(name)]![i]!, 0) / own.length;
      assert.ok(Math.abs(mean - CENTRES[k]![j]!) < 0.8, `${word}: mean ${name} is ${mean}`);
    }
  }
  await assert.rejects(sample(model, { given: { species: null } }), /"species": needs a class/);
});

test('a row of known label counts log p(x, y), one of unknown log p(x)', async () => {
  const file = (isKnown: boolean) =>
    put(
      folder,
      `${isKnown}.csv`,
      insects(300, () => isKnown),
    );
  const [known, unknown] = [await evaluate(model, file(true)), await evaluate(model, file(false))];
  const surprise = unknown.logLikelihood!.mean - known.logLikelihood!.mean; // −log p(y|x)
  assert.ok(surprise > 0 && surprise < 0.5, `log p(y|x) is ${-surprise}, log p(y) ${-Math.log(3)}`);
  assert.equal(unknown.figures.accuracy, undefined);
});

test('the encoder says the classes to any program, and the option is kept', async () => {
  const { outputNames } = await InferenceSession.create(join(out, 'encoder.onnx'));
  assert.deepEqual([...outputNames].sort(), ['classes', 'logVar', 'mean', 'z']);
  const { config, schema } = JSON.parse(readFileSync(join(out, 'model.json'), 'utf8'));
  assert.equal(config.predictWeight, 0.1);
  assert.equal(schema.fields[0].role, 'predicted');
});

test('codes in a file have what is predicted and how sure that is, and are decoded from it', async () => {
  const none = put(
    folder,
    'none.csv',
    insects(9, () => false),
  );
  const codes = await encode(model, none);
  const { rows, schema } = codesTable(codes, { drawn: false, given: conditionFields(model.schema) });
  const names = schema.fields.map(({ name }) => name);
  assert.deepEqual(names.slice(0, 4), ['row', 'species', 'species_predicted', 'species_probability']);
  assert.deepEqual(rows.columns[1], rows.columns[2]);
});

test('what cannot be predicted is refused', async () => {
  const train = (more: object) => trained({ data, out: join(folder, 'b.model'), ...more });
  await assert.rejects(train({ predict: 'hue' }), /there is no column "hue"/);
  await assert.rejects(train({ predict: 'x' }), /"x" cannot be predicted|field "x": cannot be category/);
  await assert.rejects(
    train({ predict: 'species', condition: ['species'] }),
    /cannot be predicted and be left out or a condition/,
  );
  await assert.rejects(
    train({ predictWeight: 2 }),
    /--predict-weight is for a label: name one with --predict/,
  );
  await assert.rejects(train({ preset: 'm2' }), /preset "m2" infers a label that some rows lack/);
  await assert.rejects(
    train({ predict: 'species', network: { kind: 'ladder' } }),
    /beside one level of latent variables/,
  );
  await assert.rejects(
    train({ predict: 'species', objective: { kind: 'iwae' } }),
    /by means over its classes, and this objective is not made of such/,
  );
});

test('of an array of labels −1 means that there is none, where two others are left', async () => {
  const file = (name: string, labels: readonly number[]) => {
    const data = Float64Array.from({ length: 24 }, (_, i) => Math.sin(i));
    return put(
      folder,
      name,
      formatNpz({ X: { shape: [12, 2], data }, y: { shape: [12], data: Int32Array.from(labels) } }),
    );
  };
  const known = async (path: string) => {
    const { schema } = await openDataset(path, { predict: 'y', validation: 0, test: 0 });
    const [field] = conditionFields(schema);
    assert.ok(field?.type === 'category' && field.missing && field.role === 'predicted');
    return field.categories;
  };
  const cycle = (values: readonly number[]) =>
    Array.from({ length: 12 }, (_, i) => values[i % values.length]!);
  assert.deepEqual(await known(file('three.npz', cycle([0, -1, 1]))), ['0', '1']);
  assert.deepEqual(await known(file('two.npz', cycle([1, -1]))), ['-1', '1']);
});

test('numbers in a table are classes where they are to be predicted', async () => {
  const lines = Array.from({ length: 40 }, (_, i) => `${i % 4 ? i % 3 : ''},${i / 7}`);
  const { schema } = await openDataset(put(folder, 'digits.csv', ['digit,x', ...lines].join('\n')), {
    predict: 'digit',
  });
  const [field] = conditionFields(schema);
  assert.ok(field?.type === 'category' && field.categories.length === 3 && field.missing);
});
