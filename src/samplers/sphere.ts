/** Every direction alike, at a distance as the rows have it: for codes of an autoencoder, of which the distance alone is known. */
import { choice } from '../choice.ts';
import { variates } from '../random/index.ts';
import { logSphereArea } from '../vae/geometry/sphere.ts';
import type { RowForm, SamplerFamily, Tensors } from './sampler.ts';

/** z = c + r v with v uniform on the unit sphere and log r ~ N(m, s²). */
interface Shell {
  readonly centre: Float32Array; // [D]
  readonly mean: number;
  readonly deviation: number;
}

const shapes = ({ width }: RowForm) => ({ centre: [width], distance: [2] });

const toShell = ({ centre, distance }: Tensors): Shell => ({
  centre: centre!.data,
  mean: distance!.data[0]!,
  deviation: distance!.data[1]!,
});

const LEAST = 1e-3; // of s: rows that are all as far

/** log r of each row; one at the centre itself is taken as next to it. */
function logDistances(rows: Float32Array, centre: Float32Array): Float64Array {
  const d = centre.length;
  return new Float64Array(rows.length / d).map((_, n) => {
    let square = 0;
    for (let i = 0; i < d; i++) square += (rows[n * d + i]! - centre[i]!) ** 2;
    return 0.5 * Math.log(Math.max(square, TINY));
  });
}

const TINY = 1e-30;
const average = (values: ArrayLike<number> & Iterable<number>): number => {
  let sum = 0;
  for (const v of values) sum += v;
  return sum / values.length;
};

/** The greatest likelihood in m and s; c is the mean of the rows. */
function fitShell(rows: Float32Array, d: number): Tensors {
  const sums = new Float64Array(d);
  for (let i = 0; i < rows.length; i++) sums[i % d]! += rows[i]!;
  const centre = Float32Array.from(sums, (sum) => (sum * d) / rows.length);
  const logs = logDistances(rows, centre);
  const mean = average(logs);
  const deviation = Math.sqrt(average(logs.map((v) => (v - mean) ** 2)));
  const distance = Float32Array.of(mean, Math.max(deviation, LEAST));
  return { centre: { shape: [d], data: centre }, distance: { shape: [2], data: distance } };
}

/** log p(z) = log N(log r; m, s²) − log r − log area − (D − 1) log r: density of r by that of log r, spread over a sphere. */
function shellLogProbs({ centre, mean, deviation }: Shell, rows: Float32Array): Float64Array {
  const d = centre.length;
  const constant = -0.5 * Math.log(2 * Math.PI) - Math.log(deviation) - logSphereArea(d);
  return logDistances(rows, centre).map((v) => constant - 0.5 * ((v - mean) / deviation) ** 2 - d * v);
}

const uniformSphere = (): SamplerFamily => ({
  space: 'real',
  shapes,
  fit: async function* ({ form: { width }, train, validation }) {
    const tensors = fitShell(train.rows, width);
    const judged = ({ rows }: { readonly rows: Float32Array }) =>
      average(shellLogProbs(toShell(tensors), rows));
    yield { type: 'progress', round: 1, rounds: 1, train: judged(train), validation: judged(validation) };
    return tensors;
  },
  open: async (tensors) => {
    const shell = toShell(tensors);
    const { centre, mean, deviation } = shell;
    return {
      draw: async (count, random, temperature) => {
        const { normal } = variates(random);
        const out = new Float32Array(count * centre.length);
        for (let at = 0; at < out.length; at += centre.length) {
          const way = Float64Array.from(centre, normal);
          const length = Math.exp(mean + temperature * deviation * normal()) / Math.hypot(...way);
          way.forEach((v, i) => {
            out[at + i] = centre[i]! + length * v;
          });
        }
        return out;
      },
      logProbs: async ({ rows }) => shellLogProbs(shell, rows),
      dispose: async () => {},
    };
  },
});

export const spheres = {
  uniformSphere: choice({
    doc: 'Every direction alike from the mean of the rows, the distance log-normal.',
    options: {},
    build: uniformSphere,
  }),
};
