import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAndSample, type Sample, trainAndSample } from './memory.ts';

/** From the fourth sample on: before that code is still compiled and pools still fill. */
function flat(samples: readonly Sample[], bounds: { rss: number; heap: number }): void {
  const from = samples[3]!;
  const to = samples.at(-1)!;
  for (const kind of ['rss', 'heap'] as const)
    assert.ok(
      to[kind] - from[kind] < bounds[kind],
      `${kind} grew by ${to[kind] - from[kind]} bytes: ${JSON.stringify(samples)}`,
    );
}

test('2,000 steps leave memory where it was', async () => {
  flat(await trainAndSample(2000), { rss: 16e6, heap: 3e5 });
});

test('50 sessions created and disposed leave memory where it was', async () => {
  flat(await createAndSample(50), { rss: 8e6, heap: 3e5 });
});
