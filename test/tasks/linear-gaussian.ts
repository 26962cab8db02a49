/** The model whose log p(x) is known, as the tasks have it, and rows drawn from it. */
import { parseConfig } from '../../src/config/index.ts';
import { parseSchema } from '../../src/data/index.ts';
import { stream } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { createModel, type Model } from '../../src/tasks/model.ts';
import { decoderGraph } from '../../src/vae/index.ts';
import { put } from '../data/files.ts';
import { evaluate as interpret, value } from '../reference.ts';
import { exactPosterior, type LinearGaussian } from '../vae/linear-gaussian.ts';

const NAMES = ['a', 'b', 'c'];

/** Numbers that the model sees as they are. */
const schemaOf = (missing: boolean) =>
  parseSchema({
    version: 1,
    fields: NAMES.map((name) => ({
      name,
      role: 'model',
      type: 'number',
      missing,
      min: -100,
      max: 100,
      distinct: 100,
      decimals: null,
      transform: { kind: 'standard', mean: 0, sd: 1 },
    })),
  });

const config = parseConfig({
  network: { kind: 'mlp', hidden: [1] },
  likelihood: 'gaussianShared',
  latent: 2,
  objective: { kind: 'elbo' },
  warmup: { kind: 'none' },
  optimizer: { kind: 'adam' },
  schedule: { kind: 'constant' },
  epochs: 1,
  batchSize: 10,
  seed: 0,
});

/** Columns of W at right angles, as the exact posterior asks. */
const truth = (variance: number): LinearGaussian => ({
  w: [
    [0.8, 0.3],
    [-0.4, 0.6],
    [0.5, 0],
  ],
  b: [0.2, -1, 0.5],
  variance,
});

/**
 * A model with no hidden layer and the posterior `off` from the exact one; with `missing` it takes gaps, and the posterior is
 * wide enough for a row of them.
 */
export function modelOf(off: number, missing = false): { model: Model; exact: LinearGaussian } {
  const linear = { ...config, network: { ...config.network, hidden: [] } } as typeof config;
  const parts = {
    name: 'linear',
    config: linear,
    schema: schemaOf(missing),
    runtime: nodeRuntime({ threads: 1 }),
  };
  const { vae } = createModel({ ...parts, weights: {} });
  const raw = vae.parameters.find((p) => p.name.endsWith('logVar'))!.name;
  const zeros = vae.parameters.map((p) => [
    p.name,
    value(new Float32Array(p.shape.reduce((a, b) => a * b, 1)), p.shape),
  ]);
  const feeds = { ...Object.fromEntries(zeros), z: value([0, 0], [1, 2]) };
  const exact = truth(Math.exp(interpret([decoderGraph(vae)['a.logVar']!], feeds)[0]!.data[0]!));
  const { weight, bias } = exactPosterior(exact);
  if (missing) {
    weight.push(...Array<number>(NAMES.length * bias.length).fill(0)); // of the mask
    bias.fill(Math.log(1.5), bias.length / 2);
  }
  const moved = (values: readonly number[]) => Float32Array.from(values, (v, i) => v + off * Math.cos(3 * i));
  const weights = {
    'posterior.weight': moved(weight),
    'posterior.bias': moved(bias),
    'decoder.output.weight': Float32Array.from(exact.w[0]!.flatMap((_, j) => exact.w.map((row) => row[j]!))),
    'decoder.output.bias': Float32Array.from(exact.b),
    [raw]: new Float32Array(1),
  };
  return { model: createModel({ ...parts, weights }), exact };
}

/** Rows from the model itself, and their mean log p(x). */
export function rowsOf({ w, b, variance }: LinearGaussian, count: number): number[][] {
  const noise = new Float32Array(count * 5);
  stream(3, 'rows').normal(noise);
  return Array.from({ length: count }, (_, i) => {
    const [z1, z2, ...e] = noise.subarray(5 * i, 5 * i + 5);
    return w.map((row, d) => b[d]! + row[0]! * z1! + row[1]! * z2! + Math.sqrt(variance) * e[d]!);
  });
}

/** Rows as a CSV file. */
export const rowsFile = (folder: string, rows: readonly (readonly number[])[]): string =>
  put(
    folder,
    'rows.csv',
    [NAMES.join(), ...rows.map((row) => row.map((v) => v.toFixed(9)).join())].join('\n'),
  );
