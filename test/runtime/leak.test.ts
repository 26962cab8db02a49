import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAndSample, type Sample, trainAndSample } from './memory.ts';

/**
 * From the fourth sample on: before that code is still compiled and pools still fill. What a compiler
 * holds for a moment may be in any one sample, what leaks is in each: the least of three at each end.
 */
function flat(samples: readonly Sample[], bounds: { rss: number; heap: number }): void {
  for (const kind of ['rss', 'heap'] as const) {
    const least = (some: readonly Sample[]) => Math.min(...some.map((sample) => sample[kind]));
    const grown = least(samples.slice(-3)) - least(samples.slice(3, 6));
    assert.ok(grown < bounds[kind], `${kind} grew by ${grown} bytes: ${JSON.stringify(samples)}`);
  }
}

test('2,000 steps leave memory where it was', async () => {
  flat(await trainAndSample(2000), { rss: 16e6, heap: 3e5 });
});

test('50 sessions created and disposed leave memory where it was', async () => {
  flat(await createAndSample(50), { rss: 8e6, heap: 3e5 });
});
