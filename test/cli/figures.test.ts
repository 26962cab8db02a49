/** How an evaluation is shown. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decimalsOf, figureLines } from '../../src/cli/figures.ts';
import { createStages, stageLine } from '../../src/cli/stages.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import type { Figure } from '../../src/tasks/evaluate/figures.ts';

const figure = (rest: Partial<Figure>): Figure => ({
  group: 'samples',
  name: 'precision',
  unit: '',
  meaning: 'samples where data lies',
  value: 0.5,
  ...rest,
});

test('a figure has as many digits as its interval bears out', () => {
  assert.equal(decimalsOf({ value: 102.13, low: 101, high: 103.4 }), 1);
  assert.equal(decimalsOf({ value: 0.51234, low: 0.48, high: 0.54 }), 3);
  assert.equal(decimalsOf({ value: 15_000, low: 14_000, high: 16_000 }), 0);
  assert.equal(decimalsOf({ value: 12, low: 12, high: 13 }), 0);
  assert.equal(decimalsOf({ value: 3.25 }), 3);
  assert.equal(decimalsOf({ value: 1, low: 0.99999, high: 1 }), 4);
});

test('lines are aligned, with a heading for what all are read beside', () => {
  const beside = (value: number) => ({ beside: { value, what: 'training rows' } });
  const lines = figureLines(
    'Sample quality',
    [
      figure({ low: 0.35, high: 0.65, ...beside(0.9) }),
      figure({ name: 'Fréchet distance', value: 14.2, low: 13, high: 15.4, ...beside(1.31) }),
    ],
    100,
  );
  assert.deepEqual(lines, [
    'Sample quality            95 %          training rows',
    '  precision         0.50  0.35 to 0.65           0.90  samples where data lies',
    '  Fréchet distance  14.2  13.0 to 15.4            1.3  samples where data lies',
  ]);
});

test('meanings give way first; what differs is said in the line', () => {
  const some = [figure({ ...{ beside: { value: 20, what: 'of' } } }), figure({ name: 'recall' })];
  assert.deepEqual(figureLines('Latent', some, 60), [
    'Latent',
    '  precision  0.500  of 20  samples where data lies',
    '  recall     0.500         samples where data lies',
  ]);
  assert.deepEqual(figureLines('Latent', some, 45)[1], '  precision  0.500  of 20  samples where dat…');
  assert.deepEqual(figureLines('Latent', some, 40)[1], '  precision  0.500  of 20');
});

test('a stage says how far it is, and the time left once that can be told', () => {
  assert.equal(stageLine({ stage: 'log p(x)', done: 1, total: 4 }, 1), 'log p(x)   25 %');
  assert.equal(stageLine({ stage: 'log p(x)', done: 1, total: 4 }, 10), 'log p(x)   25 %   30 s left');
});

test('progress is drawn now and then on a terminal, and taken away', () => {
  let [text, now] = ['', 0];
  const terminal = {
    isLive: { out: true, err: true },
    wantsJson: false,
    columns: () => 80,
    paint: (_: unknown, line: string) => line,
    draw: (line: string) => {
      text += line;
    },
  } as unknown as Terminal;
  const stages = createStages(terminal, () => now);
  stages.tell({ stage: 'ELBO', done: 1, total: 2 });
  assert.equal(text, '', 'not at once');
  now = 100;
  stages.tell({ stage: 'ELBO', done: 2, total: 2 });
  assert.match(text, /ELBO {3}100 %$/);
  stages.clear();
  stages.clear();
  assert.equal(text.split('\u001b[2K').length, 3, 'drawn once and cleared once');
});
