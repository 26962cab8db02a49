/** Quantised posteriors: nearest codes, running means, straight-through gradients, levels, entropy, the constant KL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, input, mul, sum, type Tensor } from '../../src/graph/index.ts';
import { parameters } from '../../src/nn/index.ts';
import {
  entriesOf,
  evaluationGraph,
  gradientName,
  lookUp,
  lookUpGraph,
  type ModelSpec,
  make,
  nearest,
  objectives,
  observation,
  type PosteriorFamily,
  posteriors,
  priorGraph,
  priors,
  symbolGraph,
  terms,
  trainingGraph,
} from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { expectClose, runOnce } from '../graph/ort.ts';
import { evaluate, type Feeds, value } from '../reference.ts';
import { mixedSpec, small } from './models.ts';

const close = (actual: ArrayLike<number>, expected: readonly number[], by = 1e-6) => {
  assert.equal(actual.length, expected.length);
  expected.forEach((v, i) => {
    assert.ok(Math.abs(actual[i]! - v) <= by, `element ${i} is ${actual[i]}, expected ${v}`);
  });
};

/** A posterior of one position for each row of x [n, d], whose layer between features and codes is the identity. */
function posteriorOf(family: PosteriorFamily, rows: readonly (readonly number[])[], more: Feeds = {}) {
  const [n, d] = [rows.length, rows[0]!.length];
  const scope = parameters().root.at('posterior');
  const x = input('x', ['B', d]);
  const posterior = family.build(x, d, { scope, progress: input('progress', []), scale: input('scale', []) });
  const identity = Array.from({ length: d * d }, (_, i) => Number(i % (d + 1) === 0));
  const feeds: Feeds = {
    x: value(rows.flat(), [n, d]),
    scale: value([1 / n], []),
    progress: value([0.5], []),
    'posterior.weight': value(identity, [d, d]),
    'posterior.bias': value(Array<number>(d).fill(0), [d]),
    ...more,
  };
  const at = (...tensors: readonly Tensor[]) => evaluate(tensors, feeds).map(({ data }) => [...data]);
  return { x, posterior, at, codes: family.codes!(d, scope), ...posterior.draw(1) };
}

/** Running means after each entry has been used `counts` times. */
function bookState(book: readonly (readonly number[])[], counts: readonly number[], stage = 0): Feeds {
  const sums = book.flatMap((entry, i) => entry.map((v) => v * counts[i]!));
  return {
    [`posterior.books.${stage}.counts`]: value(counts, [counts.length]),
    [`posterior.books.${stage}.sums`]: value(sums, [book.length, book[0]!.length]),
  };
}

const BOOK = [
  [0, 0],
  [1, 1],
  [-2, 0.5],
];
const vq = (options: object = {}) =>
  make(posteriors.vq, { codes: 3, dim: 2, decay: 0.9, revive: 0.1, ...options });
const used = bookState(BOOK, [4, 2, 8]);

test('the nearest entry is that of the least distance, the first of several', () => {
  const [found] = evaluate([nearest(input('x', ['B', 2]), input('book', [3, 2]))], {
    // (−1, 0.4) is 1.16 from (0, 0) and 1.01 from (−2, 0.5); (0.5, 0.5) is as far from both of the first
    x: value([0.4, 0.3, 0.9, 2, -1, 0.4, 0.5, 0.5], [4, 2]),
    book: value(BOOK.flat(), [3, 2]),
  });
  assert.deepEqual([...found!.data], [0, 1, 2, 0]);
});

test('vq: z is the nearest code, in every sample, with log q = 0', () => {
  const { posterior, at } = posteriorOf(vq(), [[0.9, 1.3], [-1.5, 0]], used); // biome-ignore format: rows
  const { z, symbols, logQz } = posterior.draw(2);
  const [drawn, found, mean, log] = at(z, symbols!, posterior.mean, logQz);
  close(drawn!, [1, 1, -2, 0.5, 1, 1, -2, 0.5]);
  assert.deepEqual(found, [1, 2, 1, 2]);
  close(mean!, [1, 1, -2, 0.5]);
  close(log!, [0, 0, 0, 0]);
});

test('vq: the encoder gets the gradient for z as it is, and that of the commitment', () => {
  const { x, z, posterior, at } = posteriorOf(
    vq({ commitment: 0.5 }),
    [
      [0.9, 1.3],
      [-1.5, 0],
    ],
    {
      ...used,
      along: value([3, -1, 0.5, 2], [1, 2, 2]),
    },
  );
  const { commitment } = posterior.penalties!;
  const [through] = gradients(sum(mul(z, input('along', [1, 'B', 2]))), [x]);
  const [pull] = gradients(commitment!, [x]);
  const [straight, drawn, penalty] = at(through!, pull!, commitment!);
  close(straight!, [3, -1, 0.5, 2]);
  close(penalty!, [(0.5 * (0.01 + 0.09 + 0.25 + 0.25)) / 2]); // β ‖x − e‖², a mean over two rows
  close(drawn!, [0.5 * -0.1, 0.5 * 0.3, 0.5 * 0.5, 0.5 * -0.5]); // β (x − e)
});

/** N′ = γN + (1 − γ)n and m′ = γm + (1 − γ)Σx with γ = 0.9, in plain arithmetic. */
test('vq: counts and sums follow what is quantised, and an idle code becomes a row', () => {
  const rows = [[0.9, 1.3], [1.1, 0.9], [-1.5, 0], [0.8, 1]]; // biome-ignore format: rows
  const before = bookState(BOOK, [0.1, 2, 8]);
  const picks = { 'noise.posterior.books.0': value([0.7, 0.1, 0.4], [3]) }; // 0.7 · 4 rows: row 2
  const { posterior, at } = posteriorOf(vq(), rows, { ...before, ...picks });
  const updates = posterior.updates!;
  assert.deepEqual(Object.keys(updates), ['posterior.books.0.counts', 'posterior.books.0.sums']);
  const [counts, sums] = at(...Object.values(updates));
  const followed = [0.09, 0.9 * 2 + 0.1 * 3, 0.9 * 8 + 0.1];
  const average = followed.reduce((a, b) => a + b) / 3;
  assert.ok(followed[0]! < 0.1 * average && followed[1]! > 0.1 * average, 'only the first is idle');
  close(counts!, [average, followed[1]!, followed[2]!]);
  const second = [0.9 * 2 + 0.1 * (0.9 + 1.1 + 0.8), 0.9 * 2 + 0.1 * (1.3 + 0.9 + 1)];
  const third = [0.9 * -16 + 0.1 * -1.5, 0.9 * 4];
  close(sums!, [-1.5 * average, 0, ...second, ...third]);
});

test('vq: the first step makes a codebook of rows', () => {
  const rows = [[0.9, 1.3], [1.1, 0.9], [-1.5, 0.2], [0.8, 1]]; // biome-ignore format: rows
  const nothing = bookState(BOOK, [0, 0, 0]);
  const picks = { 'noise.posterior.books.0': value([0.999999, 0.3, 0.6], [3]) };
  const { posterior, at, z } = posteriorOf(vq(), rows, { ...nothing, ...picks });
  const [counts, sums, zs] = at(...Object.values(posterior.updates!), z);
  const entry = (i: number) => [sums![2 * i]! / counts![i]!, sums![2 * i + 1]! / counts![i]!];
  assert.ok(
    zs!.every((v) => v === 0),
    'before it, every entry is 0',
  );
  close(entry(0), [(0.9 + 1.1 - 1.5 + 0.8) / 4, (1.3 + 0.9 + 0.2 + 1) / 4]); // all were nearest to the first
  close(entry(1), rows[1]!);
  close(entry(2), rows[2]!);
});

test('residual vq: each stage takes what is left, and z is their sum', () => {
  const family = make(posteriors.residualVq, { codes: 3, dim: 2, stages: 2, decay: 0.9, revive: 0 });
  const fine = [[0, 0], [0.2, 0.2], [-0.2, 0]]; // biome-ignore format: rows
  const picks = {
    'noise.posterior.books.0': value([0, 0, 0], [3]),
    'noise.posterior.books.1': value([0, 0, 0], [3]),
  };
  const rows = [[1.25, 1.15], [-2.3, 0.5]]; // biome-ignore format: rows
  const { posterior, at, z, symbols } = posteriorOf(family, rows, {
    ...used,
    ...bookState(fine, [1, 1, 1], 1),
    ...picks,
  });
  const [drawn, found, commitment, , , counts, sums] = at(
    z,
    symbols!,
    posterior.penalties!['commitment']!,
    ...Object.values(posterior.updates!),
  );
  assert.deepEqual(found, [1, 1, 2, 2]);
  close(drawn!, [1.2, 1.2, -2.2, 0.5]);
  // left before each stage's code: (0.25, 0.15), (−0.3, 0); after the second: (0.05, −0.05), (−0.1, 0)
  close(commitment!, [(0.25 * (0.0625 + 0.0225 + 0.09 + 0.0025 + 0.0025 + 0.01)) / 2]);
  close(counts!, [0.9, 1, 1]);
  close(sums!, [0, 0, 0.9 * 0.2 + 0.1 * 0.25, 0.9 * 0.2 + 0.1 * 0.15, 0.9 * -0.2 + 0.1 * -0.3, 0]);
});

test('fsq: each dimension takes one of its levels, evenly spaced and bounded', () => {
  const family = make(posteriors.fsq, { levels: [5, 4, 2] });
  const rows = [[0, 0, 0], [100, 100, 100], [-100, -100, -100], [0.6, -0.4, 0.3]]; // biome-ignore format: rows
  const { x, z, symbols, posterior, at, codes } = posteriorOf(family, rows, {
    along: value([1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 5], [1, 4, 3]),
  });
  const [drawn, found] = at(z, symbols!);
  // levels −2 … 2 over 2, −2 … 1 over 2, −1 … 0 over 1; numbers are counted from the lowest, the first fastest
  close(drawn!.slice(0, 9), [0, 0, 0, 1, 0.5, 0, -1, -1, -1]);
  assert.deepEqual(found!.slice(0, 3), [2 + 5 * 2 + 20, 4 + 5 * 3 + 20 * 1, 0]);
  assert.equal(entriesOf(codes), 40);
  assert.deepEqual(posterior.penalties, {});
  const [slope] = gradients(sum(mul(z, input('along', [1, 'B', 3]))), [x]);
  const half = 2 * 0.999; // (5 − 1)(1 − ε)/2, and the value is divided by ⌊5/2⌋
  const expected = 2 * (half / 2) * (1 - Math.tanh(0.6) ** 2);
  close([at(slope!)[0]![9]!], [expected]);
});

test('fsq: an even number of levels is climbed one by one', () => {
  const rows = Array.from({ length: 2001 }, (_, i) => [(i - 1000) / 250]);
  const { z, at } = posteriorOf(make(posteriors.fsq, { levels: [8] }), rows);
  const values = at(z)[0]!;
  assert.deepEqual([...new Set(values)], [-1, -0.75, -0.5, -0.25, 0, 0.25, 0.5, 0.75]);
  for (let i = 1; i < values.length; i++) assert.ok(values[i]! >= values[i - 1]!, 'it never falls');
});

/** H of a distribution, nats. */
const entropyOf = (p: readonly number[]) => -p.reduce((h, v) => h + (v > 0 ? v * Math.log(v) : 0), 0);

test('lfq: signs, the symbol of their bits, and the entropy penalty by its formula', () => {
  const rows = [[0.3, -1.2], [-0.1, -0.4], [2, 0.7]]; // biome-ignore format: rows
  const family = make(posteriors.lfq, { dim: 2, entropy: 0.3, commitment: 0.5 });
  const { z, symbols, posterior, at } = posteriorOf(family, rows);
  const { entropy, commitment } = posterior.penalties!;
  const [drawn, found, gap, distance] = at(z, symbols!, entropy!, commitment!);
  assert.deepEqual(drawn, [1, -1, -1, -1, 1, 1]);
  assert.deepEqual(found, [1, 0, 3]);
  const corners = [[-1, -1], [1, -1], [-1, 1], [1, 1]]; // biome-ignore format: rows
  const each = rows.map((row) => {
    const e = corners.map((c) => Math.exp(-c.reduce((d, v, j) => d + (row[j]! - v) ** 2, 0)));
    const total = e.reduce((a, b) => a + b);
    return e.map((v) => v / total);
  });
  const mean = corners.map((_, k) => each.reduce((a, p) => a + p[k]! / rows.length, 0));
  const sure = each.reduce((a, p) => a + entropyOf(p) / rows.length, 0);
  close(gap!, [0.3 * (sure - entropyOf(mean))]);
  const squares = rows.flatMap((row, i) => row.map((v, j) => (v - drawn![2 * i + j]!) ** 2));
  close(distance!, [(0.5 * squares.reduce((a, b) => a + b)) / 3]);
});

test('lfq: the penalties pull at the encoder as central differences say', () => {
  const { x, posterior } = posteriorOf(make(posteriors.lfq, { dim: 3, entropy: 1 }), [[0.3, -1.2, 0.4]]);
  const feeds = {
    x: value([0.3, -1.2, 0.4, 1, 0.2, -0.7], [2, 3]),
    scale: value([0.5], []),
    'posterior.weight': value([1, 0, 0, 0, 1, 0, 0, 0, 1], [3, 3]),
    'posterior.bias': value([0, 0, 0], [3]),
  };
  for (const penalty of Object.values(posterior.penalties!)) checkGradients(penalty, [x], feeds);
});

const options = { codes: 6, dim: 2 };
const families: Record<string, PosteriorFamily> = {
  vq: make(posteriors.vq, options),
  residualVq: make(posteriors.residualVq, { ...options, stages: 3 }),
  fsq: make(posteriors.fsq, { levels: [3, 4] }),
  lfq: make(posteriors.lfq, { dim: 2 }),
};
const elbo = make(objectives.elbo);

/** Three positions; codebooks as after a while of training. */
function modelOf(posterior: PosteriorFamily) {
  const spec: ModelSpec = { ...mixedSpec, latent: 6, posterior, prior: make(priors.uniform) };
  const { vae, feeds } = small(spec);
  const state = [0, 1, 2].map((stage) => {
    const book = Array.from({ length: 6 }, (_, i) => [Math.sin(3 * i + stage), Math.cos(5 * i)]);
    return bookState(book, [1, 5, 2, 1, 3, 1], stage);
  });
  const picks = [0, 1, 2].map((stage) => [
    `noise.posterior.books.${stage}`,
    value([0.1, 0.3, 0.5, 0.7, 0.9, 0.2], [6]),
  ]);
  return { vae, feeds: { ...feeds, ...Object.fromEntries(picks), ...Object.assign({}, ...state) } as Feeds };
}

for (const [name, family] of Object.entries(families)) {
  test(`${name}: the KL is log K for each symbol, and z is what its symbols decode to`, () => {
    const { vae, feeds } = modelOf(family);
    const [level] = terms(vae, observation(vae.spec), { samples: 1, progress: 1 }).levels;
    const symbols = level!.symbols!.shape[2] as number;
    const nats = Math.log(entriesOf(vae.codes!));
    const [kl, logPz, z, found] = evaluate([level!.kl, level!.logPz, level!.z, level!.symbols!], feeds);
    close(kl!.data, Array<number>(3 * symbols).fill(nats));
    close(logPz!.data, Array<number>(3).fill(-symbols * nats));
    const back = lookUp(vae.codes!, input('symbols', ['B', symbols], 'int64'));
    const given = { ...feeds, symbols: value(found!.data, [3, symbols], 'int64') };
    close(evaluate([back], given)[0]!.data, [...z!.data], 1e-9);
  });

  test(`${name}: evaluation counts each entry of each book, and symbols go out and come back`, () => {
    const { vae, feeds } = modelOf(family);
    const [books, entries] = [vae.codes!.books.length, entriesOf(vae.codes!)];
    const { codes } = evaluationGraph(vae);
    const { symbols } = symbolGraph(vae);
    const [mean] = [vae.encode(observation(vae.spec)).mean];
    const [counted, found, z] = evaluate([codes!, symbols!, mean], feeds);
    const expected = Array<number>(3 * books * entries).fill(0);
    found!.data.forEach((symbol, i) => {
      const row = Math.floor(i / (3 * books));
      expected[(row * books + (i % books)) * entries + symbol]! += 1;
    });
    assert.deepEqual([...counted!.data], expected);
    const [back] = evaluate([lookUpGraph(vae)['z']!], { ...feeds, symbols: found! });
    close(back!.data, [...z!.data], 1e-9);
  });

  test(`${name}: ONNX Runtime gives what the reference does, updates included`, async () => {
    const { vae, feeds } = modelOf(family);
    const { outputs, updated } = trainingGraph(vae, elbo);
    const expected = evaluate(Object.values(outputs), feeds);
    const found = await runOnce(outputs, feeds);
    Object.keys(outputs).forEach((key, i) => {
      expectClose(found[key]!, expected[i]!, `${name}, ${key}`);
    });
    const rules = vae.parameters.map((p) => p.name).filter((p) => p.startsWith('posterior.books'));
    assert.deepEqual([...updated].sort(), [...rules].sort());
    for (const rule of rules) assert.ok(outputs[gradientName(rule)], rule);
  });

  test(`${name}: the gradient of the decoder is that of central differences, the encoder has one`, () => {
    const { vae, feeds } = modelOf(family);
    const { outputs } = trainingGraph(vae, elbo);
    const decoder = vae.parameters.filter((p) => p.name.startsWith('decoder.'));
    checkGradients(
      outputs['loss']!,
      decoder.map((p) => p.tensor),
      feeds,
    );
    const [encoder] = evaluate([outputs[gradientName('encoder.0.weight')]!], feeds);
    assert.ok(encoder!.data.some((v) => v !== 0));
  });

  test(`${name}: the prior draws each entry as often`, () => {
    const { vae, feeds } = modelOf(family);
    const entries = entriesOf(vae.codes!);
    const symbols = terms(vae, observation(vae.spec), { samples: 1, progress: 1 }).levels[0]!.symbols!
      .shape[2] as number;
    const u = Array.from({ length: entries * symbols }, (_, i) => (Math.floor(i / symbols) + 0.5) / entries);
    const [z] = evaluate([priorGraph(vae)['z']!], { ...feeds, noise: value(u, [entries, symbols]) });
    const rows = Array.from({ length: entries }, (_, k) => z!.data.slice(6 * k, 6 * k + 2).join());
    assert.equal(new Set(rows).size, entries, 'each entry once');
  });
}
