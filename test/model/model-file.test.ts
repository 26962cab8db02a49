import assert from 'node:assert/strict';
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { migrate, parseModelFile, readModelFolder } from '../../src/model/model-file.ts';
import { modelFiles, temporary } from './folder.ts';

function modelFolder(t: TestContext): string {
  const path = join(temporary(t), 'model');
  mkdirSync(path);
  for (const [name, content] of Object.entries(modelFiles(7))) writeFileSync(join(path, name), content);
  return path;
}

const refuses = (path: string, message: RegExp) =>
  assert.rejects(readModelFolder(path), (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    return true;
  });

const json = () => JSON.parse(modelFiles(7)['model.json'] as string) as Record<string, unknown>;

test('a model folder is read with its weights and members', async (t) => {
  const model = await readModelFolder(modelFolder(t));
  assert.equal(model.file.training.steps, 7);
  assert.deepEqual([...model.weights['w']!.data], [7]);
  assert.equal((await model.read('decoder.onnx')).length, 200_000);
  await assert.rejects(model.read('../secret'), /does not list \.\.\/secret/);
});

test('what is not a model, or not whole, is refused in words', async (t) => {
  const path = modelFolder(t);
  await refuses(join(path, 'gone'), /there is no model at .*gone$/);
  await refuses(join(path, 'model.json'), /model\.json is a file, a model is a folder/);
  await refuses(join(path, '..'), /is not an Elbo model: it has no model\.json/);
  mkdirSync(`${path}2.training`);
  await refuses(`${path}2`, /training is not finished .*--resume continues it/);
  truncateSync(join(path, 'decoder.onnx'), 10);
  await assert.rejects((await readModelFolder(path)).read('decoder.onnx'), /decoder\.onnx is damaged/);
  truncateSync(join(path, 'weights.safetensors'), 100);
  await refuses(path, /weights\.safetensors is damaged: it is not what was saved/);
  rmSync(join(path, 'weights.safetensors'));
  await refuses(path, /is incomplete: weights\.safetensors is missing/);
  truncateSync(join(path, 'model.json'), 100);
  await refuses(path, /model\.json is damaged: not JSON/);
  rmSync(join(path, 'model.json'));
  mkdirSync(join(path, 'model.json'));
  await refuses(path, /cannot read .*model\.json: it is a folder/);
});

test('model.json is checked strictly', () => {
  const good = json();
  assert.equal(parseModelFile(good, 'model.json').version, 1);
  const cases: [unknown, RegExp][] = [
    [null, /not an Elbo model/],
    [[], /not an Elbo model/],
    [{ ...good, format: 'other' }, /"format" is not "elbo-model"/],
    [{ ...good, extra: 1 }, /Unrecognized key: "extra"/],
    [{ ...good, seed: 'x' }, /at seed/],
    [{ ...good, files: { '../x': '0'.repeat(64) } }, /Invalid key in record\n.*files\["\.\.\/x"\]/],
    [{ ...good, files: { x: '12' } }, /not a SHA-256/],
    [{ ...good, version: 2 }, /newer Elbo \(format 2, this one reads up to 1\): upgrade/],
    [{ ...good, version: 0 }, /version 0 is not/],
  ];
  for (const [value, message] of cases)
    assert.throws(
      () => parseModelFile(value, 'model.json'),
      (error: Error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        return true;
      },
    );
});

test('older formats go through every migration in turn', () => {
  const steps = {
    1: (old: Record<string, unknown>) => ({ ...old, trail: ['1→2'] }),
    2: (old: Record<string, unknown>) => ({ ...old, trail: [...(old['trail'] as string[]), '2→3'] }),
  };
  const now = migrate({ format: 'elbo-model', version: 1 }, 'model.json', steps, 3);
  assert.deepEqual(now, { format: 'elbo-model', version: 3, trail: ['1→2', '2→3'] });
  assert.throws(() => migrate({ version: 1 }, 'model.json', {}, 2), /no way is known from format 1 to 2/);
});
