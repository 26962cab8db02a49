import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input, mul, node } from '../../src/graph/index.ts';
import type { Runtime } from '../../src/runtime/index.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { openGraphs } from '../../src/train/index.ts';

test('where one of several graphs cannot be opened, the others are let go', async () => {
  const engine = nodeRuntime({ threads: 1 });
  let open = 0;
  const counted: Runtime = {
    ...engine,
    session: async (...args) => {
      const session = await engine.session(...args);
      open++;
      return { ...session, dispose: () => session.dispose().then(() => void open--) };
    },
  };
  const x = input('x', ['B', 2]);
  const good = { y: mul(x, 2) };
  const bad = { y: node('NoSuchOperator', [x], x.shape, null) };
  await assert.rejects(openGraphs(counted, { good, bad }), /NoSuchOperator/);
  assert.equal(open, 0);
  const both = await openGraphs(counted, { good, twice: { y: mul(x, 4) } });
  assert.equal(open, 2);
  await Promise.all([both.good.dispose(), both.twice.dispose()]);
  assert.equal(open, 0);
});
