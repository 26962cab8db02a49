import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { parseRunFile } from '../../src/model/run-file.ts';

const means = { negativeElbo: 3, logPx: -2, kl: 1 };
const record = {
  epoch: 1,
  step: 4,
  train: means,
  validation: means,
  watched: 3,
  klPerDimension: [0.5, 0.5],
  activeUnits: 2,
  best: true,
  terms: {},
  learningRate: 0.001,
  beta: 1,
};
const run = {
  config: { latent: 2 },
  schema: { version: 1, fields: [] },
  identity: { rows: { train: 8, validation: 1, test: 1 }, start: '', options: { ignore: ['a'] } },
  progress: { step: 4, epoch: 1, batch: 0, sums: { rows: 0, logPx: 0, kl: 0, terms: {} }, history: [record] },
};

test('what a checkpoint says of its run comes back as it was written', () => {
  const later = { ...record, bound: null, later: 1 };
  const text = JSON.stringify({ ...run, progress: { ...run.progress, history: [later] } });
  assert.equal(JSON.stringify(parseRunFile(text, 'state')), text);
});

test('what is damaged is refused in words', () => {
  const { progress: _, ...noProgress } = run;
  const { identity: __, ...noIdentity } = run;
  const cases: [string | undefined, RegExp][] = [
    [undefined, /state is damaged .*: it says nothing of its run/],
    ['{"config"', /state is damaged .* not JSON/],
    [JSON.stringify(noProgress), /--overwrite trains anew\):\n.*\n.*at progress$/],
    [JSON.stringify(noIdentity), /at identity/],
    [JSON.stringify({ ...run, progress: { ...run.progress, step: '4' } }), /at progress\.step/],
    [
      JSON.stringify({ ...run, progress: { ...run.progress, history: [{ ...record, watched: 'x' }] } }),
      /at progress\.history\[0\]\.watched/,
    ],
  ];
  for (const [text, message] of cases)
    assert.throws(
      () => parseRunFile(text, 'state'),
      (error: Error) => error instanceof UserError && message.test(error.message),
      String(message),
    );
});
