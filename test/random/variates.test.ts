/** Each variate against its law at usual and extreme parameters: bins, mean, variance. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Stream, stream, truncated, type Variates, variates } from '../../src/random/index.ts';

/** A law at some parameters, from SciPy 1.17 (von Mises: mpmath). */
interface Known {
  readonly at: readonly [number] | readonly [number, number];
  readonly mean: number;
  readonly variance: number;
  /** Values up to which `below` of the mass lies: the deciles, unless said otherwise. */
  readonly edges: readonly number[];
  readonly below?: readonly number[];
}

const laws: Readonly<Record<'gamma' | 'beta' | 'poisson' | 'binomial' | 'vonMises', readonly Known[]>> = {
  gamma: [
    {
      at: [0.02],
      mean: 0.02,
      variance: 0.02,
      edges: [
        5.70681244e-51, 6.4252996e-36, 4.09690917e-27, 7.23424422e-21, 5.06866766e-16, 4.61270965e-12,
        1.02635028e-8, 8.14509993e-6, 0.00294967442,
      ],
    },
    {
      at: [0.5],
      mean: 0.5,
      variance: 0.5,
      edges: [
        0.00789538705, 0.0320923773, 0.0742359309, 0.137497949, 0.227468212, 0.35416315, 0.537097085,
        0.821187208, 1.35277173,
      ],
    },
    {
      at: [1],
      mean: 1,
      variance: 1,
      edges: [
        0.105360516,
        0.223143551,
        0.356674944,
        0.510825624,
        Math.LN2,
        0.916290732,
        1.2039728,
        1.60943791,
        Math.LN10,
      ],
    },
    {
      at: [3.7],
      mean: 3.7,
      variance: 3.7,
      edges: [
        1.54636082, 2.06439202, 2.50622614, 2.9321637, 3.37253801, 3.85534596, 4.4205282, 5.14798019,
        6.27892232,
      ],
    },
    {
      at: [50],
      mean: 50,
      variance: 50,
      edges: [
        41.1790679, 43.972668, 46.0644722, 47.9039239, 49.6670646, 51.4729721, 53.4528803, 55.8333566,
        59.2490019,
      ],
    },
    {
      at: [1000000],
      mean: 1000000,
      variance: 1000000,
      edges: [
        998718.663, 999158.282, 999475.358, 999746.341, 999999.667, 1000253.04, 1000524.16, 1000841.52,
        1001281.77,
      ],
    },
  ],
  beta: [
    {
      at: [0.01, 0.02],
      mean: 0.333333333,
      variance: 0.21574973,
      edges: [
        3.93680661e-83, 4.99049526e-53, 2.02894163e-35, 6.32620432e-23, 3.10559283e-13, 2.57192489e-5,
        0.994953364,
      ],
    },
    {
      at: [0.5, 0.5],
      mean: 0.5,
      variance: 0.125,
      edges: [
        0.0244717419, 0.0954915028, 0.206107374, 0.345491503, 0.5, 0.654508497, 0.793892626, 0.904508497,
        0.975528258,
      ],
    },
    {
      at: [1, 3],
      mean: 0.25,
      variance: 0.0375,
      edges: [
        0.0345106154, 0.0716822333, 0.112095998, 0.156567335, 0.206299474, 0.2631937, 0.33056705, 0.415196452,
        0.535841117,
      ],
    },
    {
      at: [2.5, 40],
      mean: 0.0588235294,
      variance: 0.00127272004,
      edges: [
        0.0195676025, 0.0283385203, 0.0361461635, 0.0438703453, 0.0520026376, 0.0610396957, 0.0717261425,
        0.0855779298, 0.107174543,
      ],
    },
    {
      at: [100000, 200000],
      mean: 0.333333333,
      variance: 7.40738272e-7,
      edges: [
        0.332230588, 0.332608873, 0.332881733, 0.33311494, 0.333332963, 0.333551033, 0.333784397, 0.334057577,
        0.334436554,
      ],
    },
  ],
  poisson: [
    { at: [0.001], mean: 0.001, variance: 0.001, edges: [0], below: [0.999] },
    { at: [0.5], mean: 0.5, variance: 0.5, edges: [0, 1], below: [0.606531, 0.909796] },
    {
      at: [7],
      mean: 7,
      variance: 7,
      edges: [4, 5, 6, 7, 8, 9, 10],
      below: [0.172992, 0.300708, 0.449711, 0.598714, 0.729091, 0.830496, 0.901479],
    },
    {
      at: [29.9],
      mean: 29.9,
      variance: 29.9,
      edges: [23, 25, 27, 28, 30, 31, 33, 34, 37],
      below: [0.118094, 0.213511, 0.339455, 0.410127, 0.555615, 0.62566, 0.750409, 0.802559, 0.914013],
    },
    {
      at: [30.1],
      mean: 30.1,
      variance: 30.1,
      edges: [23, 25, 27, 29, 30, 31, 33, 35, 37],
      below: [0.111278, 0.203288, 0.326349, 0.468466, 0.541088, 0.611603, 0.738428, 0.838048, 0.90789],
    },
    {
      at: [1000],
      mean: 1000,
      variance: 1000,
      edges: [960, 973, 983, 992, 1000, 1008, 1016, 1027, 1041],
      below: [0.105257, 0.20145, 0.302252, 0.408195, 0.508409, 0.607834, 0.700419, 0.808105, 0.904675],
    },
    {
      at: [10000000],
      mean: 10000000,
      variance: 10000000,
      edges: [9995947, 9997339, 9998342, 9999199, 10000000, 10000801, 10001658, 10002661, 10004053],
      below: [0.100001, 0.200088, 0.300101, 0.400099, 0.500084, 0.600061, 0.700035, 0.80001, 0.900043],
    },
  ],
  binomial: [
    { at: [1, 0.3], mean: 0.3, variance: 0.21, edges: [0], below: [0.7] },
    { at: [20, 0.999], mean: 19.98, variance: 0.01998, edges: [19], below: [0.0198111] },
    {
      at: [31, 0.5],
      mean: 15.5,
      variance: 7.75,
      edges: [12, 13, 14, 15, 16, 17, 18, 19],
      below: [0.140521, 0.236565, 0.36005, 0.5, 0.63995, 0.763435, 0.859479, 0.925194],
    },
    {
      at: [1000, 0.01],
      mean: 10,
      variance: 9.9,
      edges: [6, 7, 8, 9, 10, 11, 12, 13, 14],
      below: [0.128877, 0.218863, 0.331687, 0.457301, 0.583041, 0.69735, 0.792512, 0.865565, 0.917588],
    },
    {
      at: [10000000, 0.7],
      mean: 7000000,
      variance: 2100000,
      edges: [6998143, 6998780, 6999240, 6999633, 7000000, 7000367, 7000760, 7001220, 7001857],
      below: [0.100083, 0.20002, 0.300091, 0.400153, 0.500119, 0.600081, 0.700126, 0.800165, 0.900048],
    },
  ],
  vonMises: [
    {
      at: [0, 1e-12],
      mean: 0,
      variance: 3.28986813,
      edges: [
        -2.51327412, -1.88495559, -1.25663706, -0.628318531, 0, 0.628318531, 1.25663706, 1.88495559,
        2.51327412,
      ],
    },
    {
      at: [0, 1e-4],
      mean: 0,
      variance: 3.28966813,
      edges: [
        -2.51321534, -1.88486048, -1.25654196, -0.628259756, 0, 0.628259756, 1.25654196, 1.88486048,
        2.51321534,
      ],
    },
    {
      at: [0, 0.3],
      mean: 0,
      variance: 2.70736148,
      edges: [
        -2.30354904, -1.5891034, -0.997280226, -0.481461729, 0, 0.481461729, 0.997280226, 1.5891034,
        2.30354904,
      ],
    },
    {
      at: [0, 4],
      mean: 0,
      variance: 0.298228378,
      edges: [
        -0.679942254, -0.440776389, -0.273069033, -0.131564406, 0, 0.131564406, 0.273069033, 0.440776389,
        0.679942254,
      ],
    },
    {
      at: [0, 100],
      mean: 0,
      variance: 0.0100505506,
      edges: [
        -0.128404791, -0.0842929718, -0.0525120301, -0.0253672414, 0, 0.0253672414, 0.0525120301,
        0.0842929718, 0.128404791,
      ],
    },
    {
      at: [0, 1e5],
      mean: 0,
      variance: 1.000005e-5,
      edges: [
        -0.00405262973, -0.00266144414, -0.00165830229, -0.000801154907, 0, 0.000801154907, 0.00165830229,
        0.00266144414, 0.00405262973,
      ],
    },
    {
      at: [0, 1e9],
      mean: 0,
      variance: 1e-9,
      edges: [
        -4.05262189e-5, -2.66144003e-5, -1.65830003e-5, -8.01153885e-6, 0, 8.01153885e-6, 1.65830003e-5,
        2.66144003e-5, 4.05262189e-5,
      ],
    },
  ],
};

const COUNT = 20_000;

const drawn = (purpose: string, one: (v: Variates) => number, count = COUNT): number[] => {
  const random = variates(stream(7, purpose));
  return Array.from({ length: count }, () => one(random));
};

/** χ² of counts against expected shares, as a standard normal (Wilson & Hilferty 1931). */
function excess(counts: readonly number[], shares: readonly number[]): number {
  const total = counts.reduce((a, b) => a + b, 0);
  const chi2 = counts.reduce((sum, n, i) => sum + (n - total * shares[i]!) ** 2 / (total * shares[i]!), 0);
  const spread = 2 / (9 * (counts.length - 1));
  return (Math.cbrt(chi2 / (counts.length - 1)) - (1 - spread)) / Math.sqrt(spread);
}

for (const [name, list] of Object.entries(laws) as [keyof typeof laws, readonly Known[]][]) {
  for (const { at, mean, variance, edges, below } of list) {
    test(`${name}(${at}) fills its bins and has its mean and variance`, () => {
      const values = drawn(`${name} ${at}`, (v) => (v[name] as (...p: readonly number[]) => number)(...at));
      const cumulative = [0, ...(below ?? edges.map((_, i) => (i + 1) / 10)), 1];
      const shares = cumulative.slice(1).map((c, i) => c - cumulative[i]!);
      const counts = shares.map(() => 0);
      for (const x of values) counts[edges.filter((edge) => x > edge).length]!++;
      assert.ok(excess(counts, shares) < 4, `counts ${counts} of shares ${shares}`);
      const average = (f: (x: number) => number) => values.reduce((a, x) => a + f(x), 0) / COUNT;
      const centre = average((x) => x);
      assert.ok(Math.abs(centre - mean) <= 4.5 * Math.sqrt(variance / COUNT), `mean ${centre}`);
      const spread = average((x) => (x - mean) ** 2);
      const error = Math.sqrt(average((x) => ((x - mean) ** 2 - spread) ** 2) / COUNT);
      assert.ok(Math.abs(spread - variance) <= 4.5 * error + 1e-4 * variance, `variance ${spread}`);
    });
  }
}

test('uniforms and normals are those of the stream, one by one', () => {
  for (const kind of ['uniform', 'normal'] as const) {
    const all = new Float32Array(1500);
    stream(3, kind)[kind](all.subarray(0, 1024));
    const one = variates(stream(3, kind));
    for (let i = 0; i < 1024; i++) assert.equal(one[kind](), all[i]);
    assert.ok(Number.isFinite(one[kind]()), 'and go on after the buffer');
  }
});

test('categories are as likely as their logits say, however large these are', () => {
  for (const shift of [0, 1e4, -1e4]) {
    const logits = [0, 1, -2, 3].map((l) => l + shift);
    const counts = [0, 0, 0, 0];
    for (const i of drawn(`categories ${shift}`, (v) => v.categorical(logits))) counts[i]!++;
    const weights = [0, 1, -2, 3].map(Math.exp);
    const total = weights.reduce((a, b) => a + b, 0);
    const shares = weights.map((w) => w / total);
    assert.ok(excess(counts, shares) < 4, `counts ${counts} of shares ${shares}`);
  }
});

test('what is impossible is never drawn, and what is certain always', () => {
  const never = [Number.NEGATIVE_INFINITY, 0, -500, Number.NEGATIVE_INFINITY];
  const certain: Record<string, [(v: Variates) => number, number]> = {
    class: [(v) => v.categorical(never), 1],
    'only class': [(v) => v.categorical([-3]), 0],
    'no arrivals': [(v) => v.poisson(0), 0],
    'no trials': [(v) => v.binomial(0, 0.5), 0],
    'no chance': [(v) => v.binomial(1000, 0), 0],
    'all trials': [(v) => v.binomial(1000, 1), 1000],
  };
  for (const [what, [draw, expected]] of Object.entries(certain))
    assert.deepEqual(new Set(drawn(what, draw, 500)), new Set([expected]), what);
});

test('angles are in (−π, π], around any mean', () => {
  for (const mean of [3, -3, 40]) {
    const angles = drawn(`angle ${mean}`, (v) => v.vonMises(mean, 2));
    assert.ok(angles.every((a) => a > -Math.PI && a <= Math.PI));
    const [s, c] = [Math.sin, Math.cos].map((f) => angles.reduce((sum, a) => sum + f(a), 0));
    assert.ok(Math.abs(Math.sin(Math.atan2(s!, c!) - mean)) < 0.05, `direction ${Math.atan2(s!, c!)}`);
  }
});

test('an angle of huge concentration is its mean, a point', () => {
  for (const concentration of [1e16, 1e300])
    for (const a of drawn('point', (v) => v.vonMises(1, concentration), 50))
      assert.ok(Math.abs(a - 1) < 1e-7);
});

test('what is no parameter gives NaN and ends', () => {
  const bad: Record<string, (v: Variates) => number> = {
    gamma: (v) => v.gamma(0),
    'gamma below': (v) => v.gamma(-1),
    poisson: (v) => v.poisson(-1),
    'poisson without end': (v) => v.poisson(Number.POSITIVE_INFINITY),
    vonMises: (v) => v.vonMises(0, -1),
    'vonMises of nothing': (v) => v.vonMises(0, Number.NaN),
  };
  for (const [what, draw] of Object.entries(bad)) assert.ok(Number.isNaN(drawn(what, draw, 1)[0]), what);
});

test('a truncated stream has normal numbers without their tails, and all else as it was', () => {
  const [most, count] = [1.5, 20_000];
  const out = new Float32Array(count);
  truncated(stream(1, 'truncated'), most).normal(out);
  assert.ok(out.every((v) => Math.abs(v) <= most));
  const variance = out.reduce((sum, v) => sum + v * v, 0) / count;
  // 1 − 2 c φ(c) / (2 Φ(c) − 1) at c = 1.5
  assert.ok(Math.abs(variance - 0.551_524) < 0.015, `variance ${variance}`);
  const whole = new Float32Array(count);
  stream(1, 'truncated').normal(whole);
  whole.forEach((v, i) => {
    if (Math.abs(v) <= most) assert.equal(out[i], v);
  });
  const uniform = (of: Stream) => {
    const numbers = new Float32Array(8);
    of.uniform(numbers);
    return numbers;
  };
  assert.deepEqual(uniform(truncated(stream(2, 'same'), most)), uniform(stream(2, 'same')));
});
