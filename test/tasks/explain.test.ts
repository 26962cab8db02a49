/** `explain` on a model whose Jacobian, effects and ELBO are known, and on every kind of model: numbers that add up, or a reason. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { modelFields } from '../../src/data/index.ts';
import { type Walk, walkOf } from '../../src/tasks/explain/walk.ts';
import { encode, explain, load, type RowExplanation } from '../../src/tasks/index.ts';
import { type ModelSpec, make } from '../../src/vae/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { near } from '../metrics/near.ts';
import { exactPosterior, logDensity } from '../vae/linear-gaussian.ts';
import { idxFile, tableFile, trained } from './data.ts';
import { modelOf, rowsFile, rowsOf } from './linear-gaussian.ts';
import { families, LATENT, priorFor, untrained } from './untrained.ts';

const folder = temporaryFolder();
const data = tableFile(folder, 300);
const FIELDS = ['a', 'b', 'c'];

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

/** The terms of a row add up to its ELBO. */
function addsUp({ elbo, fields, kl }: RowExplanation): void {
  const terms = [...fields.map(({ value }) => value), ...kl.map(({ value }) => -value)];
  near(sum(terms), elbo.value, 1e-3 * (1 + Math.abs(elbo.value)));
}

test('dimensions, effects and slopes of a linear model are those of its matrix', async () => {
  const { model, exact } = modelOf(0);
  const path = rowsFile(temporaryFolder(), rowsOf(exact, 400));
  const found = await explain(model, path, { split: 'all', span: 1.5, steps: 5 });
  assert.equal(found.order, 'KL');
  const norms = [0, 1].map((j) => sum(exact.w.map((row) => row[j]! ** 2)));
  const expected = norms.map((norm) => 0.5 * Math.log(1 + norm / exact.variance)); // E KL = I(x; zⱼ)
  const largest = expected.indexOf(Math.max(...expected));
  assert.equal(found.dimensions[0]!.index, largest);
  for (const { index, kl, isActive, mean, deviation, effects } of found.dimensions) {
    near(kl!, expected[index]!, 0.12);
    near(mean, 0, 0.12);
    near(deviation, 1, 0.1);
    assert.ok(isActive);
    for (const { field, low, high, change, sensitivity, strength } of effects!) {
      const w = exact.w[FIELDS.indexOf(field)]![index]!;
      near(change, 3 * deviation * w, 1e-4);
      near(high! - low!, change, 1e-4);
      near(sensitivity, deviation * Math.abs(w), 1e-4);
      assert.ok(strength >= 0);
    }
    const strengths = effects!.map(({ strength }) => strength);
    assert.deepEqual(
      strengths,
      strengths.toSorted((a, b) => b - a),
    );
  }
  const { sigmas, rows, dimensions, z } = found.traversal!;
  assert.deepEqual([...sigmas], [-1.5, -0.75, 0, 0.75, 1.5]);
  assert.equal(rows.count, 10);
  dimensions.forEach((name, d) => {
    const { index, deviation } = found.dimensions.find((one) => one.name === name)!;
    near(z[5 * d + 4]! - z[5 * d]!, 3 * deviation, 1e-5);
    exact.w.forEach((row, j) => {
      const along = rows.columns[j]!.subarray(5 * d, 5 * d + 5);
      near(along[4]! - along[0]!, 3 * deviation * row[index]!, 1e-4);
    });
  });
  await model.dispose();
});

test('the ELBO of a row by field and dimension is the closed form', async () => {
  const { model, exact } = modelOf(0);
  const rows = rowsOf(exact, 300);
  const path = rowsFile(temporaryFolder(), rows);
  const asked = [4, 250];
  const { explained } = await explain(model, path, {
    split: 'all',
    row: asked,
    samples: 20_000,
    dimensions: 0,
  });
  assert.deepEqual(
    explained.map(({ row }) => row),
    asked,
  );
  const { weight, bias } = exactPosterior(exact);
  for (const one of explained) {
    addsUp(one);
    const x = rows[one.row]!;
    const column = (j: number) => bias[j]! + sum(x.map((v, d) => v * weight[4 * d + j]!));
    const [mean, variance] = [[column(0), column(1)], [bias[2]!, bias[3]!].map(Math.exp)] as const;
    for (const { field, value, rank } of one.fields) {
      const d = FIELDS.indexOf(field);
      const w = exact.w[d]!;
      const gap = x[d]! - exact.b[d]! - w[0]! * mean[0]! - w[1]! * mean[1]!;
      const square = gap ** 2 + w[0]! ** 2 * variance[0]! + w[1]! ** 2 * variance[1]!;
      near(value, -0.5 * (Math.log(2 * Math.PI * exact.variance) + square / exact.variance), 0.03);
      assert.ok(rank >= 0 && rank <= 1);
    }
    for (const { name, value, code, sigmas } of one.kl) {
      const j = Number(name.slice(2)) - 1;
      near(value, 0.5 * (mean[j]! ** 2 + variance[j]! - Math.log(variance[j]!) - 1), 1e-4);
      near(code!, mean[j]!, 1e-4);
      near(sigmas!, mean[j]!, 0.3); // all codes together are about N(0, 1)
    }
    near(one.elbo.value, logDensity(exact, x), 0.03); // the posterior is exact
    FIELDS.forEach((_, d) => {
      const [w1, w2] = exact.w[d]!;
      near(one.reconstruction.columns[d]![0]!, exact.b[d]! + w1! * mean[0]! + w2! * mean[1]!, 1e-4);
    });
  }
  await model.dispose();
});

test('a likely row ranks high, an unlikely one low, and by the field that makes it so', async () => {
  const { model, exact } = modelOf(0);
  const rows = rowsOf(exact, 300);
  rows[7] = [...exact.b];
  rows[8] = [exact.b[0]!, exact.b[1]!, exact.b[2]! + 9];
  const path = rowsFile(temporaryFolder(), rows);
  const { explained } = await explain(model, path, { split: 'all', row: [7, 8], dimensions: 0 });
  const [likely, unlikely] = explained as [RowExplanation, RowExplanation];
  assert.ok(likely.elbo.rank > 0.8 && unlikely.elbo.rank < 0.02);
  assert.ok(unlikely.elbo.value < unlikely.elbo.mean - 10);
  assert.equal(unlikely.fields[0]!.field, 'c');
  await model.dispose();
});

test('nearest rows are those of a search by hand; the row itself is left out, its copies are marked', async () => {
  const { model, exact } = modelOf(0);
  const drawn = rowsOf(exact, 200);
  const path = rowsFile(temporaryFolder(), [...drawn, ...drawn.slice(0, 20)]); // rows 200 to 219 are copies
  const training = await encode(model, path, { split: 'train' });
  const all = await encode(model, path, { split: 'all' });
  const codes = new Map(Array.from(all.ids, (id, i) => [id, all.mean.subarray(2 * i, 2 * i + 2)] as const));
  const ids = [...training.ids];
  const row = ids.find((id) => id < 20 && ids.includes(id + 200))!;
  const { explained, dimensions, protocols } = await explain(model, path, {
    split: 'all',
    row: [row],
    neighbours: 4,
  });
  const deviation = dimensions.toSorted((a, b) => a.index - b.index).map((d) => d.deviation);
  const own = codes.get(row)!;
  const distance = (id: number) =>
    Math.hypot(...[0, 1].map((j) => (codes.get(id)![j]! - own[j]!) / deviation[j]!));
  const expected = ids
    .filter((id) => id !== row)
    .map((id) => ({ row: id, distance: distance(id) }))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 4);
  const { neighbours, rows } = explained[0]!.nearest;
  assert.deepEqual(
    neighbours.map((n) => n.row),
    expected.map((n) => n.row),
  );
  neighbours.forEach((n, i) => {
    near(n.distance, expected[i]!.distance, 1e-6);
    assert.equal(n.isSame, n.row === row + 200);
    near(rows.columns[0]![i]!, [...drawn, ...drawn.slice(0, 20)][n.row]![0]!, 1e-6);
  });
  assert.equal(neighbours[0]!.row, row + 200);
  assert.match(
    protocols.nearest!,
    /nearest of \d+ training rows .* standard deviations of the aggregated posterior/,
  );
  await model.dispose();
});

test('bad input is answered in a sentence', async () => {
  const { model, exact } = modelOf(0);
  const path = rowsFile(temporaryFolder(), rowsOf(exact, 60));
  const fails = (options: Parameters<typeof explain>[2], message: RegExp) =>
    assert.rejects(explain(model, path, { split: 'all', ...options }), message);
  await fails(
    { row: [60] },
    /^UserError: row 60: .*rows\.csv has 60 rows, numbered from 0 to 59 as elbo encode has them/,
  );
  await fails({ row: [-1] }, /row -1: /);
  await fails({ row: [1.5] }, /row 1\.5: /);
  await fails({ rows: 1 }, /rows 1: expected a whole number from 2/);
  await fails({ steps: 1 }, /steps 1: expected a whole number from 2/);
  await fails({ neighbours: -1 }, /neighbours -1: expected a whole number from 0/);
  await fails({ span: 0 }, /span 0: expected a number of standard deviations above 0/);
  await fails({ span: Number.NaN }, /span NaN/);
  await model.dispose();
});

/** One of each form that codes and their KL have. */
const FORMS = ['gaussian', 'gaussianFull', 'planar', 'moe', 'vonMisesFisher', 'wrappedNormal', 'point'];
const CLASSES = ['gumbelSoftmax', 'mixed', 'vq'];

for (const kind of [...FORMS, ...CLASSES])
  test(`posterior ${kind}`, async () => {
    const choices = { posterior: { kind }, prior: { kind: priorFor(kind) } };
    const model = await untrained(data, choices, { latent: LATENT[kind] ?? 4 });
    const options = { split: 'all', rows: 40, samples: 10, row: [3], steps: 3, neighbours: 2 } as const;
    const { dimensions, absent, explained, traversal, order, protocols } = await explain(
      model,
      data,
      options,
    );
    const [one] = explained;
    addsUp(one!);
    assert.equal(one!.nearest.neighbours.length, 2);
    assert.ok(one!.nearest.neighbours.every(({ row, distance }) => row !== 3 && distance >= 0));
    const { space } = make(families[kind]!);
    if (space === 'codes') {
      assert.match(absent.dimensions!, /made of codes/);
      assert.equal(traversal, undefined);
    } else {
      assert.equal(dimensions.length, space === 'mixed' ? 2 : 4);
      for (const { effects, deviation } of dimensions) {
        assert.ok(deviation > 0);
        for (const { change, sensitivity, strength } of effects!)
          assert.ok([change, sensitivity, strength].every(Number.isFinite), kind);
      }
      assert.equal(traversal!.rows.count, 3 * dimensions.length);
      const hasKl = dimensions[0]!.kl !== undefined;
      assert.equal(order, hasKl ? 'KL' : 'sensitivity');
      assert.match(protocols.dimensions!, hasKl ? /^Ordered by mean KL/ : /there being no KL by dimension/);
    }
    await model.dispose();
  });

test('a dimension moves without leaving the sphere or the ball, and its direction is the way', () => {
  const walkIn = (kind: string) => {
    const posterior = make(families[kind]!);
    return walkOf({ spec: { latent: 3, posterior } as ModelSpec }, {}) as Walk;
  };
  const start = [0.6, 0.48, 0.64]; // a unit vector
  const moved = (walk: Walk, j: number, value: number) => {
    const z = Float32Array.from(start);
    walk.move(z, j, value);
    return z;
  };
  const [sphere, ball] = [walkIn('vonMisesFisher'), walkIn('wrappedNormal')];
  for (const value of [-0.9, 0, 0.3, 5]) {
    const z = moved(sphere, 1, value);
    near(Math.hypot(...z), 1, 1e-6);
    near(z[1]!, Math.min(value, 0.999), 1e-6);
    near(z[0]! / z[2]!, 0.6 / 0.64, 1e-5);
    assert.ok(Math.hypot(...moved(ball, 1, value)) < 1);
  }
  assert.deepEqual([...moved(ball, 1, 0.1)], [...Float32Array.of(0.6, 0.1, 0.64)]);
  const direction = new Float32Array(3);
  sphere.direction(Float32Array.from(start), 1, direction);
  const [low, high] = [moved(sphere, 1, 0.47), moved(sphere, 1, 0.49)];
  direction.forEach((v, i) => {
    near(v, (high[i]! - low[i]!) / 0.02, 1e-3);
  });
});

test('priors that are no product, and ladders: KL as a whole, or by level', async () => {
  const options = { split: 'all', rows: 30, samples: 5, row: [0] } as const;
  const mixture = await untrained(data, { prior: { kind: 'mixture' } });
  const whole = await explain(mixture, data, options);
  assert.equal(whole.order, 'sensitivity');
  assert.deepEqual(
    whole.explained[0]!.kl.map(({ name }) => name),
    ['z'],
  );
  addsUp(whole.explained[0]!);
  await mixture.dispose();
  const ladder = await untrained(data, { network: { kind: 'ladder', levels: [2], width: 8 } });
  const levels = await explain(ladder, data, options);
  assert.equal(levels.dimensions.length, 8);
  assert.equal(levels.order, 'KL');
  addsUp(levels.explained[0]!);
  await ladder.dispose();
  const chain = await untrained(data, { network: { kind: 'chain' } }, { latent: 2 });
  const linked = await explain(chain, data, options);
  const reaching = linked.dimensions.filter(({ effects }) =>
    effects!.some(({ sensitivity }) => sensitivity > 0),
  );
  assert.deepEqual(
    reaching.map(({ name }) => name).toSorted(),
    ['z_3', 'z_4', 'z_5', 'z_6'], // of 2 + 4
  );
  assert.match(linked.protocols.dimensions!, /only those of the lowest level, the last, reach the data/);
  addsUp(linked.explained[0]!);
  await chain.dispose();
  const wide = await untrained(data, { posterior: { kind: 'point' } }, { latent: 300 });
  const many = await explain(wide, data, options);
  assert.match(many.absent.dimensions!, /z has 300 dimensions without a KL of their own/);
  await wide.dispose();
});

test('mixed columns: gaps, what is given, dates and words in their own units', async () => {
  const { saved } = await trained({ data, out: join(folder, 'a.model'), condition: ['city'] });
  const model = await load(saved!.path, { threads: 1 });
  const fields = modelFields(model.schema);
  const all = await encode(model, data, { split: 'all' });
  const { dimensions, explained, absent } = await explain(model, data, {
    row: [...all.ids],
    neighbours: 0,
    samples: 3,
  });
  assert.ok(!('dimensions' in absent));
  assert.equal(absent.nearest, '--neighbours 0');
  const gaps = explained.filter(({ missing }) => missing.length > 0);
  assert.ok(gaps.length > 0 && gaps.length < explained.length);
  for (const one of explained) {
    addsUp(one);
    assert.equal(one.fields.length + one.missing.length, fields.length - 1, 'all but what is given');
  }
  for (const effect of dimensions.flatMap(({ effects }) => effects!)) {
    const field = fields.find(({ name }) => name === effect.field)!;
    if (field.type === 'category' || field.type === 'boolean') {
      assert.equal(effect.unit, 'probability');
      for (const end of ['low', 'high'] as const) near(sum(effect.words!.map((w) => w[end])), 1, 1e-5);
      near(effect.change, sum(effect.words!.map((w) => Math.abs(w.high - w.low))) / 2, 1e-6);
    } else {
      assert.equal(effect.unit, field.type === 'date' ? 'days' : '');
      if ('min' in field) assert.ok(effect.low! >= field.min && effect.low! <= field.max, effect.field);
    }
  }
  const other = tableFile(temporaryFolder(), 60); // the first rows of the data
  const options = { row: [0], dimensions: 0, samples: 3 };
  const apart = await explain(model, other, options);
  assert.match(apart.absent.nearest!, /not those that the model was trained on: --among names/);
  assert.match(apart.protocols.nearest!, /the nearest of all 60 rows of .*table\.csv/);
  const among = await explain(model, other, { ...options, among: data });
  assert.match(among.protocols.nearest!, /the nearest of 240 training rows/);
  const training = await encode(model, data, { split: 'train' });
  const [nearest] = among.explained[0]!.nearest.neighbours;
  assert.equal(nearest!.isSame && nearest!.row === 0, training.ids.includes(0));
  await model.dispose();
});

test('pictures: where each dimension acts, and the change of a pixel', async () => {
  const digits = idxFile(folder);
  const model = await untrained(digits, {}, {}, { image: { binarize: 'dynamic' } });
  const found = await explain(model, digits, { split: 'all', row: [5], steps: 4, dimensions: 2 });
  const [first, second, third] = found.dimensions;
  assert.ok(first!.effects && second!.effects && !third!.effects && third!.kl !== undefined);
  const [effect] = first!.effects;
  assert.equal(first!.map!.length, 64);
  near(effect!.sensitivity, Math.sqrt(sum([...first!.map!].map((v) => v * v)) / 64), 1e-9);
  assert.ok(effect!.change > 0 && effect!.unit === '/ 255');
  assert.equal(found.traversal!.rows.count, 8);
  assert.equal(found.traversal!.from, 5);
  addsUp(found.explained[0]!);
  const alone = await explain(model, digits, { split: 'all', rows: 20 });
  assert.ok(alone.traversal!.from >= 0 && alone.explained.length === 0);
  assert.match(alone.protocols.traversal!, /the nearest to the mean of the codes/);
  await assert.rejects(explain(model, data), /^UserError: the schema is of pictures, the data is a table/);
  await model.dispose();
});
