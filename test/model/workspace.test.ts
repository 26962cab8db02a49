import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { build } from 'esbuild';
import { UserError } from '../../src/errors.ts';
import { readModelFolder, sha256 } from '../../src/model/model-file.ts';
import { listSamplers, writeSampler } from '../../src/model/sampler-file.ts';
import { openWorkspace } from '../../src/model/workspace.ts';
import { checkpoint, modelFiles, temporary } from './folder.ts';

async function publish(out: string, value: number): Promise<void> {
  const workspace = await openWorkspace(out);
  await workspace.saveCheckpoint(checkpoint(value));
  await workspace.appendHistory({ epoch: 1 });
  assert.equal(await workspace.publish(modelFiles(value)), resolve(out));
  await workspace.close();
}

const refuses = (run: Promise<unknown>, message: RegExp) =>
  assert.rejects(run, (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    return true;
  });

test('a run is published whole and leaves nothing beside it', async (t) => {
  const folder = temporary(t);
  const out = join(folder, 'deep', 'model');
  await publish(out, 3);
  assert.deepEqual(readdirSync(join(folder, 'deep')), ['model']);
  const names = ['checkpoint', 'decoder.onnx', 'history.jsonl', 'model.json', 'weights.safetensors'];
  assert.deepEqual(readdirSync(out).sort(), names);
  assert.deepEqual([...(await readModelFolder(out)).weights['w']!.data], [3]);
  mkdirSync(join(folder, 'empty'));
  await publish(join(folder, 'empty'), 4);
});

test('a model is replaced or trained further only when asked', async (t) => {
  const out = join(temporary(t), 'model');
  await publish(out, 1);
  await refuses(
    openWorkspace(out),
    /already holds a model: --overwrite replaces it, --resume trains it further/,
  );
  await refuses(openWorkspace(out, { resume: true, overwrite: true }), /give one of them/);
  const further = await openWorkspace(out, { resume: true });
  const { path, bytes } = (await further.readCheckpoint())!;
  assert.equal(path, join(out, 'checkpoint', 'state.safetensors'));
  assert.deepEqual(Buffer.from(bytes), Buffer.from(checkpoint(1)));
  await further.truncateHistory([]);
  await further.close();
  assert.ok(!existsSync(further.path), 'without a step of its own it leaves nothing');
  assert.equal(
    (await readModelFolder(out)).file.training.steps,
    1,
    'the model stays while it is trained further',
  );
  const anew = await openWorkspace(out, { overwrite: true });
  assert.equal(await anew.readCheckpoint(), undefined);
  await anew.publish(modelFiles(2));
  await anew.close();
  assert.equal((await readModelFolder(out)).file.training.steps, 2);
  assert.ok(!existsSync(join(out, 'checkpoint', 'state.safetensors')), 'nothing of the former model remains');
  await refuses(openWorkspace(out, { resume: true }), /no checkpoint to go on from/);
});

test('what else a user keeps in a model folder stays there', async (t) => {
  const out = join(temporary(t), 'model');
  await publish(out, 1);
  mkdirSync(join(out, 'notes'));
  writeFileSync(join(out, 'notes', 'thesis.txt'), 'mine');
  writeFileSync(join(out, 'samples.csv'), 'a\n1\n');
  for (const value of [2, 3]) {
    const workspace = await openWorkspace(out, { overwrite: true });
    await workspace.publish(modelFiles(value));
    await workspace.close();
    assert.equal((await readModelFolder(out)).file.training.steps, value);
    assert.equal(readFileSync(join(out, 'notes', 'thesis.txt'), 'utf8'), 'mine');
    assert.equal(readFileSync(join(out, 'samples.csv'), 'utf8'), 'a\n1\n');
  }
});

test('an unfinished run is continued or discarded only when asked', async (t) => {
  const out = join(temporary(t), 'model');
  const first = await openWorkspace(out);
  await first.saveCheckpoint(checkpoint(40));
  await first.appendHistory({ epoch: 1 });
  await first.appendHistory({ epoch: 2 });
  await first.close();
  await refuses(
    openWorkspace(out),
    /unfinished run at step 40: --resume continues it, --overwrite discards it/,
  );
  const history = () => readFileSync(join(first.path, 'history.jsonl'), 'utf8');
  writeFileSync(join(first.path, 'history.jsonl'), '{"epoch":1}\n{"epoch":2}\n{"epo');
  const second = await openWorkspace(out, { resume: true });
  assert.deepEqual(Buffer.from((await second.readCheckpoint())!.bytes), Buffer.from(checkpoint(40)));
  await second.truncateHistory([{ epoch: 1 }]);
  await second.close();
  assert.equal(history(), '{"epoch":1}\n');
  const third = await openWorkspace(out, { overwrite: true });
  assert.equal(await third.readCheckpoint(), undefined);
  await third.close();
  assert.equal(history(), '{"epoch":1}\n', 'until something is written the old run is there');
  await discard(out);
  assert.ok(!existsSync(first.path));
});

/** Replaces an unfinished run by one that does nothing. */
async function discard(out: string): Promise<void> {
  const workspace = await openWorkspace(out, { overwrite: true });
  await workspace.truncateHistory([]);
  await workspace.close();
}

test('a run that saved nothing leaves nothing; there is no resuming where nothing was', async (t) => {
  const folder = temporary(t);
  const out = join(folder, 'model');
  await (await openWorkspace(out)).close();
  await refuses(openWorkspace(out, { resume: true }), /no run to resume at .*model: leave out --resume/);
  assert.deepEqual(readdirSync(folder), []);
  mkdirSync(join(`${out}.training`, 'checkpoint'), { recursive: true });
  const early = await openWorkspace(out, { resume: true });
  assert.equal(await early.readCheckpoint(), undefined, 'a run killed before its first checkpoint');
  await early.close();
});

test('what a killed process was writing is swept away when its run is resumed', async (t) => {
  const out = join(temporary(t), 'model');
  const first = await openWorkspace(out);
  await first.saveCheckpoint(checkpoint(1));
  await first.close();
  writeFileSync(join(first.path, 'checkpoint', '.state.safetensors.0123456789ab.tmp'), 'x');
  writeFileSync(join(first.path, '.history.jsonl.0123456789ab.tmp'), 'x');
  const second = await openWorkspace(out, { resume: true });
  await second.publish(modelFiles(1));
  await second.close();
  assert.deepEqual(readdirSync(join(out, 'checkpoint')), ['state.safetensors']);
  assert.ok(readdirSync(out).every((name) => !name.endsWith('.tmp')));
});

test('samplers are taken over where the weights stay the same', async (t) => {
  const out = join(temporary(t), 'model');
  await publish(out, 1);
  const sampler = async (name: string, value: number) => {
    const weights = sha256(modelFiles(value)['weights.safetensors']!);
    const created = '2026-01-02T03:04:05.000Z';
    const rows = { train: 1, validation: 1 };
    const file = { elbo: '0.1.0', created, config: {}, weights, rows, figures: {}, seed: 0 };
    return writeSampler(out, name, { file, tensors: { a: { shape: [1], data: Float32Array.of(2) } } });
  };
  const bytes = readFileSync(await sampler('gmm', 1));
  await sampler('flow', 5);
  writeFileSync(join(out, 'samplers', 'vamp.safetensors'), 'damaged');
  const again = async (value: number) => {
    const workspace = await openWorkspace(out, { resume: true });
    await workspace.publish(modelFiles(value));
    await workspace.close();
  };
  await again(1);
  assert.deepEqual(await listSamplers(out), ['gmm']);
  assert.deepEqual(readFileSync(join(out, 'samplers', 'gmm.safetensors')), bytes);
  await again(2);
  assert.deepEqual(await listSamplers(out), []);
  writeFileSync(join(out, 'samplers'), 'x');
  await refuses(listSamplers(out), /samplers is a file, samplers are kept in a folder/);
});

test('what is not ours is never touched', async (t) => {
  const folder = temporary(t);
  const out = join(folder, 'model');
  mkdirSync(out);
  writeFileSync(join(out, 'thesis.tex'), 'x');
  writeFileSync(join(folder, 'file'), 'x');
  mkdirSync(join(folder, 'a.training'));
  writeFileSync(join(folder, 'a.training', 'thesis.tex'), 'x');
  mkdirSync(join(folder, 'b.training', 'checkpoint'), { recursive: true });
  mkdirSync(join(folder, 'c.training', 'checkpoint'), { recursive: true });
  writeFileSync(join(folder, 'b.training', 'thesis.tex'), 'x');
  writeFileSync(join(folder, 'c.training', 'checkpoint', 'epoch9.pt'), 'x');
  for (const options of [{}, { overwrite: true }, { resume: true }]) {
    await refuses(openWorkspace(out, options), /not an Elbo model: it is left alone/);
    await refuses(openWorkspace(join(folder, 'file'), options), /not an Elbo model/);
    await refuses(openWorkspace(join(folder, 'a'), options), /a\.training exists and is not an Elbo run/);
    await refuses(openWorkspace(join(folder, 'b'), options), /not an Elbo run \(it has thesis\.tex\)/);
    await refuses(
      openWorkspace(join(folder, 'c'), options),
      /not an Elbo run \(it has checkpoint.epoch9\.pt\)/,
    );
  }
  assert.deepEqual(readdirSync(folder).sort(), ['a.training', 'b.training', 'c.training', 'file', 'model']);
  assert.deepEqual(readdirSync(out), ['thesis.tex']);
  await refuses(openWorkspace('.'), /holds the current folder: give it a name/);
});

test('one run at a time', async (t) => {
  const out = join(temporary(t), 'model');
  const first = await openWorkspace(out);
  await refuses(
    openWorkspace(out),
    new RegExp(`model is in use by another run \\(process ${process.pid} on`),
  );
  await first.close();
  await (await openWorkspace(out)).close();
});

test('a swap that a crash interrupted is finished by whoever comes next', async (t) => {
  const folder = temporary(t);
  const interrupted = async (name: string) => {
    const out = join(folder, name);
    await publish(join(folder, 'new'), 2);
    await publish(out, 1);
    renameSync(join(folder, 'new'), `${out}.training`);
    renameSync(out, join(`${out}.training`, 'replaced'));
    return out;
  };
  const read = await interrupted('read');
  assert.equal((await readModelFolder(read)).file.training.steps, 2);
  assert.ok(!existsSync(join(read, 'replaced')));
  const opened = await interrupted('opened');
  await refuses(openWorkspace(opened), /already holds a model/);
  assert.equal((await readModelFolder(opened)).file.training.steps, 2);
  assert.deepEqual(readdirSync(folder).sort(), ['opened', 'read']);
});

test('kill -9 at any moment leaves a complete model, and no lock to wait for', async (t) => {
  const folder = temporary(t);
  const [out, script] = [join(folder, 'model'), join(folder, 'publisher.mjs')];
  const entry = new URL('publisher.ts', import.meta.url).pathname;
  const require = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";
  const banner = { js: require };
  await build({
    entryPoints: [entry],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner,
  });
  await publish(out, 1);
  let last = 1;
  for (let i = 0; i < 20; i++) {
    last = Math.max(last, await killed(script, out, last + 1, (i * 37) % 60));
    if (i % 4 === 3) await discard(out);
    const { file, weights, read } = await readModelFolder(out);
    assert.ok(
      file.training.steps >= last && file.training.steps <= last + 1,
      `${file.training.steps} after ${last}`,
    );
    assert.equal(weights['w']!.data[0], file.training.steps);
    await read('decoder.onnx');
    last = file.training.steps;
  }
  assert.ok(last > 10, `only ${last} models were published`);
  await discard(out);
  rmSync(script);
  assert.deepEqual(readdirSync(folder), ['model']);
});

/** Runs the publisher, kills it `delay` ms after its first model; gives the last one it told of. */
async function killed(script: string, out: string, from: number, delay: number): Promise<number> {
  const child = spawn(process.execPath, [script, out, String(from)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let told = '';
  let first = () => {};
  const started = new Promise<void>((resolve) => {
    first = resolve;
  });
  child.stdout.on('data', (text) => {
    told += text;
    first();
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([started, ended]);
  await sleep(delay);
  child.kill('SIGKILL');
  await ended;
  return Number(told.trimEnd().split('\n').at(-1) ?? 0);
}
