/** `impute` against the model whose E[x_missing | x_observed] is known, and on files of every form. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { modelFields, type Rows } from '../../src/data/index.ts';
import { writeFilled } from '../../src/data/write-filled.ts';
import { evaluate, impute, load } from '../../src/tasks/index.ts';
import { put, temporaryFolder } from '../data/files.ts';
import { near } from '../metrics/near.ts';
import { conditional, logDensity } from '../vae/linear-gaussian.ts';
import { tableFile, trained } from './data.ts';
import { modelOf, rowsOf } from './linear-gaussian.ts';

const folder = temporaryFolder();
const text = (name: string) => readFileSync(join(folder, name), 'utf8');
const csv = (name: string, rows: readonly (readonly (number | null)[])[]) =>
  put(folder, name, ['a,b,c', ...rows.map((row) => row.map((v) => v?.toFixed(9) ?? '').join())].join('\n'));

/** Rows of the linear Gaussian model of which the values in these places are gone. */
function withGaps(count: number, gone: readonly (readonly number[])[]) {
  const { model, exact } = modelOf(0.15, true);
  const whole = rowsOf(exact, count);
  const rows = whole.map((row, i) => row.map((v, d) => (gone[i % gone.length]!.includes(d) ? null : v)));
  return { model, exact, rows };
}

test('expectations and deviations are those of the Gaussian given what is there, of a row of gaps those of the model', async () => {
  const { model, exact, rows } = withGaps(6, [[0], [1, 2], [], [0, 1, 2], [2], [0, 1]]);
  const { tables, uncertainty, effective, incomplete, cells } = await impute(model, csv('g.csv', rows), {
    samples: 20_000,
    uncertainty: true,
  });
  assert.deepEqual([...incomplete], [0, 1, 3, 4, 5]);
  assert.equal(cells, 9);
  assert.ok(effective.every((v) => v > 5000 && v <= 20_000));
  rows.forEach((row, i) => {
    const given = conditional(exact, row);
    row.forEach((v, d) => {
      near(
        tables[0]!.columns[d]![i]!,
        v === null ? given.mean[d]! : Number(v.toFixed(9)),
        v === null ? 0.02 : 0,
      );
      const sd = uncertainty[d]!.values[i]!;
      if (v === null)
        near(sd, given.deviation[d]!, 0.3 * given.deviation[d]!); // of 100 draws
      else assert.ok(Number.isNaN(sd));
    });
  });
  await model.dispose();
});

test('draws have the mean and the deviation of the Gaussian given what is there, and leave the rest', async () => {
  const { model, exact, rows } = withGaps(2, [[0], [0, 2]]);
  const { tables } = await impute(model, csv('d.csv', rows), { samples: 2000, draws: 400 });
  assert.equal(tables.length, 400);
  rows.forEach((row, i) => {
    const given = conditional(exact, row);
    const drawn = tables.map(({ columns }) => columns[0]![i]!);
    const mean = drawn.reduce((a, b) => a + b, 0) / 400;
    const variance = drawn.reduce((a, v) => a + (v - mean) ** 2, 0) / 399;
    near(mean, given.mean[0]!, (4 * given.deviation[0]!) / 20);
    near(Math.sqrt(variance), given.deviation[0]!, 0.2 * given.deviation[0]!);
    assert.ok(tables.every(({ columns }) => columns[1]![i] === Number(row[1]!.toFixed(9))));
  });
  await model.dispose();
});

test('log p(x) of rows with gaps is the density of what is there', async () => {
  const { model, exact, rows } = withGaps(60, [[0], [1, 2], [], [2]]);
  const path = csv('p.csv', rows);
  const { logLikelihood } = await evaluate(model, path, { split: 'all', samples: 3000, quality: 0 });
  const densities = rows.map((row) => {
    const there = [...row.keys()].filter((d) => row[d] !== null);
    const { w, b, variance } = exact;
    const part = { w: there.map((d) => w[d]!), b: there.map((d) => b[d]!), variance };
    return logDensity(
      part,
      there.map((d) => row[d]!),
    );
  });
  near(logLikelihood!.mean, densities.reduce((a, v) => a + v, 0) / rows.length, 0.01);
  await model.dispose();
});

test('few samples of a poor posterior show in the effective ones', async () => {
  const { model } = modelOf(0.6, true);
  const path = csv('e.csv', [
    [0.3, null, 1],
    [-2, 0.5, null],
  ]);
  const { effective, samples } = await impute(model, path, { samples: 50 });
  assert.equal(samples, 50);
  assert.ok(
    effective.every((v) => v >= 1 && v < 40),
    `${effective}`,
  );
  await model.dispose();
});

/** Every cell of a CSV file. */
const cells = (content: string) =>
  content
    .trimEnd()
    .split('\n')
    .map((line) => line.split(','));

test('a table keeps its columns, words and digits; only gaps change, the same by the same seed', async () => {
  const data = tableFile(folder, 200);
  const { saved } = await trained({ data, out: join(folder, 'a.model') });
  const model = await load(saved!.path, { threads: 1 });
  const run = async (out: string, options = {}) => {
    const imputed = await impute(model, data, { samples: 20, ...options });
    await writeFilled(data, { rows: imputed.tables[0]!, schema: model.schema }, join(folder, out));
    return imputed;
  };
  const first = await run('one.csv');
  await run('two.csv');
  assert.equal(text('one.csv'), text('two.csv'));
  const [before, after] = [cells(text('table.csv')), cells(text('one.csv'))];
  const names = before[0]!.map((name) => name.trim());
  assert.equal(before.length, after.length);
  const known = modelFields(model.schema);
  let filled = 0;
  before.forEach((row, i) => {
    row.forEach((was, j) => {
      const isGap = known.some(({ name }) => name === names[j]) && /^(|\?|NA)$/.test(was.trim());
      if (isGap) assert.notEqual(after[i]![j], '', `row ${i}, ${names[j]}`);
      else assert.equal(after[i]![j], i > 0 ? was : names[j], `row ${i}, ${names[j]}`);
      filled += Number(isGap);
    });
  });
  assert.equal(filled, first.cells);
  known.forEach((field, k) => {
    if ('categories' in field) assert.ok([...first.tables[0]!.columns[k]!].every((code) => code >= 0));
    if ('min' in field)
      assert.ok([...first.tables[0]!.columns[k]!].every((v) => v >= field.min && v <= field.max));
  });
  await run('three.parquet');
  const again = await impute(model, join(folder, 'three.parquet'), { samples: 5 });
  assert.equal(again.cells, 0);
  assertSame(again.tables[0]!, first.tables[0]!);
  await model.dispose();
});

test('a JSON column of words and numbers gets its gaps filled with words, and keeps the rest as it is', async () => {
  const data = join(folder, 'mixed.json');
  const written = Array.from({ length: 60 }, (_, i) => ({
    size: i % 3,
    kind: i % 10 === 9 ? null : i % 4 === 0 ? 7 : ['round', 'flat'][i % 2],
  }));
  writeFileSync(data, JSON.stringify(written));
  const { saved } = await trained({ data, out: join(folder, 'mixed.model') });
  const model = await load(saved!.path, { threads: 1 });
  const { tables } = await impute(model, data, { samples: 5 });
  await writeFilled(data, { rows: tables[0]!, schema: model.schema }, join(folder, 'filled.json'));
  const filled = JSON.parse(text('filled.json')) as typeof written;
  filled.forEach((row, i) => {
    if (written[i]!.kind === null) assert.ok(['round', 'flat', '7'].includes(String(row.kind)), `row ${i}`);
    else assert.deepEqual(row, written[i]);
  });
  await model.dispose();
});

function assertSame(a: Rows, b: Rows): void {
  assert.equal(a.count, b.count);
  a.columns.forEach((column, j) => {
    column.forEach((v, i) => {
      near(v, b.columns[j]![i]!, 1e-9 * Math.abs(v));
    });
  });
}
