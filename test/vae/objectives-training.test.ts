/** Every objective as it is run: ONNX Runtime gives what the reference does, and some steps of training are finite. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { createVae, trainingGraph } from '../../src/vae/index.ts';
import { expectClose, runOnce } from '../graph/ort.ts';
import { compile } from '../reference.ts';
import { pictureSpec, rowSpec, run, source } from '../train/toy.ts';
import { cases, specFor } from './objective-cases.ts';
import { training } from './training.ts';

const runtime = nodeRuntime({ threads: 1 });

for (const { name, objective } of cases) {
  test(`${name}: ONNX Runtime agrees with the reference`, async () => {
    const { vae, feeds } = training(specFor(objective), objective);
    const { outputs } = trainingGraph(vae, objective, 10);
    const expected = compile(Object.values(outputs))(feeds);
    const found = await runOnce(outputs, feeds);
    Object.keys(outputs).forEach((key, i) => {
      expectClose(found[key]!, expected[i]!, key, 2e-4);
    });
  });

  test(`${name}: twenty steps of training, each finite, with its own terms told`, async () => {
    const spec = specFor(objective, { rows: rowSpec, pictures: pictureSpec });
    const vae = createVae(spec);
    const train = source(spec, 33, 8); // the last batch of an epoch has one row
    const ran = await run({ runtime, vae, objective, train, epochs: 4, learningRate: 0.003 });
    assert.equal(ran.fitted.reason, 'finished');
    assert.equal(ran.fitted.steps, 20);
    const own = Object.keys(training(specFor(objective), objective).losses.report ?? {});
    for (const event of ran.events)
      if (event.type === 'step' || event.type === 'epoch') {
        assert.deepEqual(Object.keys(event.terms), own);
        assert.ok(Object.values(event.terms).every(Number.isFinite));
      }
  });
}
