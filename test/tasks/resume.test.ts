/** Runs that are gone on with or replaced: what is kept of them, and what is refused without being touched. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { readSafetensors, type Tensors, writeSafetensors } from '../../src/model/index.ts';
import { info, load, refit } from '../../src/tasks/index.ts';
import { temporaryFolder } from '../data/files.ts';
import { tableFile, trained } from './data.ts';

const folder = temporaryFolder();
let data: string;
before(() => {
  data = tableFile(folder);
});

const stateOf = (run: string): string => join(run, 'checkpoint', 'state.safetensors');

const refused = (made: Promise<unknown>, message: RegExp) =>
  assert.rejects(made, (error: Error) => {
    assert.ok(error instanceof UserError, error.stack);
    assert.match(error.message, message);
    return true;
  });

test('an unfinished run is there until the one that replaces it has done a step', async () => {
  const out = join(folder, 'replaced.model');
  const state = stateOf(`${out}.training`);
  await trained({ data, out }, 5);
  const bytes = readFileSync(state);
  const anew = { out, overwrite: true };
  await refused(trained({ ...anew, data: join(folder, 'typo.csv') }), /typo\.csv/);
  await refused(trained({ ...anew, data, network: { kind: 'mlp', hidden: [40_000, 40_000] } }), /too large/);
  assert.deepEqual(readFileSync(state), bytes);
  await trained({ ...anew, data }, 1);
  assert.notDeepEqual(readFileSync(state), bytes);
  await refused(trained({ data, out }), /unfinished run at step 1:/);
});

test('a finished model whose training is not gone on with stays as it is', async () => {
  const out = join(folder, 'finished.model');
  await trained({ data, out });
  const model = await load(out, { threads: 1 });
  for await (const _ of refit(model, data, { sampler: { kind: 'gmm', components: 2 } }));
  await model.dispose();
  await refused(trained({ data, out, resume: true, latent: 7 }), /latent: given 7/);
  assert.ok(!existsSync(`${out}.training`), 'a refused resume leaves no copy');
  const before = (await info(out)).file;
  await trained({ data, out, resume: true });
  const { file, samplers } = await info(out);
  assert.deepEqual([file.files, Object.keys(samplers)], [before.files, ['gmm']], 'nothing was left to train');
  assert.equal(readFileSync(join(out, 'history.jsonl'), 'utf8').split('\n').length, 3);
  await refused(trained({ data, out: join(folder, 'tpyo.model'), resume: true }), /no run to resume at/);
});

test('the time of a training is that of all its sessions', async () => {
  const out = join(folder, 'timed.model');
  await trained({ data, out }, 3);
  const state = stateOf(`${out}.training`);
  const { tensors, metadata } = readSafetensors(new Uint8Array(readFileSync(state)));
  assert.ok(Number(metadata['seconds']) > 0);
  writeFileSync(state, writeSafetensors(tensors, { ...metadata, seconds: '5000' }));
  await trained({ data, out, resume: true });
  const { seconds } = (await info(out)).file.training;
  assert.ok(seconds > 5000 && seconds < 6000, `${seconds} s`);
});

test('a checkpoint that is not what was written is refused by its path', async () => {
  const out = join(folder, 'damaged.model');
  await trained({ data, out }, 5);
  const state = stateOf(`${out}.training`);
  const whole = readSafetensors(new Uint8Array(readFileSync(state)));
  const run = JSON.parse(whole.metadata['run']!) as Record<string, unknown>;
  const resumed = (changed: object, tensors: Tensors = whole.tensors) => {
    writeFileSync(state, writeSafetensors(tensors, { run: JSON.stringify({ ...run, ...changed }) }));
    return trained({ data, out, resume: true });
  };
  await refused(resumed({ progress: undefined }), /state\.safetensors is damaged .*at progress/s);
  await refused(resumed({ identity: undefined }), /state\.safetensors is damaged .*at identity/s);
  await refused(resumed({ config: {} }), /state\.safetensors: config: latent is undefined/);
  const identity = { ...(run['identity'] as object), options: { ignore: 5 } };
  await refused(resumed({ identity }), /state\.safetensors: option ignore: given 5/);
  const [name, ...names] = Object.keys(whole.tensors);
  const others = Object.fromEntries(names.map((n) => [n, whole.tensors[n]!]));
  await refused(resumed({}, others), new RegExp(`it has nothing for "${name}"`));
  writeFileSync(state, writeSafetensors(whole.tensors, { run: 'x' }));
  await refused(trained({ data, out, resume: true }), /state\.safetensors is damaged .* not JSON/);
  assert.equal((await resumed({})).saved?.path, out);
});

test('without validation rows the figures are said to be of training rows', async () => {
  const { saved } = await trained({ data, out: join(folder, 'novalidation.model'), validation: 0, test: 0 });
  const [[name, { protocol }] = ['', { protocol: '' }]] = Object.entries(saved!.metrics);
  assert.equal(name, 'training −ELBO');
  assert.match(protocol, /^mean over 400 training rows after epoch/);
});

test('a run stopped at the very end of an epoch has each epoch in its history once', async () => {
  const out = join(folder, 'epochs.model');
  const options = { data, out, epochs: 4, batchSize: 400 }; // one step an epoch
  await trained(options, 2);
  await trained({ ...options, resume: true });
  const lines = readFileSync(join(out, 'history.jsonl'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).epoch),
    [1, 2, 3, 4],
  );
});
