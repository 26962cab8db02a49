/** The von Mises–Fisher law: normaliser, KL, quantiles of the angle. Numbers are of SciPy 1.17.1. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, input, sum } from '../../src/graph/index.ts';
import { angleLaw, logSphereArea } from '../../src/vae/geometry/sphere.ts';
import { uniformSphere, vonMisesFisher } from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { open } from '../graph/ort.ts';
import { evaluate, value } from '../reference.ts';
import { close } from './training.ts';

test('areas of spheres are those of circle, sphere and beyond', () => {
  const areas = [2, 2 * Math.PI, 4 * Math.PI, 2 * Math.PI ** 2, (8 * Math.PI ** 2) / 3];
  areas.forEach((area, i) => {
    close(Math.exp(logSphereArea(i + 1)), area, 1e-12 * area, `of ${i + 1} dimensions`);
  });
});

/**
 * n, κ, the KL to the uniform (κ A + log C + log area with A and C from scipy.special.ive) and
 * scipy.stats.vonmises_fisher([1, 0, …], κ).logpdf([0.6, 0.8, 0, …]).
 */
const references = [
  [2, 0.3, 0.022126539460220807, -1.6802517550313874],
  [2, 40, 2.2570067921016603, -15.077663927761705],
  [3, 1.5, 0.30686855908457833, -1.9813427773584809],
  [5, 12, 2.742268658243693, -3.418929456297672],
  [10, 100, 11.35021620371448, -27.468043863869227],
  [40, 25, 5.296500344934863, 23.962730281563054],
  [3, 20_000, 9.59663473309568, -7991.934389513874],
] as const;

for (const [n, kappa, kl, logP] of references)
  test(`in ${n} dimensions with κ = ${kappa} the density and the KL are those of SciPy, in float32 too`, async () => {
    const q = vonMisesFisher(input('mean', ['B', n]), input('kappa', ['B', 1]));
    const outputs = { kl: uniformSphere(n).kl!(q)!, logP: q.logProb!(input('z', [1, 'B', n])) };
    const feeds = {
      mean: value([1, ...Array<number>(n - 1).fill(0)], [1, n]),
      kappa: value([kappa], [1, 1]),
      z: value([0.6, 0.8, ...Array<number>(n - 2).fill(0)], [1, 1, n]),
    };
    const [a, b] = evaluate(Object.values(outputs), feeds);
    close(a!.data[0]!, kl, 1e-6, 'KL');
    close(b!.data[0]!, logP, 2e-7 * Math.max(1, Math.abs(logP)), 'log density');
    const session = await open(outputs);
    const single = await session.run(feeds);
    close(single['kl']!.data[0]!, kl, 2e-5, 'KL in float32');
    close(single['logP']!.data[0]!, logP, 1e-6 * Math.max(20, Math.abs(logP)), 'log density in float32');
    await session.release();
  });

const LEVELS = [0.001, 0.2, 0.5, 0.95];

/** The angle at each level, of one κ. */
function quantilesOf(n: number, kappa: number): number[] {
  const u = input('u', [LEVELS.length, 'B', 1]);
  const theta = angleLaw(input('kappa', ['B', 1]), n).quantile(u);
  const feeds = { kappa: value([kappa], [1, 1]), u: value(LEVELS, [LEVELS.length, 1, 1]) };
  return [...evaluate([theta], feeds)[0]!.data];
}

test('quantiles are those of the laws that have a name', () => {
  const named: readonly (readonly [number, number, readonly number[]])[] = [
    [4, 0, [0.16796960188204507, 1.0565694794504896, 1.5707963267948968, 2.507118721173485]], // scipy.stats.beta(1.5, 1.5)
    [7, 0, [0.43966053259982874, 1.216634722563612, 1.5707963267948968, 2.2414385470935767]], // scipy.stats.beta(3, 3)
    [2, 4, [0.0006503158983466371, 0.1315644060817285, 0.3520552735719153, 1.076458438054465]], // scipy.stats.vonmises(4)
  ];
  for (const [n, kappa, expected] of named)
    quantilesOf(n, kappa).forEach((theta, i) => {
      close(theta, expected[i]!, 1e-6, `n ${n}, u ${LEVELS[i]}`);
    });
});

test('in three dimensions cos θ is 1 + log(1 − u (1 − e^(−2κ)))/κ, for κ small and large', () => {
  for (const kappa of [0.01, 2, 300, 1e6])
    quantilesOf(3, kappa).forEach((theta, i) => {
      const fall = -Math.log1p(LEVELS[i]! * Math.expm1(-2 * kappa)) / kappa; // 1 − cos θ
      const exact = 2 * Math.asin(Math.sqrt(fall / 2));
      close(theta, exact, 1e-6 * exact, `κ ${kappa}, u ${LEVELS[i]}`);
    });
});

test('the gradient of a draw with respect to κ is that of its quantile', () => {
  for (const n of [2, 3, 8]) {
    const [kappa, u] = [input('kappa', ['B', 1]), input('u', [5, 'B', 1])];
    const levels = [0.03, 0.3, 0.5, 0.8, 0.99].flatMap((level) => [level, level / 2, 1 - level / 2]);
    const feeds = { kappa: value([0.4, 6, 90], [3, 1]), u: value(levels, [5, 3, 1]) };
    checkGradients(sum(angleLaw(kappa, n).quantile(u)), [kappa], feeds, { tolerance: 3e-6 });
  }
});

test('float32 angles stay in order and near the true ones at the ends of (0, 1)', async () => {
  const levels = [6e-8, 1e-5, 0.1, 0.5, 0.9, 1 - 1e-5, 1 - 6e-8];
  const kappas = [0, 1e-3, 1, 100, 1e4, 1e8];
  const [kappa, u] = [input('kappa', ['B', 1]), input('u', [levels.length, 'B', 1])];
  for (const n of [2, 3, 16]) {
    const theta = angleLaw(kappa, n).quantile(u);
    const outputs = { theta, slope: gradients(sum(theta), [kappa])[0]! };
    const feeds = {
      kappa: value(kappas, [kappas.length, 1]),
      u: value(
        levels.flatMap((level) => kappas.map(() => level)),
        [levels.length, kappas.length, 1],
      ),
    };
    const [exact] = evaluate([theta], feeds);
    const session = await open(outputs);
    const { theta: found, slope } = await session.run(feeds);
    await session.release();
    assert.ok(slope!.data.every(Number.isFinite));
    kappas.forEach((k, j) => {
      const at = (i: number) => found!.data[i * kappas.length + j]!;
      const what = `n ${n}, κ ${k}`;
      for (let i = 1; i < levels.length; i++) assert.ok(at(i) > at(i - 1), `${what}: ${at(i - 1)}, ${at(i)}`);
      for (const i of [1, 2, 3, 4, 5]) {
        const expected = exact!.data[i * kappas.length + j]!;
        close(at(i), expected, 0.01 * expected, `${what}, u ${levels[i]}`);
      }
    });
  }
});
