/** The Bernoulli of pixels in turn: what each depends on, and how close its mean comes to that of draws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, slice, sub, sum } from '../../src/graph/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import { bernoulli, logProb } from '../../src/vae/index.ts';
import { draw, random } from '../check.ts';
import { evaluate, type Feeds } from '../reference.ts';
import { built, gridOf, type Setting } from './laws.ts';

const [HEIGHT, COLUMNS, REACH] = [5, 6, 2];
const size = HEIGHT * COLUMNS;
const setting: Setting = {
  options: { reach: REACH, width: 4 },
  values: [Array.from({ length: size }, (_, i) => Math.sin(1 + 2.3 * i))],
  size,
  channels: 1,
  picture: [HEIGHT, COLUMNS],
};
const NAME = 'autoregressiveBernoulli';
const { law, likelihood, feeds, x, inputs } = built(NAME, setting);
/** Weights of some size, so that pixels matter to each other. */
const strong = (by: number): Feeds =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, v]) => [
      name,
      name.endsWith('output') ? { ...v, data: v.data.map((w) => by * w) } : v,
    ]),
  );

test('log p of a pixel depends on those before it within reach, and on logits within reach, and on no others', () => {
  const at = { ...strong(20), x: draw({ shape: [1, 'B', size], range: [0, 1] }, 1, random(1)) };
  for (const place of [0, 8, 14, 23, size - 1]) {
    const [row, column] = [Math.floor(place / COLUMNS), place % COLUMNS];
    const own = sum(
      slice(sub(likelihood.logProbs(x), bernoulli(inputs[0]!).logProbs(x)), -1, place, place + 1),
    );
    const [byX, byLogits] = evaluate(gradients(own, [x, inputs[0]!]), at);
    for (let i = 0; i < size; i++) {
      const [up, aside] = [row - Math.floor(i / COLUMNS), Math.abs(column - (i % COLUMNS))];
      const near = Math.abs(up) <= REACH && aside <= REACH;
      if (i !== place) assert.equal(byX!.data[i] !== 0, near && i < place, `${place} by pixel ${i}`);
      assert.equal(byLogits!.data[i] !== 0, near, `${place} by logit ${i}`);
    }
  }
});

test('it begins as a Bernoulli', () => {
  const at = { ...strong(0), x: draw({ shape: [1, 'B', size], range: [0, 1] }, 3, random(2)) };
  const [found, expected] = evaluate([logProb(likelihood, x), logProb(bernoulli(inputs[0]!), x)], at);
  assert.deepEqual([...found!.data], [...expected!.data]);
});

test('its mean is close to that of draws, and much closer than that of its logits alone', () => {
  const at = strong(100);
  const { logits, network } = likelihood.values;
  const [l, net, mean, alone] = evaluate(
    [logits!, network!, likelihood.mean, bernoulli(inputs[0]!).mean],
    at,
  );
  const given = { logits: Float32Array.from(l!.data), network: Float32Array.from(net!.data) };
  const [count, random, out] = [20_000, variates(stream(1, 'draws')), new Float32Array(size)];
  const average = new Float64Array(size);
  for (let k = 0; k < count; k++) {
    law.draw(given, random, out, gridOf(setting));
    out.forEach((v, i) => {
      average[i]! += v / count;
    });
  }
  const off = (of: Float64Array) => average.reduce((sum, v, i) => sum + Math.abs(v - of[i]!) / size, 0);
  assert.ok(off(mean!.data) < 0.2 * off(alone!.data), `${off(mean!.data)}, ${off(alone!.data)}`);
});
