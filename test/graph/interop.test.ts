/** The bytes that are written are ONNX as others read it: Python's checker accepts them, its runtime agrees. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gradients, input, mean, square, type Tensor, toFloat, toOnnx } from '../../src/graph/index.ts';
import { draw, random } from '../check.ts';
import { runPython, withoutPython } from '../python.ts';
import { compile, type Value, value } from '../reference.ts';
import { cases } from './cases.ts';
import { expectClose, type Outputs, open } from './ort.ts';

const SCRIPT = `
import json, os, sys
import numpy as np, onnx, onnxruntime as ort
folder = sys.argv[1]
path = os.path.join(folder, 'model.onnx')
onnx.checker.check_model(path, full_check=True)
options = ort.SessionOptions()
options.intra_op_num_threads = 1
options.log_severity_level = 3
session = ort.InferenceSession(path, options, providers=['CPUExecutionProvider'])
types = {'float32': np.float32, 'int64': np.int64, 'bool': np.bool_}
feeds = json.load(open(os.path.join(folder, 'feeds.json')))
feeds = {k: np.array(v['data'], types[v['dtype']]).reshape(v['shape']) for k, v in feeds.items()}
names = [o.name for o in session.get_outputs()]
results = session.run(names, {i.name: feeds[i.name] for i in session.get_inputs()})
out = {n: {'data': r.reshape(-1).tolist(), 'shape': list(r.shape), 'dtype': str(r.dtype)} for n, r in zip(names, results)}
json.dump(out, open(os.path.join(folder, 'results.json'), 'w'))
print(onnx.__version__, ort.__version__)
`;

/** One model of every op, each in several cases, and of their gradients. */
function everything(): { outputs: Outputs; feeds: Record<string, Value> } {
  const outputs: Record<string, Tensor> = {};
  const feeds: Record<string, Value> = {};
  const next = random(5);
  for (const [op, list] of Object.entries(cases)) {
    list.forEach(({ inputs, build }, i) => {
      if (i % 4 > 0) return;
      const xs = inputs.map(({ shape, dtype }, k) => input(`${op}.${i}.x${k}`, shape, dtype));
      for (const [k, x] of xs.entries()) feeds[x.name!] = draw(inputs[k]!, 3, next);
      const y = build(...xs);
      const floats = xs.filter((x) => x.dtype === 'float32');
      outputs[`${op}.${i}.y`] = y;
      const loss = mean(square(y.dtype === 'float32' ? y : toFloat(y)));
      for (const [k, dx] of gradients(loss, floats).entries()) outputs[`${op}.${i}.d${floats[k]!.name}`] = dx;
    });
  }
  return { outputs, feeds };
}

function runInPython(outputs: Outputs, feeds: Record<string, Value>): Record<string, Value> {
  const folder = mkdtempSync(join(tmpdir(), 'elbo-interop-'));
  try {
    const plain = Object.entries(feeds).map(([k, v]) => [k, { ...v, data: [...v.data] }]);
    writeFileSync(join(folder, 'model.onnx'), toOnnx(outputs));
    writeFileSync(join(folder, 'feeds.json'), JSON.stringify(Object.fromEntries(plain)));
    runPython(SCRIPT, [folder]);
    const results = JSON.parse(readFileSync(join(folder, 'results.json'), 'utf8')) as Record<string, Value>;
    return Object.fromEntries(Object.entries(results).map(([k, v]) => [k, value(v.data, v.shape, v.dtype)]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('a model of all ops and gradients in Python', { skip: withoutPython() }, async () => {
  const { outputs, feeds } = everything();
  const python = runInPython(outputs, feeds);
  const session = await open(outputs);
  const here = await session.run(feeds);
  await session.release();
  const expected = compile(Object.values(outputs))(feeds);
  assert.deepEqual(Object.keys(python).sort(), Object.keys(outputs).sort());
  Object.keys(outputs).forEach((name, i) => {
    expectClose(python[name]!, expected[i]!, `${name} in Python`);
    expectClose(python[name]!, here[name]!, `${name} in Python and here`, 1e-6);
  });
});
