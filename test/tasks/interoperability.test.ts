/** The files of a model folder in other hands: Python's onnxruntime and safetensors see what the library does. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256 } from '../../src/model/index.ts';
import { stream } from '../../src/random/index.ts';
import type { Value } from '../../src/runtime/index.ts';
import { load, type Model } from '../../src/tasks/index.ts';
import { wanted } from '../../src/train/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { runPython, withoutPython } from '../python.ts';
import { idxFile, tableFile, trained } from './data.ts';

const SCRIPT = `
import hashlib, json, sys
import numpy as np, onnx, onnxruntime as ort
from safetensors.numpy import load_file
folder, inputs = sys.argv[1], json.load(open(sys.argv[2]))
result = {"weights": {k: [list(v.shape), hashlib.sha256(v.astype("<f4").tobytes()).hexdigest()]
    for k, v in load_file(f"{folder}/weights.safetensors").items()}}
for name in ["encoder", "decoder"]:
    model = onnx.load(f"{folder}/{name}.onnx")
    onnx.checker.check_model(model, full_check=True)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {i.name: np.array(inputs[i.name]["data"], np.float32).reshape(inputs[i.name]["dims"])
        for i in session.get_inputs()}
    names = [o.name for o in session.get_outputs()]
    result[name] = {n: v.ravel().tolist() for n, v in zip(names, session.run(names, feeds))}
print(json.dumps(result))
`;

interface Seen {
  readonly weights: Record<string, [number[], string]>;
  readonly encoder: Record<string, number[]>;
  readonly decoder: Record<string, number[]>;
}

const ROWS = 5;

/** Values for every input that an encoder or a decoder may have. */
function inputsOf({ vae: { spec } }: Model): Record<string, Value> {
  const make = (name: string, dims: readonly number[]): Value => {
    const data = new Float32Array(dims.reduce((a, b) => a * b, 1));
    stream(8, name).normal(data);
    return { data, dims };
  };
  const mask = { data: new Float32Array(ROWS * spec.parts.length).fill(1), dims: [ROWS, spec.parts.length] };
  mask.data[2] = 0;
  const latent = [ROWS, spec.latent];
  return { x: make('x', [ROWS, ...spec.shape]), mask, noise: make('noise', latent), z: make('z', latent) };
}

function inPython(model: Model, folder: string, inputs: Record<string, Value>): Seen {
  const plain = Object.entries(inputs).map(([name, { data, dims }]) => [
    name,
    { data: Array.from(data as Float32Array), dims },
  ]);
  const file = join(folder, 'inputs.json');
  writeFileSync(file, JSON.stringify(Object.fromEntries(plain)));
  return JSON.parse(runPython(SCRIPT, [join(folder, `${model.name}.model`), file])) as Seen;
}

function expectClose(found: readonly number[], expected: ArrayLike<number>, what: string): void {
  assert.equal(found.length, expected.length, what);
  found.forEach((v, i) => {
    assert.ok(
      Math.abs(v - expected[i]!) <= 1e-4 * Math.max(1, Math.abs(v)),
      `${what} ${i}: ${v}, here ${expected[i]}`,
    );
  });
}

const sigmoid = (l: number): number => 1 / (1 + Math.exp(-l));

/** The mean of x from the decoder's outputs, field by field, in plain arithmetic. */
function meanOf(field: string, size: number, decoder: Seen['decoder'], support: string): number[] {
  if (support === 'real') return decoder[`${field}.mean`]!;
  const logits = decoder[`${field}.logits`]!;
  if (support === 'binary') return logits.map(sigmoid);
  return logits.map((l, i) => {
    const row = logits.slice(i - (i % size), i - (i % size) + size);
    return Math.exp(l) / row.reduce((sum, v) => sum + Math.exp(v), 0);
  });
}

for (const kind of ['table', 'pictures'] as const) {
  test(`the ${kind} model's files give the library's numbers in Python`, {
    skip: withoutPython(),
  }, async () => {
    const folder = temporaryFolder();
    const data = kind === 'table' ? tableFile(folder) : idxFile(folder);
    await trained({ data, out: join(folder, 'a.model'), ...(kind === 'pictures' && { binarize: 'static' }) });
    const model = await load(join(folder, 'a.model'), { threads: 1 });
    const inputs = inputsOf(model);
    const seen = inPython(model, folder, inputs);

    const shapes = new Map(model.vae.parameters.map((p) => [p.name, p.shape]));
    assert.deepEqual(Object.keys(seen.weights).sort(), [...shapes.keys()].sort());
    for (const [name, [shape, hash]] of Object.entries(seen.weights)) {
      const { buffer, byteOffset, byteLength } = model.weights[name]!;
      assert.deepEqual(shape, shapes.get(name));
      assert.equal(hash, sha256(new Uint8Array(buffer, byteOffset, byteLength)), name);
    }

    const encoder = await model.session('encoder');
    const encoded = await encoder.run(wanted(encoder, inputs));
    assert.deepEqual(Object.keys(seen.encoder).sort(), ['logVar', 'mean', 'z']);
    for (const [name, values] of Object.entries(seen.encoder))
      expectClose(values, encoded[name]!.data as Float32Array, `encoder ${name}`);

    const { shape, parts } = model.vae.spec;
    const { mean } = await (await model.session('mean')).run({ z: inputs['z']! });
    const width = shape.at(-1)!;
    for (const { field, start, size, law } of parts) {
      const own = (mean!.data as Float32Array).filter(
        (_, i) => i % width >= start && i % width < start + size,
      );
      expectClose(meanOf(field, size, seen.decoder, law.support), own, `decoder ${field}`);
    }
    await model.dispose();
  });
}
