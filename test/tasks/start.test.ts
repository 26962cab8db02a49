/** Training that begins with a model: what it takes over, and what it refuses. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import type { TrainOptions } from '../../src/tasks/index.ts';
import { load } from '../../src/tasks/index.ts';
import { readStart, startWeights } from '../../src/tasks/start.ts';
import { temporaryFolder } from '../data/files.ts';
import { tableFile, trained } from './data.ts';

const folder = temporaryFolder();
let data: string;
const first = join(folder, 'first.model');
const form = { network: { kind: 'mlp', hidden: [16] } } as const satisfies Partial<TrainOptions>;

before(async () => {
  data = tableFile(folder);
  await trained({ data, out: first, ...form, latent: 3 });
});

/** How many rows each split has, and a hash of the first training rows. */
function splitsOf(out: string) {
  const { rows, start } = trainingOf(out);
  return { counts: rows, start };
}

const trainingOf = (out: string) => JSON.parse(readFileSync(join(out, 'model.json'), 'utf8')).training;

test('a model trained further has the form and the weights of the one it began with', async () => {
  const out = join(folder, 'further.model');
  // so small a rate that the weights stay where they began
  const { events } = await trained({
    data,
    out,
    from: first,
    latent: undefined,
    learningRate: 1e-12,
    seed: 9,
  });
  const plan = events.find((e) => e.type === 'plan')!;
  assert.match(plan.choices.at(-1)!, /^start: (\d+) of \1 tensors/);
  const [before, after] = await Promise.all([load(first), load(out)]);
  assert.deepEqual(after.config.network, before.config.network);
  assert.equal(after.config.latent, 3);
  for (const [name, values] of Object.entries(after.weights))
    values.forEach((v, i) => {
      assert.ok(Math.abs(v - before.weights[name]![i]!) < 1e-6, `${name}[${i}]`);
    });
  assert.match(trainingOf(out).from, /^[0-9a-f]{64}$/);
  assert.equal(trainingOf(first).from, undefined);
});

test('rows that a model was not trained on are held back from training it further, whatever the seed', async () => {
  const [own, further, other] = ['own', 'further-split', 'other-split'].map((name) =>
    join(folder, `${name}.model`),
  );
  await trained({ data, out: own!, ...form, seed: 4, validation: 0.2 });
  const { counts, start } = splitsOf(own!);
  await trained({ data, out: further!, from: own!, seed: 9 });
  assert.deepEqual(splitsOf(further!), { counts, start });
  await trained({ data, out: further!, from: own!, seed: 9, resume: true, overwrite: false, epochs: 3 });
  assert.deepEqual(splitsOf(further!), { counts, start });
  await trained({ data, out: other!, from: further!, splitSeed: 9 });
  assert.deepEqual(splitsOf(other!).counts, counts);
  assert.notEqual(splitsOf(other!).start, start);
  const { config, dispose } = await load(further!);
  assert.deepEqual([config.seed, config.splitSeed], [9, 4]);
  await dispose();
});

test('another limit than that of its model is told, for it parts the rows anew', async () => {
  const [some, all] = [join(folder, 'some.model'), join(folder, 'all.model')];
  await trained({ data, out: some, ...form, limit: 300 });
  const notes = async (options: Partial<TrainOptions>) => {
    const { events } = await trained({ data, out: all, from: some, overwrite: true, epochs: 1, ...options });
    return events.find((e) => e.type === 'plan')!.notes.filter((note) => note.includes('was trained with'));
  };
  assert.match((await notes({})).join(), /the first 300 rows of its data: .*give --limit 300/);
  assert.deepEqual(await notes({ limit: 300 }), []);
  assert.deepEqual(await notes({ validation: 0, test: 0 }), []);
  assert.match(
    (await notes({ from: first, limit: 300 })).join(),
    /all rows of its data: .*leave out --limit/,
  );
});

test('what has other shapes begins anew, and is named', async () => {
  const out = join(folder, 'wider.model');
  const { events } = await trained({ data, out, from: first, latent: 5 });
  const plan = events.find((e) => e.type === 'plan')!;
  assert.match(plan.choices.at(-1)!, /^start: \d+ of \d+ tensors .*anew: .*posterior/);
});

test('a run that is resumed goes on from where it was, and only from that model', async () => {
  const out = join(folder, 'resumed.model');
  await trained({ data, out, from: first }, 3);
  await assert.rejects(
    trained({ data, out, from: join(folder, 'wider.model'), resume: true }),
    /another model/,
  );
  const { saved } = await trained({ data, out, from: first, resume: true });
  assert.match(trainingOf(saved!.path).from, /^[0-9a-f]{64}$/);
});

test('nothing to take over is an error, as is a folder that is no model', async () => {
  const out = join(folder, 'none.model');
  const start = await readStart(first);
  const { vae, dispose } = await load(first);
  assert.throws(() => startWeights(vae, { ...start, tensors: {} }), /no weights of .* have the shapes/);
  await dispose();
  await assert.rejects(trained({ data, out, from: join(folder, 'nothing') }), /nothing/);
});
