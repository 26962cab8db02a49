import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/errors.ts';
import { checkWarmup, type Schedule, schedules, type Warmup, warmups } from '../../src/optim/index.ts';

const at = (step: number, steps = 100, epoch = 0, history: number[] = []) => ({
  step,
  steps,
  epoch,
  history,
});
const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12, `${a} for ${b}`);

test('a warm-up climbs linearly to the start of the schedule', () => {
  const all: Schedule[] = [
    schedules.constant({ warmup: 10 }),
    schedules.cosine({ warmup: 10 }),
    schedules.step({ every: 5, warmup: 10 }),
    schedules.plateau({ warmup: 10 }),
  ];
  for (const schedule of all) {
    close(schedule(at(1)), 0.1);
    close(schedule(at(5)), 0.5);
    close(schedule(at(10)), 1);
  }
});

test('a cosine falls from 1 to its final value', () => {
  const schedule = schedules.cosine({ final: 0.1, warmup: 20 });
  close(schedule(at(20)), 1);
  close(schedule(at(60)), 0.55);
  close(schedule(at(100)), 0.1);
  close(schedule(at(120)), 0.1);
});

test('steps fall every so many epochs', () => {
  const schedule = schedules.step({ every: 10, factor: 0.5 });
  const rates = [0, 9, 10, 19, 20].map((epoch) => schedule(at(50, 100, epoch)));
  assert.deepEqual(rates, [1, 1, 0.5, 0.5, 0.25]);
});

test('a plateau lowers the rate after patience runs out, and never below the minimum', () => {
  const schedule = schedules.plateau({ patience: 2, factor: 0.5, minimum: 0.2 });
  const rate = (...history: number[]) => schedule(at(50, 100, history.length, history));
  assert.equal(rate(), 1);
  assert.equal(rate(5, 4, 3), 1);
  assert.equal(rate(5, 4, 4), 1);
  assert.equal(rate(5, 4, 4, 4.5), 0.5);
  assert.equal(rate(5, 4, 4, 4.5, 3, 2), 0.5, 'what was lowered stays lowered');
  assert.equal(rate(5, Number.NaN, Number.NaN), 0.5);
  assert.equal(rate(...Array(20).fill(1)), 0.2);
});

const span = fc.oneof(
  fc.record({ steps: fc.integer({ min: 1, max: 500 }) }),
  fc.record({ fraction: fc.double({ min: 0.01, max: 1, noNaN: true }) }),
);
const warmup: fc.Arbitrary<Warmup> = fc.oneof(
  fc.constant(warmups.none),
  span.map(warmups.linear),
  span.map(warmups.cosine),
  fc
    .record({
      over: span,
      cycles: fc.integer({ min: 1, max: 6 }),
      rise: fc.double({ min: 0.1, max: 1, noNaN: true }),
    })
    .map(warmups.cyclical),
);

test('a KL warm-up that is let through stays in [0, 1] and has its full weight from its end on', () => {
  const property = fc.property(warmup, fc.integer({ min: 1, max: 600 }), (w, steps) => {
    const end = w.end(steps);
    if (end > steps) assert.throws(() => checkWarmup(w, steps), UserError);
    else checkWarmup(w, steps);
    for (let step = 1; step <= steps; step++) {
      const weight = w({ step, steps });
      assert.ok(weight >= 0 && weight <= 1);
      if (step >= end)
        assert.ok(weight > 1 - 1e-9, `${w.describe}: ${weight} at ${step} of ${steps}, end ${end}`);
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('a cyclical warm-up returns to the start of its rise each cycle', () => {
  const w = warmups.cyclical({ over: { steps: 80 }, cycles: 4, rise: 0.5 });
  const weights = [1, 10, 11, 20, 21, 30, 41, 61, 70, 80, 90].map((step) => w({ step, steps: 100 }));
  assert.deepEqual(weights, [0.1, 1, 1, 1, 0.1, 1, 0.1, 0.1, 1, 1, 1]);
});

test('a cosine warm-up is half way up in the middle, and slow at both ends', () => {
  const w = warmups.cosine({ steps: 40 });
  const weight = (step: number) => w({ step, steps: 100 });
  close(weight(20), 0.5);
  close(weight(10), 0.5 - Math.SQRT1_2 / 2);
  close(weight(40), 1);
  close(weight(90), 1);
  assert.ok(weight(1) < 0.002 && 1 - weight(39) < 0.002);
});

test('a warm-up longer than training is refused in words', () => {
  const message = /a linear warm-up over 500 steps reaches its end at step 500, but training has 100 steps/;
  assert.throws(() => checkWarmup(warmups.linear({ steps: 500 }), 100), message);
  checkWarmup(warmups.linear({ fraction: 1 }), 7);
});

test('impossible options are refused', () => {
  assert.throws(() => schedules.cosine({ final: 2 }), UserError);
  assert.throws(() => schedules.step({ every: 0 }), UserError);
  assert.throws(() => schedules.plateau({ patience: 0 }), UserError);
  assert.throws(() => schedules.constant({ warmup: -1 }), UserError);
  assert.throws(() => warmups.linear({ fraction: 1.5 }), UserError);
  assert.throws(() => warmups.cyclical({ over: { steps: 10 }, rise: 0 }), UserError);
});
