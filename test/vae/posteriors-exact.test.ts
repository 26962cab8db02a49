/** Where the exact posterior is a Gaussian with correlations, a full covariance reaches it: the bound is then log p(x) itself. */
import { test } from 'node:test';
import { createVae, decoderGraph, evaluationGraph, importanceGraph } from '../../src/vae/index.ts';
import { evaluate, type Feeds, value } from '../reference.ts';
import { noiseFor, posterior } from './latent.ts';
import { type LinearGaussian, logDensity } from './linear-gaussian.ts';
import { linearSpec } from './models.ts';
import { close } from './training.ts';

const w = [
  [0.9, 0.7],
  [-0.4, 0.8],
  [0.5, -0.1],
] as const;
const b = [0.2, -1, 0.5];
const rows = [
  [0.1, -0.7, 1.2],
  [2, 0.4, -0.3],
];

const vae = createVae({ ...linearSpec, posterior: posterior('gaussianFull') });

/** s² as the decoder makes it of what it has learned, and the feeds of that decoder. */
function decoding(): { readonly variance: number; readonly feeds: Feeds } {
  const learned = vae.parameters.find((p) => p.name.startsWith('likelihood'))!;
  const feeds = {
    'decoder.output.weight': value([...w.map((row) => row[0]), ...w.map((row) => row[1])], [2, 3]),
    'decoder.output.bias': value(b, [3]),
    [learned.name]: value([-0.13], [1]),
  };
  const [logVar] = evaluate([decoderGraph(vae)['row.logVar']!], { ...feeds, z: value([0, 0], [1, 2]) });
  return { variance: Math.exp(logVar!.data[0]!), feeds };
}

/** N(S Wᵀ(x − b)/s², S) with S⁻¹ = I + WᵀW/s², as the layer that gives μ, log σ² and what is below the diagonal of L. */
function exactLayer(variance: number): Feeds {
  const product = (i: 0 | 1, j: 0 | 1) => w.reduce((sum, row) => sum + row[i] * row[j], 0) / variance;
  const [p, q, r] = [1 + product(0, 0), product(0, 1), 1 + product(1, 1)];
  const determinant = p * r - q * q;
  const s = [
    [r / determinant, -q / determinant],
    [-q / determinant, p / determinant],
  ] as const;
  const gain = w.map((row) => s.map((line) => (line[0] * row[0] + line[1] * row[1]) / variance)); // [D, Z]
  const first = Math.sqrt(s[0][0]);
  const below = s[1][0] / first;
  const second = Math.sqrt(s[1][1] - below ** 2);
  const means = [0, 1].map((j) => -gain.reduce((sum, line, d) => sum + line[j]! * b[d]!, 0));
  return {
    'posterior.weight': value(
      gain.flatMap((line) => [...line, 0, 0, 0]),
      [3, 5],
    ),
    'posterior.bias': value([...means, 2 * Math.log(first), 2 * Math.log(second), below], [5]),
  };
}

test('with the exact posterior every importance weight is p(x), and the closed KL makes the ELBO log p(x)', () => {
  const { variance, feeds } = decoding();
  const known: LinearGaussian = { w, b, variance };
  const fed = { ...feeds, ...exactLayer(variance), x: value(rows.flat(), [2, 3]) };
  const { logWeight } = importanceGraph(vae, 50);
  const [weights] = evaluate([logWeight!], { ...fed, ...noiseFor([logWeight!], 2) });
  weights!.data.forEach((v, i) => {
    close(v, logDensity(known, rows[i % 2]!), 1e-6, `weight ${i}`);
  });
  // log p(x|z) is a quadratic of z: ±√2 along each axis of ε give its expectation exactly
  const { logPx, kl } = evaluationGraph(vae);
  const corners = [1, -1].flatMap((sign) => [
    [sign * Math.SQRT2, 0],
    [0, sign * Math.SQRT2],
  ]);
  const elbos = corners.map((epsilon) => {
    const noise = value([...epsilon, ...epsilon], [2, 2]);
    const [px, divergence] = evaluate([logPx!, kl!], { ...fed, noise });
    return rows.map((_, i) => px!.data[i]! - divergence!.data[2 * i]! - divergence!.data[2 * i + 1]!);
  });
  rows.forEach((x, i) => {
    const elbo = elbos.reduce((sum, each) => sum + each[i]! / 4, 0);
    close(elbo, logDensity(known, x), 1e-6, `ELBO of row ${i}`);
  });
});
