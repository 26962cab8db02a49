import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { mlp } from '../../src/nn/index.ts';
import type { Runtime } from '../../src/runtime/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { createLearner } from '../../src/train/index.ts';
import { createVae } from '../../src/vae/index.ts';
import { rowSpec, toy } from './toy.ts';

test('a model too large to train is refused in words, and no session is left open', async () => {
  let opened = 0;
  const engine = nodeRuntime({ threads: 1 });
  const counted: Runtime = {
    ...engine,
    session: (...args) => {
      opened++;
      return engine.session(...args);
    },
  };
  const network = mlp({ hidden: [40_000, 40_000], activation: 'relu', norm: false });
  const vae = createVae({ ...rowSpec, network });
  await assert.rejects(createLearner(toy({ runtime: counted, vae })), (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(
      error.message,
      /too large to train: 3201 million parameters, 4 numbers for each .* 47\.7 GiB/,
    );
    assert.match(
      error.message,
      /4 GiB are the most, 268 million parameters\. Choose fewer or narrower layers/,
    );
    return true;
  });
  assert.equal(opened, 0);
});
