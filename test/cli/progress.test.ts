import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createProgress, epochHeading, epochRow, liveLine, type Pace } from '../../src/cli/progress.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { EpochEvent, StepEvent } from '../../src/train/events.ts';

const pace: Pace = {
  step: 430,
  steps: 1000,
  epoch: 3,
  epochs: 20,
  negativeElbo: 104.21,
  logPx: -79.11,
  kl: 25.1,
  rate: 312.4,
  secondsLeft: 72,
};

test('the live line shows everything where there is room', () => {
  assert.equal(
    liveLine(pace, 120),
    'epoch 3/20   ━━━━━━━━━━┈┈┈┈┈┈┈┈┈┈┈┈┈┈   43 %   −ELBO 104.21   −log p(x|z) 79.11   KL 25.10   312 it/s   1:12 left',
  );
  assert.equal(liveLine(pace, 45), 'epoch 3/20   43 %   −ELBO 104.21   1:12 left');
  assert.equal(liveLine(pace, 32), 'epoch 3/20   43 %   −ELBO 104.21');
});

test('the live line never passes the width, whatever the figures', () => {
  const figure = fc.double({ noDefaultInfinity: false });
  const paces = fc.record({
    step: fc.nat(1e6),
    steps: fc.constant(1e6),
    epoch: fc.nat(1e4),
    epochs: fc.nat(1e4),
    negativeElbo: figure,
    logPx: figure,
    kl: figure,
    rate: fc.double({ min: 0, max: 1e6, noNaN: true }),
    secondsLeft: fc.double({ min: 0, max: 1e9, noNaN: true }),
  });
  fc.assert(
    fc.property(paces, fc.integer({ min: 1, max: 200 }), (given, width) =>
      assert.ok(liveLine(given, width).length <= width),
    ),
  );
});

const means = (negativeElbo: number) => ({ negativeElbo, logPx: 25 - negativeElbo, kl: 25 });
const epoch = (n: number, best: boolean): EpochEvent => ({
  type: 'epoch',
  epoch: n,
  step: 50 * n,
  train: means(101.5),
  validation: means(102.25),
  watched: 102.25,
  klPerDimension: [],
  activeUnits: 14,
  best,
  terms: {},
  learningRate: 1e-3,
  beta: 1,
  seconds: 6.13,
});
const step = (n: number): StepEvent => ({
  type: 'step',
  step: n,
  steps: 100,
  epoch: 0,
  terms: {},
  skipped: false,
  loss: 100,
  ...means(100),
  beta: 1,
  learningRate: 1e-3,
  gradientNorm: 1,
});

test('epoch rows stand under their heading', () => {
  assert.deepEqual(
    [epochHeading(20), epochRow(epoch(3, true), 20)],
    [
      'epoch       −ELBO  −log p(x|z)         KL    training     time',
      ' 3/20      102.25        77.25      25.00      101.50    6.1 s  best',
    ],
  );
});

/** A terminal that keeps what it is given. */
function recorded(isLive: boolean) {
  const err: string[] = [];
  const terminal: Terminal = {
    print: () => assert.fail('progress is no result'),
    write: () => assert.fail('progress is no result'),
    json: () => assert.fail('progress is no result'),
    remark: (line = '') => void err.push(`${line}\n`),
    draw: (text) => void err.push(text),
    paint: (_, text) => text,
    wantsJson: false,
    isLive: { out: isLive, err: isLive },
    columns: () => 60,
  };
  return { terminal, err };
}

/** Two epochs of 50 steps, one step each 100 ms, and what was printed. */
function printed(isLive: boolean): string {
  const { terminal, err } = recorded(isLive);
  let time = 0;
  const progress = createProgress(terminal, () => time);
  progress.start(0, 2);
  for (let n = 1; n <= 100; n++) {
    time += 100;
    progress.step(step(n));
    if (n % 50 === 0) progress.epoch(epoch(n / 50, n === 50));
  }
  progress.clear();
  return err.join('');
}

test('on a terminal the line is drawn in place and gives way to the rows', () => {
  const text = printed(true);
  const rows = text.split('\n');
  assert.equal(rows.length, 4, 'heading, two epochs, and the end');
  const [row, ...drawn] = rows[1]!.split('\r\u001b[2K').reverse();
  assert.match(row!, /^ *1\/2 .*best$/);
  assert.match(drawn[0]!, /^epoch 1\/2 .*50 % .*5\.0 s left$/);
  assert.match(rows[2]!, /epoch 2\/2 .*100 %/);
  assert.ok(!rows[2]!.includes('epoch 1/2'), 'the second epoch counts from one');
});

test('elsewhere there are plain lines only, and few', () => {
  assert.deepEqual(printed(false).split('\n'), [
    epochHeading(2),
    epochRow(epoch(1, true), 2),
    epochRow(epoch(2, false), 2),
    '',
  ]);
});
