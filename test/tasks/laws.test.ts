/** Columns of every kind of number, each under a law for its kind, from a file to samples in its own units. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openDataset } from '../../src/data/index.ts';
import { UserError } from '../../src/errors.ts';
import { stream, variates } from '../../src/random/index.ts';
import { encode, load, sample } from '../../src/tasks/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { trained } from './data.ts';

const folder = temporaryFolder();
const path = join(folder, 'kinds.csv');
const { normal, poisson, gamma, uniform, vonMises } = variates(stream(4, 'kinds'));
const rows = Array.from({ length: 400 }, () =>
  [
    poisson(4),
    (3000 * gamma(2)).toFixed(1),
    uniform().toFixed(3),
    ((((vonMises(Math.PI / 2, 2) + 2 * Math.PI) * 180) / Math.PI) % 360).toFixed(0),
    (5 * normal()).toFixed(2),
  ].join(','),
);
writeFileSync(path, ['visits,income,share,heading,score', ...rows, ''].join('\n'));
const schema = join(folder, 'laws.json');
const laws = {
  visits: 'negativeBinomial',
  income: 'gamma',
  share: 'beta',
  heading: 'vonMises',
  score: { kind: 'studentT' },
};
const fields = Object.entries(laws).map(([name, likelihood]) => ({ name, likelihood }));
writeFileSync(schema, JSON.stringify({ fields }));

const kindsOf = async (options: Parameters<typeof openDataset>[1]) => {
  const data = await openDataset(path, options);
  const kinds = data.schema.fields
    .map((field) => ('transform' in field ? field.transform.kind : ''))
    .join(' ');
  await data.close();
  return kinds;
};

test('a law chooses how its column is scaled', async () => {
  assert.equal(await kindsOf({}), 'quantile quantile quantile quantile quantile');
  assert.equal(await kindsOf({ schema: { fields } }), 'count scale range turn standard');
  assert.equal(await kindsOf({ likelihood: 'poisson' }), 'count quantile quantile count quantile');
});

test('values that a law is not for are refused by column', async () => {
  const refused = (name: string, likelihood: string, message: RegExp) =>
    assert.rejects(
      kindsOf({ schema: { fields: [{ name, likelihood }] } }),
      (e) => e instanceof UserError && message.test(e.message),
    );
  await refused('score', 'poisson', /column "score", from -.*it needs whole numbers from 0/);
  await refused('score', 'gamma', /it needs numbers above 0/);
  await refused('income', 'vonMises', /it needs angles/);
  await refused(
    'visits',
    'binomial',
    /it is for counts of up to 1: say how many trials there are \(--likelihood-trials \d+\)/,
  );
  await refused('visits', 'bernoulli', /it is for categories or for yes and no/);
  await refused('visits', 'poison', /there is no likelihood "poison", expected one of bernoulli/);
});

test('each column comes back in its own units and set', async () => {
  const out = join(folder, 'kinds.model');
  const { saved } = await trained({ data: path, schema, out, epochs: 3 });
  const model = await load(saved!.path, { threads: 1 });
  const { columns } = await sample(model, { count: 500, clip: false });
  const [visits, income, share, heading] = columns.map((column) => Array.from(column as Float64Array));
  assert.ok(visits!.every((v) => Number.isInteger(v) && v >= 0) && new Set(visits).size > 3);
  assert.ok(income!.every((v) => v >= 0) && Math.max(...income!) > 1000);
  assert.ok(share!.every((v) => v >= 0 && v <= 1) && new Set(share).size > 100);
  assert.ok(heading!.every((v) => v >= 0 && v <= 360) && Math.max(...heading!) > 180);
  for (const [name, row] of Object.entries({
    visits: '-7,1000.5,0.5,10,0.2',
    income: '3,-2.5,0.5,10,0.2',
    share: '3,1000.5,3,10,0.2',
  })) {
    const beyond = join(folder, 'beyond.csv');
    writeFileSync(beyond, ['visits,income,share,heading,score', '3,1000.5,0.5,10,0.2', row, ''].join('\n'));
    await assert.rejects(
      encode(model, beyond),
      (e) =>
        e instanceof UserError &&
        e.message.includes(`beyond.csv, column "${name}", row 2: `) &&
        /cannot be by the law/.test(e.message),
    );
  }
  await model.dispose();
});

test('a law for all columns is for those that it fits, and refused where there is none', async () => {
  const out = join(folder, 'count.model');
  const { saved } = await trained({ data: path, likelihood: { kind: 'poisson' }, out, epochs: 1 });
  const model = await load(saved!.path, { threads: 1 });
  assert.deepEqual(
    model.codec.parts.map(({ support }) => support),
    ['count', 'real', 'real', 'count', 'real'],
  );
  await model.dispose();
  await assert.rejects(
    trained({ data: path, likelihood: { kind: 'bernoulli' }, out: join(folder, 'no.model'), epochs: 1 }),
    /likelihood "bernoulli" is for zeros and ones, and the data has numbers/,
  );
});
