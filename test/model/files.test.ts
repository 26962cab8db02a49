import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileError } from '../../src/data/file-errors.ts';
import { UserError } from '../../src/errors.ts';
import { writeAtomic } from '../../src/model/files.ts';
import { temporary } from './folder.ts';

test('a file is replaced and nothing is left beside it', async (t) => {
  const folder = temporary(t);
  const path = join(folder, 'a.bin');
  await writeAtomic(path, 'old');
  await writeAtomic(path, Uint8Array.of(1, 2, 3));
  assert.deepEqual([...readFileSync(path)], [1, 2, 3]);
  assert.deepEqual(readdirSync(folder), ['a.bin']);
});

test('a failed write says why, keeps the old content and removes its temporary file', async (t) => {
  const folder = temporary(t);
  await assert.rejects(writeAtomic(join(folder, 'no', 'a'), 'x'), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /cannot write .*a: the folder .*no does not exist/);
    return true;
  });
  await mkdir(join(folder, 'taken', 'full'), { recursive: true });
  await assert.rejects(writeAtomic(join(folder, 'taken'), 'x'), UserError);
  writeFileSync(join(folder, 'file'), 'x');
  await assert.rejects(writeAtomic(join(folder, 'file', 'a'), 'x'), /is a file, not a folder/);
  assert.deepEqual(readdirSync(folder).sort(), ['file', 'taken']);
});

test('causes are put in words, unknown errors pass as they are', () => {
  const full = Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' });
  assert.match(String(fileError(full, 'write', '/m/x')), /cannot write \/m\/x: the disk is full/);
  const denied = Object.assign(new Error('EACCES'), { code: 'EACCES' });
  assert.match(String(fileError(denied, 'write', '/m/x')), /permission denied/);
  const odd = new Error('odd');
  assert.equal(fileError(odd, 'write', '/m/x'), odd);
});
