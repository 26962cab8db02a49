/** `evaluate` on the model whose log p(x) is known, through files and ONNX Runtime. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { evaluate } from '../../src/tasks/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { near } from '../metrics/near.ts';
import { logDensity } from '../vae/linear-gaussian.ts';
import { modelOf, rowsFile, rowsOf } from './linear-gaussian.ts';

test('log p(x) by importance sampling is the exact one, above the ELBO where the posterior is off', async () => {
  const folder = temporaryFolder();
  for (const off of [0, 0.15]) {
    const { model, exact } = modelOf(off);
    const rows = rowsOf(exact, 230);
    const path = rowsFile(folder, rows);
    const expected = rows.reduce((sum, row) => sum + logDensity(exact, row), 0) / rows.length;
    const samples = off === 0 ? 500 : 2000;
    const { negativeElbo, logLikelihood } = await evaluate(model, path, { split: 'all', samples });
    const { mean, low, high } = logLikelihood!;
    assert.ok(Math.abs(mean - expected) < (off === 0 ? 1e-4 : 0.002), `${mean}, expected ${expected}`);
    assert.ok(low < expected && expected < high);
    if (off === 0) assert.ok(Math.abs(-negativeElbo - expected) < 0.1, `ELBO ${-negativeElbo}`);
    else assert.ok(-negativeElbo < expected - 0.02, `ELBO ${-negativeElbo}, log p(x) ${expected}`);
    await model.dispose();
  }
});

test('some rows give log p(x) of all, nearer than by themselves', async () => {
  const { model, exact } = modelOf(0.15);
  const rows = rowsOf(exact, 600);
  const path = rowsFile(temporaryFolder(), rows);
  const expected = rows.reduce((sum, row) => sum + logDensity(exact, row), 0) / rows.length;
  const run = async (some: number) =>
    (await evaluate(model, path, { split: 'all', rows: some, samples: 200, quality: 0 })).figures
      .logLikelihood!;
  const [all, some] = [await run(600), await run(60)];
  const width = ({ low, high }: { low?: number; high?: number }) => high! - low!;
  near(some.value, expected, 0.1);
  const alone = width(all) * Math.sqrt(600 / 60);
  assert.ok(width(some) < 0.6 * alone, `${width(some)} and ${alone}`);
  assert.match(
    some.protocol!,
    /^the ELBO of all 600 rows, and the gain over it by 200 samples .* of 60 of 600 rows/,
  );
  await model.dispose();
});

test('every figure is what theory says of this model, and nothing is diagnosed', async () => {
  const { model, exact } = modelOf(0);
  const rows = rowsOf(exact, 1000);
  const path = rowsFile(temporaryFolder(), rows);
  const options = { split: 'all', rows: 1000, samples: 25, quality: 1000 } as const;
  const { figures, diagnosis, absent, columns } = await evaluate(model, path, options);
  near(figures.effectiveSamples!.value, 25, 1e-3); // every weight is p(x)
  near(figures.inferenceGap!.value, 0, 1e-4);
  const information = [0, 1].map((j) => {
    const norm = exact.w.reduce((sum, row) => sum + row[j]! ** 2, 0);
    return 0.5 * Math.log(1 + norm / exact.variance); // I(x; zⱼ), and z₁, z₂ are independent
  });
  const whole = information[0]! + information[1]!;
  near(figures.kl!.value, whole, 0.1);
  near(figures.mutualInformation!.value, whole, 0.15);
  assert.ok(figures.mutualInformation!.value < figures.mutualInformationAtMost!.value);
  near(figures.mutualInformationAtMost!.value, whole, 0.15);
  near(figures.marginalKl!.value, 0, 0.1);
  near(figures.totalCorrelation!.value, 0, 0.1);
  near(figures.dimensionWiseKl!.value, 0, 0.05);
  near(figures.holes!.value, 0.05, 0.02);
  assert.ok(figures.priorDiscrepancy!.low! < 0 && figures.priorDiscrepancy!.value < 0.005);
  assert.deepEqual([figures.activeUnits!.value, figures.activeUnitsByVariance!.value], [2, 2]);
  assert.ok(figures.kernelDistance!.low! < 0 && figures.kernelDistance!.high! > 0);
  assert.ok(figures.precision!.value > 0.85 && figures.recall!.value > 0.85);
  near(figures.density!.value, 1, 0.15);
  assert.ok(figures.frechetDistance!.value < 0.05);
  near(figures.columnSimilarity!.value, 1, 0.06);
  assert.deepEqual(diagnosis, []);
  assert.deepEqual(Object.keys(absent), [
    'bitsPerDimension',
    'bitsPerDimensionElbo',
    'mig',
    'dciDisentanglement',
    'dciCompleteness',
    'dciInformativeness',
    'sap',
    'modularity',
    'factorVae',
    'betaVae',
  ]);
  const deviation = (row: number) => {
    const [w1, w2] = exact.w[row]!;
    return Math.sqrt(w1! ** 2 + w2! ** 2 + exact.variance); // of a column; its constant answer is the mean
  };
  near(columns['a']!.rootMeanSquare!.constant, deviation(0), 0.05);
  await model.dispose();
});

test('a collapsed posterior and a prior with holes are told in words', async () => {
  const { model, exact } = modelOf(0);
  const path = rowsFile(temporaryFolder(), rowsOf(exact, 300));
  const options = { split: 'all', samples: 100, quality: 0 } as const;
  const bias = model.weights['posterior.bias']!;
  const weight = model.weights['posterior.weight']!;
  const [ownBias, ownWeight] = [bias.slice(), weight.slice()];
  weight.fill(0);
  bias.fill(0);
  const collapsed = await evaluate(model, path, options);
  assert.match(collapsed.diagnosis.join(), /^The posterior has collapsed: no latent dimension/);
  near(collapsed.figures.mutualInformation!.value, 0, 1e-6);
  await model.dispose();
  weight.set(ownWeight);
  bias.set(ownBias);
  bias[0]! += 3; // all codes beside the prior
  const beside = await evaluate(model, path, options);
  assert.ok(beside.figures.holes!.low! > 0.5 && beside.figures.priorDiscrepancy!.low! > 0.05);
  assert.match(beside.diagnosis.join(), /there are holes, and samples from there/);
  assert.match(beside.diagnosis.join(), /log p\(x\) rests on/);
  near(beside.figures.marginalKl!.value, 4.5, 0.5); // 3²/2
  near(beside.figures.dimensionWiseKl!.value, 4.5, 0.5);
  await model.dispose();
  bias.set([ownBias[0]!, ownBias[1]!, -16, -16]); // codes that do not overlap
  const apart = await evaluate(model, path, options);
  assert.equal(apart.figures.totalCorrelation, undefined);
  assert.match(apart.absent.marginalKl!.reason, /codes of 300 rows hardly overlap/);
  assert.match(apart.diagnosis.join(), /I\(x; z\) is somewhere between 5\.7 and 1\d\.\d nats/); // log 300 and the KL
  await model.dispose();
});
