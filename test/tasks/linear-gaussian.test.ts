/** `evaluate` on the model whose log p(x) is known, through files and ONNX Runtime. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../src/config/index.ts';
import { parseSchema } from '../../src/data/index.ts';
import { stream } from '../../src/random/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { evaluate } from '../../src/tasks/index.ts';
import { createModel, type Model } from '../../src/tasks/model.ts';
import { decoderGraph } from '../../src/vae/index.ts';
import { put, temporaryFolder } from '../data/files.ts';
import { evaluate as interpret, value } from '../reference.ts';
import { exactPosterior, type LinearGaussian, logDensity } from '../vae/linear-gaussian.ts';

const NAMES = ['a', 'b', 'c'];

/** Numbers that the model sees as they are. */
const schema = parseSchema({
  version: 1,
  fields: NAMES.map((name) => ({
    name,
    role: 'model',
    type: 'number',
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

/** A model with no hidden layer and the posterior `off` from the exact one. */
function modelOf(off: number): { model: Model; exact: LinearGaussian } {
  const linear = { ...config, network: { ...config.network, hidden: [] } } as typeof config;
  const parts = { name: 'linear', config: linear, schema, runtime: nodeRuntime({ threads: 1 }) };
  const { vae } = createModel({ ...parts, weights: {} });
  const raw = vae.parameters.find((p) => p.name.endsWith('logVar'))!.name;
  const zeros = vae.parameters.map((p) => [
    p.name,
    value(new Float32Array(p.shape.reduce((a, b) => a * b, 1)), p.shape),
  ]);
  const feeds = { ...Object.fromEntries(zeros), z: value([0, 0], [1, 2]) };
  const exact = truth(Math.exp(interpret([decoderGraph(vae)['a.logVar']!], feeds)[0]!.data[0]!));
  const { weight, bias } = exactPosterior(exact);
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
function rowsOf({ w, b, variance }: LinearGaussian, count: number): number[][] {
  const noise = new Float32Array(count * 5);
  stream(3, 'rows').normal(noise);
  return Array.from({ length: count }, (_, i) => {
    const [z1, z2, ...e] = noise.subarray(5 * i, 5 * i + 5);
    return w.map((row, d) => b[d]! + row[0]! * z1! + row[1]! * z2! + Math.sqrt(variance) * e[d]!);
  });
}

test('log p(x) by importance sampling is the exact one, above the ELBO where the posterior is off', async () => {
  const folder = temporaryFolder();
  for (const off of [0, 0.15]) {
    const { model, exact } = modelOf(off);
    const rows = rowsOf(exact, 230);
    const text = [NAMES.join(), ...rows.map((row) => row.map((v) => v.toFixed(9)).join())].join('\n');
    const path = put(folder, 'rows.csv', text);
    const expected = rows.reduce((sum, row) => sum + logDensity(exact, row), 0) / rows.length;
    const { negativeElbo, logLikelihood } = await evaluate(model, path, { split: 'all', samples: 500 });
    const { mean, low, high } = logLikelihood!;
    assert.ok(Math.abs(mean - expected) < (off === 0 ? 1e-4 : 0.005), `${mean}, expected ${expected}`);
    assert.ok(low < expected && expected < high);
    if (off === 0) assert.ok(Math.abs(-negativeElbo - expected) < 0.1, `ELBO ${-negativeElbo}`);
    else assert.ok(-negativeElbo < expected - 0.02, `ELBO ${-negativeElbo}, log p(x) ${expected}`);
    await model.dispose();
  }
});
