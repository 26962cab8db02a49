/** A table all the way: trained, saved, loaded, sampled, reconstructed, encoded, decoded, evaluated. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { modelFields, writeRows } from '../../src/data/index.ts';
import { UserError } from '../../src/errors.ts';
import { readSafetensors, sha256, type Tensors, writeSafetensors } from '../../src/model/index.ts';
import {
  decode,
  encode,
  evaluate,
  info,
  load,
  type Model,
  reconstruct,
  sample,
} from '../../src/tasks/index.ts';
import { put, temporaryFolder } from '../data/files.ts';
import { quick, type Trained, tableFile, trained } from './data.ts';

const folder = temporaryFolder();
const out = join(folder, 'a.model');
let data = '';
let done: Trained;
let model: Model;

before(async () => {
  data = tableFile(folder);
  done = await trained({ data, out, epochs: 20 });
  model = await load(out, { threads: 1 });
});
after(() => model.dispose());

const read = (name: string): Buffer => readFileSync(join(out, name));
const refused = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (e) => {
    assert.ok(e instanceof UserError, (e as Error).stack);
    assert.match(e.message, message);
    return true;
  });

test('training tells its plan, its progress and where the model is', () => {
  const [plan] = done.events;
  assert.ok(plan?.type === 'plan');
  assert.deepEqual(
    Object.values(plan.rows).reduce((a, b) => a + b, 0),
    400,
  );
  assert.equal(plan.fields[0], 'id: ignored: identifier, every value differs');
  assert.ok(plan.choices.some((line) => line.startsWith('network: mlp')));
  assert.deepEqual([done.saved!.path, done.saved!.report], [out, join(out, 'report.html')]);
});

test('the model folder is whole', async () => {
  const names = ['checkpoint', 'decoder.onnx', 'encoder.onnx', 'history.jsonl', 'model.json', 'report.html'];
  assert.deepEqual(readdirSync(out).sort(), [...names, 'weights.safetensors']);
  const history = read('history.jsonl')
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const { file, fields } = await info(out);
  assert.equal(history.length, file.training.epochs);
  assert.deepEqual(
    history.map((record) => record.epoch),
    history.map((_, i) => i + 1),
  );
  assert.equal(fields.length, file.schema instanceof Object ? 7 : 0);
  assert.match(read('report.html').toString(), /^<!doctype html>/i);
  assert.deepEqual(model.schema, file.schema);
});

test('samples have the columns, types, words and ranges of the data', async () => {
  const rows = await sample(model, { count: 700, seed: 1 });
  const path = join(folder, 'samples.csv');
  await writeRows(rows, model.schema, path);
  const [header, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.equal(header, 'age,price,joined,city,member');
  assert.equal(lines.length, 700);
  const cities = new Set<string>();
  for (const line of lines) {
    const [age, price, joined, city, member] = line.split(',') as [string, string, string, string, string];
    assert.match(age, /^\d\d$/);
    assert.ok(Number(age) >= 18 && Number(age) <= 77, age);
    assert.match(price, /^\d\.\d{1,2}$/);
    assert.ok(Number(price) <= 9.99);
    assert.match(joined, /^(0[1-9]|1\d|2[0-8])\/03\/2021$/);
    assert.match(member, /^(Yes|No)$/);
    cities.add(city);
  }
  assert.deepEqual([...cities].sort(), ["L'Aquila", 'Oslo', 'Paris', 'Rome']);
});

test('samples depend on the seed alone; temperature 0 is one point', async () => {
  const draw = (seed: number, count = 20) => sample(model, { seed, count });
  assert.deepEqual(await draw(1), await draw(1));
  assert.notDeepEqual(await draw(1), await draw(2));
  const cold = await sample(model, { count: 9, temperature: 0, mean: true });
  for (const column of cold.columns) assert.equal(new Set(column).size, 1);
  await refused(sample(model, { count: 0 }), /count 0: expected a whole number from 1/);
  await refused(sample(model, { temperature: -1 }), /temperature -1/);
});

test('a category is drawn as often as its probability says', async () => {
  const count = 20_000;
  const { start, size } = model.codec.parts.find(({ field }) => field === 'member')!;
  const feeds = { z: { data: new Float32Array(2), dims: [1, 2] } };
  const { mean } = await (await model.session('mean')).run(feeds);
  const [, yes] = mean!.data.slice(start, start + size);
  const member = modelFields(model.schema).findIndex((field) => field.name === 'member');
  const { columns } = await sample(model, { count, temperature: 0, seed: 5 });
  const share = Array.from(columns[member]!).reduce((a, b) => a + b, 0) / count;
  const p = Number(yes);
  assert.ok(p > 0.55 && p < 0.8, `${p}`);
  assert.ok(Math.abs(share - p) < 4 * Math.sqrt((p * (1 - p)) / count), `${share}, expected ${p}`);
});

test('codes decode to the reconstruction', async () => {
  const codes = await encode(model, data);
  assert.deepEqual([codes.count, codes.latent, codes.mean.length], [400, 2, 800]);
  assert.deepEqual(new Set(codes.ids).size, 400);
  assert.ok(
    codes.logVar!.some((v) => v < -0.1),
    'some certainty was learned',
  );
  const { original, reconstruction } = await reconstruct(model, data);
  const decoded = await decode(model, codes.mean);
  assert.deepEqual(decoded, reconstruction);
  assert.equal(original.count, 400);
  const age = modelFields(model.schema).findIndex((field) => field.name === 'age');
  assert.ok(original.columns[age]!.some(Number.isNaN) && !decoded.columns[age]!.some(Number.isNaN));
  await refused(decode(model, new Float32Array(3)), /3 values given, expected a multiple of the model's 2/);
});

test('codes and reconstructions are in the order of the file, the first so many of it where so many are asked for', async () => {
  const order = (count: number) => Float64Array.from({ length: count }, (_, i) => i);
  assert.deepEqual((await encode(model, data)).ids, order(400));
  assert.deepEqual((await encode(model, data, { count: 7 })).ids, order(7));
  const [header, ...lines] = readFileSync(data, 'utf8').trimEnd().split('\n');
  const other = put(folder, 'half.csv', [header, ...lines.slice(200)].join('\n'));
  assert.deepEqual(
    (await encode(model, other, { split: 'test' })).ids,
    order(200),
    'other data is taken whole',
  );
  const [whole, half] = [await reconstruct(model, data), await reconstruct(model, other)];
  half.original.columns.forEach((column, j) => {
    assert.deepEqual([...column], [...whole.original.columns[j]!].slice(200));
  });
  await refused(reconstruct(model, data, { count: -1 }), /count -1: expected a whole number from 1/);
});

test('a limit of training, and a label of its plots, are not asked of other data', async () => {
  const limited = join(folder, 'limited.model');
  await trained({ data, out: limited, limit: 100, ignore: ['city'], label: 'city' });
  const short = await load(limited, { threads: 1 });
  const rows = readFileSync(data, 'utf8').trimEnd().split('\n');
  const place = rows[0]!.split(',').indexOf('city');
  const without = rows.map((line) =>
    line
      .split(',')
      .filter((_, j) => j !== place)
      .join(','),
  );
  const [header, ...lines] = without;
  const other = put(folder, 'without.csv', [header, ...lines.toReversed()].join('\n'));
  assert.equal((await encode(short, other)).count, 400);
  assert.equal((await evaluate(short, other, { samples: 0, quality: 0 })).rows, 400);
  assert.equal((await encode(short, data, { split: 'test' })).count, short.file!.training.rows['test']);
  await short.dispose();
});

test('data with as many other rows is other data; rows of a file of their own were not those of the training', async () => {
  const [header, ...lines] = readFileSync(data, 'utf8').trimEnd().split('\n');
  const turned = put(folder, 'turned.csv', [header, ...lines.toReversed()].join('\n'));
  const { rows, protocol } = await evaluate(model, turned, { samples: 0, quality: 0 });
  assert.equal(rows, 400);
  assert.match(protocol, /turned.* is not the data trained on/);
  const undivided = join(folder, 'undivided.model');
  await trained({ data, out: undivided, validation: 0, test: 0 });
  const all = await load(undivided, { threads: 1 });
  assert.match(
    (await evaluate(all, turned, { samples: 0, quality: 0 })).protocol,
    /is not the data trained on/,
  );
  assert.match(
    (await evaluate(all, data, { samples: 0, quality: 0, split: 'train' })).protocol,
    /^400 train rows/,
  );
  await all.dispose();
  const testData = put(folder, 'apart.csv', [header, ...lines.slice(0, 60)].join('\n'));
  const apart = join(folder, 'apart.model');
  await trained({ data, out: apart, testData });
  const own = await load(apart, { threads: 1 });
  await refused(evaluate(own, data, { samples: 0, quality: 0 }), /has no test rows: choose another --split/);
  const validation = await evaluate(own, data, { samples: 0, quality: 0, split: 'validation' });
  assert.equal(validation.rows, 40);
  assert.equal((await evaluate(own, testData, { samples: 0, quality: 0 })).rows, 60);
  await own.dispose();
});

test('evaluation is on the held-back rows, adds up, and is what the model says of itself', async () => {
  const result = await evaluate(model, data, { samples: 50 });
  const { rows, negativeElbo, logPx, kl, klPerDimension, fields, logLikelihood } = result;
  assert.equal(rows, model.file!.training.rows['test']);
  assert.equal(negativeElbo, kl - logPx);
  const total = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(total(klPerDimension) - kl) < 1e-9);
  assert.ok(Math.abs(total(Object.values(fields)) - logPx) < 1e-4);
  assert.equal(logLikelihood!.samples, 50);
  assert.ok(logLikelihood!.mean > -negativeElbo - 0.05 && logLikelihood!.low < logLikelihood!.mean);
  assert.match(result.protocol, new RegExp(`^${rows} test rows, one sample of z each, seed 0`));
  assert.deepEqual(await evaluate(model, data, { samples: 50 }), result);
  assert.equal(model.file!.metrics['test −ELBO']!.value, negativeElbo);
});

test('other data than that of training is evaluated whole', async () => {
  const rows = readFileSync(data, 'utf8').split('\n').slice(0, 41).join('\n');
  const { rows: count, protocol } = await evaluate(model, put(folder, 'other.csv', rows), { samples: 0 });
  assert.equal(count, 40);
  assert.match(protocol, /other.* is not the data trained on/);
});

/** A copy of the model with other weights, which model.json agrees with. */
async function tampered(name: string, change: (tensors: Tensors) => Tensors): Promise<string> {
  const copy = join(folder, name);
  await cp(out, copy, { recursive: true });
  const bytes = writeSafetensors(change(readSafetensors(read('weights.safetensors')).tensors));
  writeFileSync(join(copy, 'weights.safetensors'), bytes);
  const file = JSON.parse(read('model.json').toString());
  file.files['weights.safetensors'] = sha256(bytes);
  writeFileSync(join(copy, 'model.json'), JSON.stringify(file));
  return copy;
}

test('weights that do not fit the model are refused by name', async () => {
  const name = 'decoder.output.bias';
  const missing = await tampered('b.model', ({ [name]: _, ...rest }) => rest);
  await refused(
    load(missing),
    /weights\.safetensors has nothing for "decoder\.output\.bias", the model needs \[/,
  );
  const other = await tampered('c.model', (all) => ({
    ...all,
    [name]: { shape: [1], data: new Float32Array(1) },
  }));
  await refused(load(other), /has \[1\] for "decoder\.output\.bias", the model needs \[/);
  const same = await load(await tampered('d.model', (all) => all));
  assert.deepEqual(same.weights, model.weights);
});

test('a run goes on only with the same data, read in the same way, and the same options', async () => {
  const stopped = join(folder, 'e.model');
  const options = { ...quick, data, out: stopped, ignore: ['price'] };
  assert.equal((await trained(options, 5)).saved, undefined);
  const resume = { ...options, resume: true };
  await refused(trained(options), /holds an unfinished run at step 5: --resume continues it/);
  await refused(trained({ ...resume, latent: 3 }), /latent: given 3, but the run to be resumed has 2/);
  await refused(trained({ ...resume, seed: 4 }), /seed: given 4/);
  await refused(
    trained({ ...resume, ignore: ['age'] }),
    /ignore: given \["age"\], but the run to be resumed has \["price"\]/,
  );
  await refused(
    trained({ ...resume, missing: ['-'] }),
    /missing: given \["-"\], but the run to be resumed was started without it/,
  );
  const fewer = put(folder, 'fewer.csv', readFileSync(data, 'utf8').split('\n').slice(0, 300).join('\n'));
  await refused(
    trained({ ...resume, data: fewer }),
    /fewer.* has .* train.*, but the run to be resumed had .*: resume with the same data/,
  );
  const changed = put(
    folder,
    'changed.csv',
    readFileSync(data, 'utf8').replaceAll('Yes', 'maybe').replaceAll('No', 'Yes').replaceAll('maybe', 'No'),
  );
  await refused(
    trained({ ...resume, data: changed }),
    /changed.* has other values than the run to be resumed had/,
  );
  await refused(trained({ ...resume, data: put(folder, 'none.csv', 'a,b\n1,2\n3,4\n') }), /./);
  const whole = await trained({ ...options, out: join(folder, 'f.model') });
  const resumed = await trained(resume);
  const weights = ({ saved }: Trained) => readFileSync(join(saved!.path, 'weights.safetensors'));
  assert.deepEqual(weights(resumed), weights(whole));
});

test('a finished model trains further with more epochs', async () => {
  const short = join(folder, 'g.model');
  await trained({ data, out: short });
  await refused(trained({ data, out: short }), /already holds a model: --overwrite replaces it/);
  const { saved } = await trained({ data, out: short, epochs: 4, resume: true });
  assert.equal((await info(saved!.path)).file.training.epochs, 4);
});
