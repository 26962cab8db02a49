import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { ORT_PATH, runInBrowser } from '../runtime/browser.ts';
import { type Curves, trainingLosses } from '../web/training-step.ts';

test('training in Chromium has the losses of training in Node, at each of 50 steps', async () => {
  const page = fileURLToPath(new URL('../web/training-step.ts', import.meta.url));
  const web = (await runInBrowser(page, ORT_PATH)) as Curves;
  const node = await trainingLosses(nodeRuntime({ threads: 1 }));
  for (const [name, losses] of Object.entries(node)) {
    assert.equal(losses.length, 50);
    assert.ok(losses[49]! < 0.97 * losses[0]!, `${name} learns: ${losses[0]} to ${losses[49]}`);
    losses.forEach((loss, i) => {
      const found = web[name]![i]!;
      assert.ok(Math.abs(found - loss) <= 1e-3 * loss, `${name}, step ${i + 1}: ${found}, in Node ${loss}`);
    });
  }
});
