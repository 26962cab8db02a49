/** `evaluate`: every figure of every kind of model is right, or absent with a reason. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type ModelField, modelFields } from '../../src/data/index.ts';
import type { FigureName } from '../../src/tasks/evaluate/figures.ts';
import { columnErrors } from '../../src/tasks/evaluate/reconstruction.ts';
import { evaluate, load, reconstruct, refit } from '../../src/tasks/index.ts';
import { make } from '../../src/vae/index.ts';
import { put, temporaryFolder } from '../data/files.ts';
import { near } from '../metrics/near.ts';
import { idxFile, pictureFolder, tableFile, trained } from './data.ts';
import { families, LATENT, priorFor, untrained } from './untrained.ts';

const folder = temporaryFolder();
const data = tableFile(folder, 300);
const few = { split: 'all', rows: 40, samples: 15, quality: 50 } as const;

/** Numbers with ordered intervals, reasons in words, no figure both there and absent. */
function checkWhole({ figures, absent }: Awaited<ReturnType<typeof evaluate>>, name: string): void {
  for (const [key, { value, low, high }] of Object.entries(figures)) {
    assert.ok(Number.isFinite(value), `${name}: ${key} is ${value}`);
    if (low !== undefined)
      assert.ok(low <= value && value <= high!, `${name}: ${key} ${low} ${value} ${high}`);
    assert.ok(!(key in absent), `${name}: ${key}`);
  }
  for (const [key, { reason }] of Object.entries(absent)) assert.ok(reason.length > 5, `${name}: ${key}`);
}

const HELD: readonly FigureName[] = ['mutualInformation', 'totalCorrelation', 'marginalKl', 'holes'];

for (const kind of Object.keys(families)) {
  test(`posterior ${kind}`, async () => {
    const choices = { posterior: { kind }, prior: { kind: priorFor(kind) } };
    const model = await untrained(data, choices, { latent: LATENT[kind] ?? 4 });
    const result = await evaluate(model, data, few);
    checkWhole(result, kind);
    const { random, diagonal = false } = make(families[kind]!);
    for (const name of HELD) {
      const there = result.figures[name] !== undefined;
      assert.equal(there, diagonal, `${name} of ${kind}`);
      if (!there) assert.match(result.absent[name]!.reason, /not a Gaussian with a diagonal|is a point/);
    }
    assert.equal(result.figures.logLikelihood !== undefined, random);
    assert.ok(result.figures.precision && result.figures.columnSimilarity);
    await model.dispose();
  });
}

test('priors that are no product have no dimension-wise KL, and the rest', async () => {
  const model = await untrained(data, { prior: { kind: 'mixture' } });
  const result = await evaluate(model, data, few);
  checkWhole(result, 'mixture');
  assert.ok(result.figures.mutualInformation && result.figures.totalCorrelation && result.figures.holes);
  assert.match(result.absent.dimensionWiseKl!.reason, /not a product/);
  assert.match(result.absent.activeUnits!.reason, /not known by dimension/);
  await model.dispose();
});

test('samples are given what the held-out rows are given; a prior by what is given has no aggregate', async () => {
  const open = { condition: ['city'] };
  const model = await untrained(data, {}, {}, open);
  const result = await evaluate(model, data, few);
  checkWhole(result, 'given');
  assert.ok(result.figures.precision && result.figures.mutualInformation && !('city' in result.columns));
  await model.dispose();
  const other = await untrained(data, { prior: { kind: 'conditional' } }, {}, open);
  const own = await evaluate(other, data, few);
  checkWhole(own, 'given prior');
  assert.match(own.absent.marginalKl!.reason, /a prior of its own, by what it is given/);
  await other.dispose();
});

test('the levels of a ladder are not one Gaussian', async () => {
  const model = await untrained(data, { network: { kind: 'ladder', levels: [2], width: 8 } });
  const result = await evaluate(model, data, few);
  checkWhole(result, 'ladder');
  assert.match(result.absent.mutualInformation!.reason, /levels of z depend on each other/);
  assert.equal(result.figures.activeUnits!.beside!.value, 8); // four dimensions in each of two levels
  assert.ok(result.figures.logLikelihood && result.figures.priorDiscrepancy);
  await model.dispose();
});

test('reconstruction errors are those of reconstruct, in the units of the columns, gaps left out', async () => {
  const { saved } = await trained({ data, out: join(folder, 'a.model') });
  const model = await load(saved!.path, { threads: 1 });
  const { columns, figures, absent, protocols } = await evaluate(model, data, {
    split: 'all',
    samples: 0,
    rows: 300,
    quality: 100,
  });
  const { original, reconstruction } = await reconstruct(model, data);
  for (const [j, { name, type }] of modelFields(model.schema).entries()) {
    const pairs = Array.from(original.columns[j]!, (v, i) => [v, reconstruction.columns[j]![i]!] as const);
    const there = pairs.filter(
      ([v]) => !Number.isNaN(v) && (type === 'date' || type === 'integer' || type === 'number' || v >= 0),
    );
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    const { accuracy, meanAbsolute, rootMeanSquare, unit } = columns[name]!;
    if (accuracy) near(accuracy.value, mean(there.map(([v, w]) => Number(v === w))), 1e-9);
    else {
      near(meanAbsolute!.value, mean(there.map(([v, w]) => Math.abs(v - w))), 1e-9);
      near(rootMeanSquare!.value, Math.sqrt(mean(there.map(([v, w]) => (v - w) ** 2))), 1e-9);
      assert.ok(meanAbsolute!.low < meanAbsolute!.value && meanAbsolute!.constant > 0);
    }
    assert.equal(unit, type === 'date' ? 'days' : '');
    assert.ok(columns[name]!.similarity!.value > 0.2);
  }
  assert.ok(pairsWithGaps(original.columns) > 0, 'the data has gaps');
  assert.equal(figures.ssim, undefined);
  assert.match(absent.logLikelihood!.reason, /--samples 0/);
  assert.match(absent.bitsPerDimensionElbo!.reason, /is modelled as a real number on a scale of its own/);
  assert.match(
    protocols.samples!,
    /100 draws, z from the prior, against 100 held-out rows, in model space \(\d+ dimensions/,
  );
  await model.dispose();
});

test('angles differ by the shorter way round', () => {
  const angle = { type: 'number', transform: { kind: 'turn', period: 360 } } as ModelField;
  const { meanAbsolute, rootMeanSquare } = columnErrors(angle, [359, 1, 10, 350], [1, 359, 350, 10]);
  near(meanAbsolute!.value, 11, 1e-9); // 2, 2, 20, 20
  near(rootMeanSquare!.value, Math.sqrt(202), 1e-9);
  near(meanAbsolute!.constant, 5.5, 1e-9); // from north: 1, 1, 10, 10
  const plain = { type: 'number', transform: { kind: 'standard', mean: 0, sd: 1 } } as ModelField;
  near(columnErrors(plain, [359, 1], [1, 359]).meanAbsolute!.value, 358, 1e-9);
});

const pairsWithGaps = (columns: readonly ArrayLike<number>[]): number =>
  columns.reduce((n, column) => n + Array.from(column).filter(Number.isNaN).length, 0);

test('samples are compared by data or by codes, draws or means, with training rows beside them', async () => {
  const path = put(
    folder,
    'plain.csv',
    ['a,b', ...Array.from({ length: 900 }, (_, i) => `${Math.sin(i)},${Math.cos(2.3 * i)}`)].join('\n'),
  );
  const { saved } = await trained({ data: path, out: join(folder, 'b.model'), test: 0.2 });
  const model = await load(saved!.path, { threads: 1 });
  const options = { rows: 50, samples: 0 };
  const own = await evaluate(model, path, options);
  assert.equal(own.figures.precision!.beside!.what, 'training rows');
  assert.ok(own.figures.precision!.beside!.value > 0.7 && own.figures.kernelDistance!.beside!.value < 0.2);
  assert.match(own.protocols.samples!, /180 draws, z from the prior, against 180 held-out rows/);
  const codes = await evaluate(model, path, { ...options, features: 'encoder' });
  assert.match(codes.protocols.samples!, /codes of this very model’s encoder .*not for comparing models/);
  assert.notEqual(codes.figures.frechetDistance!.value, own.figures.frechetDistance!.value);
  const means = await evaluate(model, path, { ...options, mean: true });
  assert.match(means.protocols.samples!, /180 means of p\(x\|z\), z from the prior/);
  assert.ok(
    means.figures.coverage!.value < own.figures.coverage!.value,
    'means do not spread as the data does',
  );
  assert.match((await evaluate(model, path, { quality: 0 })).absent.precision!.reason, /--quality 0/);
  const alone = await evaluate(model, path, { rows: 0 });
  assert.deepEqual(Object.keys(alone.figures), ['negativeElbo', 'reconstructionTerm', 'kl', 'activeUnits']);
  assert.match(alone.absent.mig!.reason, /--rows 0/);
  assert.equal(alone.negativeElbo, own.negativeElbo);
  await assert.rejects(evaluate(model, path, { samples: -1 }), /samples -1: expected a whole number from 0/);
  await assert.rejects(evaluate(model, path, { rows: 2.5 }), /rows 2.5/);
  for await (const _ of refit(model, path, { sampler: { kind: 'gmm', components: 2 } }));
  const fitted = await evaluate(model, path, options);
  assert.match(fitted.protocols.samples!, /180 draws, z from the sampler gmm, against/);
  assert.match(fitted.protocols.latent!, /as many from the sampler gmm/);
  assert.notEqual(fitted.figures.priorDiscrepancy!.value, own.figures.priorDiscrepancy!.value);
  assert.deepEqual((await evaluate(model, path, { ...options, sampler: 'prior' })).figures, own.figures);
  await model.dispose();
});

test('pictures: bits where they are black and white, SSIM where the window fits', async () => {
  const digits = idxFile(folder);
  const model = await untrained(digits, {}, {}, { image: { binarize: 'dynamic' } });
  const { figures, absent, negativeElbo, logLikelihood } = await evaluate(model, digits, {
    split: 'all',
    samples: 10,
  });
  near(figures.bitsPerDimensionElbo!.value, negativeElbo / (64 * Math.LN2), 1e-9);
  near(figures.bitsPerDimension!.value, -logLikelihood!.mean / (64 * Math.LN2), 1e-9);
  assert.match(absent.ssim!.reason, /pictures of 8 × 8 are smaller than its window of 11 × 11/);
  assert.ok(figures.psnr && figures.meanAbsolutePixel && figures.precision);
  await model.dispose();
  const colour = await pictureFolder(folder, 60);
  const grey = await untrained(colour, {}, {}, { image: { size: 12 } });
  const other = await evaluate(grey, colour, few);
  assert.match(other.absent.bitsPerDimension!.reason, /pixels are modelled as real numbers/);
  assert.ok(Math.abs(other.figures.ssim!.value) <= 1);
  assert.match(other.protocols.samples!, /principal components of the pixels \(\d+ % of their variance\)/);
  await grey.dispose();
});

test('bits a field of a table of categories, where none are missing', async () => {
  const lines = Array.from({ length: 200 }, (_, i) => `${'ab'[i % 2]},${'xyz'[(i * i) % 3]}`);
  const path = put(folder, 'words.csv', ['p,q', ...lines].join('\n'));
  const model = await untrained(path, {});
  const { figures, negativeElbo } = await evaluate(model, path, few);
  near(figures.bitsPerDimensionElbo!.value, negativeElbo / (2 * Math.LN2), 1e-9);
  await model.dispose();
});

test('counts have bits, angles are points of the circle', async () => {
  const lines = Array.from({ length: 300 }, (_, i) => `${(i * i) % 7},${(i * 47) % 360}`);
  const path = put(folder, 'counts.csv', ['visits,heading', ...lines].join('\n'));
  const laws = { visits: 'poisson', heading: 'vonMises' };
  const schema = { fields: Object.entries(laws).map(([name, likelihood]) => ({ name, likelihood })) };
  const both = await untrained(path, {}, {}, { schema });
  const result = await evaluate(both, path, few);
  checkWhole(result, 'counts and angles');
  assert.match(result.protocols.samples!, /model space \(3 dimensions/);
  assert.match(result.absent.bitsPerDimensionElbo!.reason, /^"heading" is modelled as a real number/);
  assert.ok(result.columns['heading']!.meanAbsolute!.value <= 180);
  await both.dispose();
  const counts = await untrained(
    path,
    {},
    {},
    { schema: { fields: [...schema.fields.slice(0, 1), { name: 'heading', role: 'ignored' }] } },
  );
  const { figures, negativeElbo } = await evaluate(counts, path, few);
  near(figures.bitsPerDimensionElbo!.value, negativeElbo / Math.LN2, 1e-9);
  await counts.dispose();
});

test('factors of the sprites, or of a table beside the data, are scored; progress is told', async () => {
  const model = await untrained('sprites', {}, { limit: 400 }, { limit: 400, image: { size: 16 } });
  const stages = new Map<string, number>();
  const progress = ({ stage, done, total }: { stage: string; done: number; total: number }) => {
    assert.ok(done <= total, stage);
    stages.set(stage, done / total);
  };
  const options = { split: 'all', rows: 60, samples: 10, quality: 60 } as const;
  const { figures, protocols } = await evaluate(model, 'sprites', { ...options, progress });
  assert.match(protocols.disentanglement!, /400 of 400 rows against shape \(names\), scale, rotation, x, y/);
  for (const name of ['mig', 'sap', 'dciDisentanglement', 'dciCompleteness', 'factorVae', 'betaVae'] as const)
    assert.ok(figures[name]!.value >= 0 && figures[name]!.value <= 1, name);
  assert.equal(figures.betaVae!.beside!.value, 1 / 5);
  assert.deepEqual([...new Set(stages.values())], [1], [...stages].join(' '));
  assert.ok(stages.has('log p(x)') && stages.has('ELBO') && stages.has('sample quality'));
  const table = Array.from({ length: 400 }, (_, i) => `${i % 4},${i % 3 === 0 ? '' : 'ab'[i % 2]}`);
  const factors = put(folder, 'factors.csv', ['level,kind', ...table].join('\n'));
  const other = await evaluate(model, 'sprites', { ...options, factors });
  assert.match(other.protocols.disentanglement!, /266 of 400 rows against level, kind \(names\)/);
  near(other.figures.mig!.value, 0, 0.05);
  const short = put(folder, 'short.csv', 'level\n1\n2\n1\n');
  await assert.rejects(
    evaluate(model, 'sprites', { ...options, factors: short }),
    /3 rows of factors for 400 rows of data/,
  );
  await model.dispose();
});
