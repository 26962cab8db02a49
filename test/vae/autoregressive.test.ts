/** The Bernoulli of pixels in turn: what each depends on, and how close its mean comes to that of draws. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, slice, sub, sum } from '../../src/graph/index.ts';
import { initialise, parameters } from '../../src/nn/index.ts';
import { stream, variates } from '../../src/random/index.ts';
import { bernoulli, logProb } from '../../src/vae/index.ts';
import { draw, random } from '../check.ts';
import { evaluate, value } from '../reference.ts';
import { asX, built, gridOf, type Setting } from './laws.ts';

const [HEIGHT, COLUMNS, REACH] = [5, 6, 2];
const size = HEIGHT * COLUMNS;
const setting: Setting = {
  options: { reach: REACH, width: 4 },
  values: [Array.from({ length: size }, (_, i) => 4 * Math.sin(1 + 2.3 * i))],
  size,
  channels: 1,
  picture: [HEIGHT, COLUMNS],
  moved: 1.5,
};
const NAME = 'autoregressiveBernoulli';
const { law, likelihood, feeds, x, inputs } = built(NAME, setting);
test('log p of a pixel depends on those before it within reach, and on logits within reach, and on no others', () => {
  const at = { ...feeds, x: draw({ shape: [1, 'B', size], range: [0, 1] }, 1, random(1)) };
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

test('a pixel is drawn by its probability given those that are drawn', () => {
  const { logits, network } = likelihood.values;
  const [l, net] = evaluate([logits!, network!], feeds);
  const given = { logits: Float32Array.from(l!.data), network: Float32Array.from(net!.data) };
  const [rows, random, out] = [500, stream(1, 'draws'), new Float32Array(size)];
  const u = new Float32Array(rows * size);
  random.uniform(u);
  let at = 0;
  const drawn = Array.from({ length: rows }, () => {
    law.draw(given, { ...variates(random), uniform: () => u[at++]! }, out, gridOf(setting));
    return [...out];
  });
  const [logs] = evaluate([likelihood.logProbs(x)], { ...feeds, x: asX(drawn) });
  drawn.flat().forEach((pixel, i) => {
    const p = Math.exp(logs!.data[i]!);
    const white = pixel === 1 ? p : 1 - p;
    if (Math.abs(u[i]! - white) > 1e-5) assert.equal(pixel, Number(u[i]! < white), `draw ${i}`);
  });
});

test('it begins as a Bernoulli', () => {
  const { root, all } = parameters();
  const own = law.build([{ scope: root, size, ...gridOf(setting) }], inputs);
  const initial = all().map((p) => {
    const data = new Float32Array(p.shape.reduce((a, b) => a * b, 1));
    initialise(p, data, 1);
    return [p.name, value(data, p.shape)] as const;
  });
  const at = { ...feeds, ...Object.fromEntries(initial), x: draw({ shape: [1, 'B', size] }, 3, random(2)) };
  const [found, expected] = evaluate([logProb(own, x), logProb(bernoulli(inputs[0]!), x)], at);
  assert.deepEqual([...found!.data], [...expected!.data]);
});

test('its mean is close to that of draws, and much closer than that of its logits alone', () => {
  const { logits, network } = likelihood.values;
  const [l, net, mean, alone] = evaluate(
    [logits!, network!, likelihood.mean, bernoulli(inputs[0]!).mean],
    feeds,
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
