import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeRuntime } from '../../src/runtime/node.ts';
import {
  activeUnits,
  createLearner,
  evaluateElbo,
  openGraph,
  useOf,
  weightValues,
} from '../../src/train/index.ts';
import { evaluationGraph } from '../../src/vae/index.ts';
import { source, toy } from './toy.ts';

const runtime = nodeRuntime({ threads: 1 });

async function opened() {
  const options = toy({ runtime });
  const learner = await createLearner(options);
  const session = await openGraph(runtime, evaluationGraph(options.vae));
  const weights = weightValues(options.vae, learner.weights());
  const evaluate = (rows: number, seed = 1, batchSize = 8) =>
    evaluateElbo(session, options.vae, weights, source(options.vae.spec, rows, batchSize), {
      batchSize,
      seed,
    });
  const close = () => Promise.all([session.dispose(), learner.dispose()]);
  return { evaluate, close };
}

test('the ELBO is the mean over all rows, the same each time, and adds up', async () => {
  const { evaluate, close } = await opened();
  const result = await evaluate(20);
  assert.equal(result.rows, 20);
  assert.deepEqual(await evaluate(20), result);
  assert.notEqual((await evaluate(20, 2)).logPx, result.logPx);
  assert.equal(result.negativeElbo, result.kl - result.logPx);
  const fields = Object.values(result.fields).reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(fields - result.logPx) < 1e-5);
  assert.deepEqual(Object.keys(result.fields), ['a', 'b', 'c']);
  await close();
});

test('a short last batch counts by its rows: the KL does not depend on the batches', async () => {
  const { evaluate, close } = await opened();
  const [a, b] = [await evaluate(20, 1, 20), await evaluate(20, 1, 3)];
  assert.ok(Math.abs(a.kl - b.kl) < 1e-6, `${a.kl} and ${b.kl}`); // log p(x|z) does: noise is drawn by the batch
  await close();
});

test('a dimension is active above 0.01 nats', () => {
  assert.equal(activeUnits([0, 0.009, 0.011, 3]), 2);
});

test('the use of codebooks: entries that occur, and the perplexity of each book, averaged', () => {
  const { entries, used, perplexity } = useOf(Float64Array.of(5, 5, 0, 0, 9, 0, 0, 0), 4);
  assert.deepEqual([entries, used], [8, 3]);
  assert.ok(Math.abs(perplexity - (2 + 1) / 2) < 1e-12);
});
