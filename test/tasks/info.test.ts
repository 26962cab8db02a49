/** `info` reads every file that a model folder lists. */
import assert from 'node:assert/strict';
import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { info } from '../../src/tasks/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { tableFile, trained } from './data.ts';

const folder = temporaryFolder();

test('each file that model.json lists is checked', async () => {
  const out = join(folder, 'a.model');
  await trained({ data: tableFile(folder), out, epochs: 1 });
  const { files } = (await info(out)).file;
  assert.ok(Object.keys(files).includes('encoder.onnx'));
  for (const name of Object.keys(files)) {
    const copy = join(folder, `${name}.model`);
    cpSync(out, copy, { recursive: true });
    writeFileSync(join(copy, name), 'x');
    await assert.rejects(info(copy), (error: Error) => {
      assert.ok(error instanceof UserError);
      assert.ok(error.message.includes(`${name} is damaged`), error.message);
      return true;
    });
  }
});
