/** Objectives that look at z, against their formulas in plain loops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exp, gradients, input, mul } from '../../src/graph/index.ts';
import { stream } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import {
  type ModelSpec,
  make,
  meanDiscrepancy,
  type ObjectiveName,
  posteriors,
  slicedDistance,
} from '../../src/vae/index.ts';
import { compile, evaluate, value } from '../reference.ts';
import { run } from '../train/toy.ts';
import { mixedSpec } from './models.ts';
import {
  aim,
  basics,
  close,
  drawsOf,
  mean,
  reported,
  rowsOf,
  type Setting,
  sum,
  type Training,
  training,
} from './training.ts';

const BETA = Math.fround(0.7);
const ROWS = 10;
const pointSpec: ModelSpec = { ...mixedSpec, posterior: make(posteriors.point) };

const squared = (a: readonly number[], b: readonly number[]): number =>
  sum(a.map((v, i) => (v - b[i]!) ** 2));

test('a KL away from its capacity costs by its distance, and the capacity rises to its end', () => {
  for (const [progress, capacity] of [
    [0.3, 10],
    [0.6, 20],
    [0.9, 20],
  ] as const) {
    const options = { capacity: 20, capacityWeight: 5, capacityRise: 0.6 };
    const trained = training(mixedSpec, aim('capacity', options), {
      feeds: { progress: value([progress], []) },
    });
    const { logPx, kl } = basics(trained);
    close(trained.number(trained.losses.loss), 5 * Math.abs(kl - capacity) - logPx, 1e-5, `at ${progress}`);
    close(reported(trained, 'capacity'), capacity, 1e-6, `capacity at ${progress}`);
  }
});

test('the weight of a controlled KL follows its formula, and its sum stays within bounds', () => {
  const options = { targetKl: 0.5, gain: 0.4, integralGain: 0.3, betaLeast: 0.1, betaMost: 2 };
  const name = 'objective.control.sum';
  for (const [before, shift] of [
    [0.8, 0],
    [1.9, -4],
    [0.01, 4],
  ] as const) {
    const objective = aim('controlVae', { ...options, targetKl: 0.5 + Math.max(0, shift) });
    const bias = shift < 0 ? { 'posterior.bias': value([3, 3, 0, 0], [4]) } : {};
    const trained = training(mixedSpec, objective, { feeds: { [name]: value([before], [1]), ...bias } });
    const { logPx, kl } = basics(trained);
    const error = 0.5 + Math.max(0, shift) - kl;
    const next = Math.min(1.9, Math.max(0, before - 0.3 * error));
    const weight = Math.min(2, Math.max(0.1, 0.4 / (1 + Math.exp(error)) + next + 0.1));
    close(trained.at(trained.losses.updates![name]!)[0]![0]!, next, 1e-6, 'sum');
    close(reported(trained, 'klWeight'), weight, 1e-6, 'weight');
    close(trained.number(trained.losses.loss), BETA * weight * kl - logPx, 1e-5, 'loss');
  }
});

test('a controlled KL pulls on the encoder with its weight, which has no gradient of its own', () => {
  const trained = training(mixedSpec, aim('controlVae', { targetKl: 1, gain: 0.5 }));
  const { vae, losses, terms: t, context } = trained;
  const weight = reported(trained, 'klWeight');
  const plain = aim('elbo').losses(t, { ...context, beta: mul(context.beta, input('w', [])) }).loss;
  const tensors = vae.parameters.map((p) => p.tensor);
  const feeds = { ...trained.feeds, w: value([weight], []) };
  const [found, expected] = [losses.loss, plain].map((loss) => evaluate(gradients(loss, tensors), feeds));
  found!.forEach(({ data }, i) => {
    data.forEach((g, j) => {
      close(g, expected![i]!.data[j]!, 1e-9, vae.parameters[i]!.name);
    });
  });
});

test('the controller brings the KL to its target', async () => {
  const objective = aim('controlVae', { targetKl: 1.5, gain: 0.01, integralGain: 0.05 });
  const ran = await run({ runtime: nodeRuntime({ threads: 1 }), objective, epochs: 60, patience: 60 });
  const last = ran.fitted.history.slice(-10);
  close(mean(last.map((record) => record.train.kl)), 1.5, 0.15, 'KL');
  assert.ok(ran.fitted.history.some((record) => Math.abs(record.train.kl - 1.5) > 0.5));
});

test('a constraint follows what the reconstruction lacks, and its multiplier grows by that', () => {
  const [multiplier, average] = ['logMultiplier', 'average'].map((name) => `objective.constraint.${name}`);
  for (const [log, before, rate] of [
    [0.4, 2, 0.01],
    [9.9, 30, 0.05],
    [-0.3, -80, 10],
  ] as const) {
    const objective = aim('geco', { tolerance: 3, multiplierRate: rate, constraintDecay: 0.75 });
    const trained = training(mixedSpec, objective, {
      feeds: { [multiplier!]: value([log], [1]), [average!]: value([before], [1]) },
    });
    const { logPx, kl } = basics(trained);
    const constraint = -logPx - 3;
    const followed = 0.75 * before + 0.25 * constraint;
    const grown = log + Math.min(1, Math.max(-1, rate * followed));
    const updated = (name: string) => trained.at(trained.losses.updates![name]!)[0]![0]!;
    close(updated(average!), followed, 1e-5, 'mean');
    close(updated(multiplier!), Math.min(10, Math.max(-10, grown)), 1e-5, 'multiplier');
    close(reported(trained, 'multiplier'), Math.exp(log), 1e-5, 'weight');
    close(
      trained.number(trained.losses.loss),
      BETA * kl + Math.exp(log) * constraint,
      1e-4 * Math.exp(log),
      'loss',
    );
  }
});

test('the tighter the tolerance of geco, the better the reconstruction and the larger the KL', async () => {
  const runtime = nodeRuntime({ threads: 1 });
  const found: Means[] = [];
  for (const tolerance of [4, 2.5, 1]) {
    const objective = aim('geco', { tolerance, multiplierRate: 0.01 });
    const { fitted } = await run({ runtime, objective, epochs: 60, patience: 60 });
    const last = fitted.history.slice(-20).map((record) => record.train);
    found.push({ logPx: mean(last.map(({ logPx }) => logPx)), kl: mean(last.map(({ kl }) => kl)) });
  }
  const [loose, middle, tight] = found as [Means, Means, Means];
  assert.ok(loose.logPx < middle.logPx - 0.1 && middle.logPx < tight.logPx - 0.1, JSON.stringify(found));
  assert.ok(loose.kl < middle.kl - 0.1 && middle.kl < tight.kl - 0.1, JSON.stringify(found));
});

interface Means {
  readonly logPx: number;
  readonly kl: number;
}

/** log q(zᵢ|xⱼ) of each dimension, [i][j][d]. */
function pairLogs(trained: Training): number[][][] {
  const { posterior } = trained.terms.levels[0]!;
  const [mu, logVar] = trained.at(posterior.mean, posterior.logVar!).map((data) => rowsOf(data, 2));
  return drawsOf(trained).map((z) =>
    mu!.map((m, j) =>
      m.map((v, d) => {
        const l = logVar![j]![d]!;
        return -0.5 * (Math.log(2 * Math.PI) + l + (z[d]! - v) ** 2 / Math.exp(l));
      }),
    ),
  );
}

/** The weight of q(zᵢ|xⱼ) in q(zᵢ). */
function pairWeight(sampling: string, i: number, j: number, batch: number): number {
  if (sampling === 'weighted') return 1 / (ROWS * batch);
  const others = batch - 1;
  if (i === j) return 1 / ROWS;
  return j === (i + 1) % batch ? (ROWS - others) / (ROWS * others) : 1 / others;
}

for (const sampling of ['weighted', 'stratified'])
  test(`the KL in three parts is its formula, the parts weigh as asked and add up: ${sampling}`, () => {
    const batch = 4;
    const options = { tc: 3, mutualInformation: 0.5, dimensionKl: 2, sampling };
    const trained = training(mixedSpec, aim('betaTcvae', options), { batch, rows: ROWS });
    const [logPz, logQz] = trained.at(trained.terms.levels[0]!.logPz, trained.terms.levels[0]!.logQz);
    const logs = pairLogs(trained);
    const estimate = (i: number, of: (each: readonly number[]) => number) =>
      Math.log(sum(logs[i]!.map((each, j) => pairWeight(sampling, i, j, batch) * Math.exp(of(each)))));
    const logQ = logs.map((_, i) => estimate(i, sum));
    const product = logs.map((_, i) => sum([0, 1].map((d) => estimate(i, (each) => each[d]!))));
    const parts = {
      mutualInformation: mean(logQ.map((v, i) => logQz![i]! - v)),
      totalCorrelation: mean(logQ.map((v, i) => v - product[i]!)),
      dimensionKl: mean(product.map((v, i) => v - logPz![i]!)),
    };
    for (const [name, expected] of Object.entries(parts))
      close(reported(trained, name), expected, 1e-5, name);
    const penalty = 0.5 * parts.mutualInformation + 3 * parts.totalCorrelation + 2 * parts.dimensionKl;
    const { logPx } = basics(trained);
    close(trained.number(trained.losses.loss), BETA * penalty - logPx, 1e-4, 'loss');
    const sampled = mean(logQz!.map((v, i) => v - logPz![i]!));
    close(sum(Object.values(parts)), sampled, 1e-9, 'the parts add up to the KL of the draws');
  });

test('where all examples are one, z tells nothing of which it is, by the stratified estimate', () => {
  const x = value(Array.from({ length: 4 }, () => [0.5, 1, 0, 0, -0.3, 1]).flat(), [4, 6]);
  const mask = value(Array(16).fill(1), [4, 4]);
  const setting: Setting = { batch: 4, rows: ROWS, feeds: { x, mask } };
  const trained = training(mixedSpec, aim('betaTcvae', { sampling: 'stratified' }), setting);
  close(reported(trained, 'mutualInformation'), 0, 1e-6, 'mutual information');
});

for (const covariance of ['means', 'draws'])
  test(`the penalty on the covariance of ${covariance} is its formula`, () => {
    const options = { covariance, offDiagonal: 3, diagonal: 0.5 };
    const trained = training(mixedSpec, aim('dipVae', options), { batch: 5 });
    const { posterior } = trained.terms.levels[0]!;
    const [mu, logVar] = trained.at(posterior.mean, posterior.logVar!).map((data) => rowsOf(data, 2));
    const column = (d: number) => mu!.map((row) => row[d]!);
    const cov = (a: number, b: number): number => {
      const [u, v] = [column(a), column(b)];
      const spread = a === b && covariance === 'draws' ? mean(logVar!.map((row) => Math.exp(row[a]!))) : 0;
      return mean(u.map((p, i) => (p - mean(u)) * (v[i]! - mean(v)))) + spread;
    };
    const penalty = 3 * 2 * cov(0, 1) ** 2 + 0.5 * ((cov(0, 0) - 1) ** 2 + (cov(1, 1) - 1) ** 2);
    const { logPx, kl } = basics(trained);
    close(reported(trained, 'covariance'), penalty, 1e-6, 'penalty');
    close(trained.number(trained.losses.loss), BETA * kl - logPx + penalty, 1e-5, 'loss');
  });

const kernels: Record<string, (squares: number, width: number) => number> = {
  rbf: (d, c) => Math.exp(-d / c),
  imq: (d, c) => mean([0.1, 0.2, 0.5, 1, 2, 5, 10].map((w) => (c * w) / (c * w + d))),
};

/** The unbiased estimate, pair by pair. */
function naiveMmd(a: number[][], b: number[][], k: (squares: number) => number): number {
  const pairs = (x: number[][], y: number[][], skip: boolean) =>
    x.flatMap((p, i) => y.flatMap((q, j) => (skip && i === j ? [] : [k(squared(p, q))])));
  return mean(pairs(a, a, true)) + mean(pairs(b, b, true)) - 2 * mean(pairs(a, b, false));
}

const discrepancies: [ObjectiveName, object, ModelSpec, string, number][] = [
  ['infoVae', { beta: 0.5, mmd: 7, kernelScale: 0.5 }, mixedSpec, 'rbf', 2],
  ['infoVae', { beta: 0.5, mmd: 7, kernel: 'imq' }, mixedSpec, 'imq', 4],
  ['waeMmd', { mmd: 7 }, pointSpec, 'imq', 4],
];
for (const [kind, options, spec, kernel, width] of discrepancies)
  test(`the mean discrepancy of ${kind}, ${kernel}, is its formula`, () => {
    const trained = training(spec, aim(kind, options), { batch: 5 });
    const prior = rowsOf(trained.feeds['noise.prior']!.data, 2);
    const expected = naiveMmd(drawsOf(trained), prior, (d) => kernels[kernel]!(d, width));
    close(reported(trained, 'mmd'), expected, 1e-6, 'MMD²');
    const { logPx, kl } = basics(trained);
    close(trained.number(trained.losses.loss), BETA * kl - logPx + 7 * expected, 1e-5, 'loss');
  });

/** Normal rows [count, 2], moved. */
function normalRows(count: number, seed: number, shift = 0): number[] {
  const out = new Float32Array(count * 2);
  stream(seed, 'rows').normal(out);
  return Array.from(out, (v) => v + shift);
}

test('draws of one law have no mean discrepancy on average, those of two laws have', () => {
  const [a, b] = [input('a', ['B', 2]), input('b', ['B', 2])];
  const at = compile([meanDiscrepancy(a, b, (squares) => exp(mul(squares, -0.25)))]);
  const estimate = (shift: number) =>
    Array.from({ length: 200 }, (_, i) => {
      const feeds = {
        a: value(normalRows(8, 2 * i), [8, 2]),
        b: value(normalRows(8, 2 * i + 1, shift), [8, 2]),
      };
      return at(feeds)[0]!.data[0]!;
    });
  const same = estimate(0);
  const error = Math.sqrt(mean(same.map((v) => v * v)) / same.length);
  close(mean(same), 0, 4 * error, 'one law');
  assert.ok(error < 0.01, `known to ${error}`);
  assert.ok(mean(estimate(1)) > 0.1);
});

test('the sliced distance is its formula: sorted along each line, paired, squared', () => {
  const options = { sliced: 4, slices: 6 };
  const trained = training(pointSpec, aim('slicedWae', options), { batch: 5 });
  const [prior, lines] = [
    rowsOf(trained.feeds['noise.prior']!.data, 2),
    rowsOf(trained.feeds['noise.directions']!.data, 6),
  ];
  const along = (rows: number[][], line: number): number[] => {
    const direction = lines.map((row) => row[line]!);
    const length = Math.hypot(...direction);
    return rows.map((row) => sum(row.map((v, d) => (v * direction[d]!) / length))).sort((p, q) => p - q);
  };
  const expected = mean(
    Array.from({ length: 6 }, (_, line) => {
      const [p, q] = [along(drawsOf(trained), line), along(prior, line)];
      return mean(p.map((v, i) => (v - q[i]!) ** 2));
    }),
  );
  close(reported(trained, 'sliced'), expected, 1e-6, 'distance');
  close(trained.number(trained.losses.loss), -basics(trained).logPx + 4 * expected, 1e-5, 'loss');
});

test('the sliced distance of a set to itself is 0, whatever the order, and grows as one is moved', () => {
  const inputs = [input('a', ['B', 2]), input('b', ['B', 2]), input('d', [2, 3])] as const;
  const at = compile([slicedDistance(...inputs, input('scale', []))]);
  const a = rowsOf(normalRows(6, 1), 2);
  const d = value([1, 0.3, -2, 0.5, 1, 0.1], [2, 3]);
  const distance = (b: number[][]): number =>
    at({ a: value(a.flat(), [6, 2]), b: value(b.flat(), [6, 2]), d, scale: value([1 / 6], []) })[0]!.data[0]!;
  close(distance(a.toReversed()), 0, 1e-12, 'reversed');
  const moved = (by: number) => a.map(([p, q]) => [p! + by, q!]);
  assert.ok(distance(moved(1)) > distance(moved(0.5)) && distance(moved(0.5)) > 0);
});

test('a batch of one, as the last of an epoch may be, gives finite losses and gradients', () => {
  const all: [ObjectiveName, object, ModelSpec][] = [
    ['betaTcvae', {}, mixedSpec],
    ['betaTcvae', { sampling: 'stratified' }, mixedSpec],
    ['dipVae', { covariance: 'draws' }, mixedSpec],
    ['infoVae', {}, mixedSpec],
    ['slicedWae', {}, pointSpec],
    ['factorVae', { adversaryHidden: [4] }, mixedSpec],
  ];
  for (const [kind, options, spec] of all) {
    const { vae, losses, at } = training(spec, aim(kind, options), { batch: 1 });
    const tensors = vae.parameters.map((p) => p.tensor);
    const found = at(losses.loss, ...gradients(losses.loss, tensors));
    assert.ok(
      found.every((data) => data.every(Number.isFinite)),
      kind,
    );
  }
});
