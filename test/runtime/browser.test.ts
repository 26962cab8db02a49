import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import numbers from '../web/numbers.ts';
import type { Report } from '../web/session.ts';
import { ORT_PATH, runInBrowser } from './browser.ts';

const page = (name: string): string => fileURLToPath(new URL(`../web/${name}`, import.meta.url));

test('random streams and optimiser steps are bit-identical in Chromium and Node', async () => {
  assert.deepEqual(await runInBrowser(page('numbers.ts'), 42), await numbers(42));
});

test('the web runtime runs, binds in place, names what fails and has threads', async () => {
  const report = (await runInBrowser(page('session.ts'), ORT_PATH)) as Report;
  assert.ok(report.isolated);
  assert.deepEqual(report.inputs, ['x', 'w']);
  assert.deepEqual(report.run, [10, 140, 14, 200]);
  assert.deepEqual(report.bound, [
    [2010, 10, 140, 14, 200],
    [8040, 20, 280, 28, 400],
  ]);
  assert.match(report.failures[0]!, /output "dw" has shape \[2,2\], its buffer has shape \[1,2\]/);
  assert.match(report.failures[1]!, /^decoder\.3\/MatMul_7: /);
});

test('a page that fails says why', async () => {
  await assert.rejects(runInBrowser(page('numbers.ts'), -1), /seed -1: expected a whole number/);
});
