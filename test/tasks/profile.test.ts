/** `train --profile` to the end: the event, the text that a person reads, and traces that are not what they should be. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import { openProfile } from '../../src/tasks/profile.ts';
import { temporaryFolder } from '../data/files.ts';
import { rowSpec, source } from '../train/toy.ts';
import { tableFile, trained } from './data.ts';

const folder = temporaryFolder();
const data = tableFile(folder);

test('a training tells its profile after its end, and where the trace is', async () => {
  const prefix = join(folder, 'traces', 'step');
  const { events } = await trained({ data, out: join(folder, 'a.model'), profile: prefix });
  const types = events.map(({ type }) => type).filter((type) => ['end', 'profile', 'saved'].includes(type));
  assert.deepEqual(types, ['end', 'profile', 'saved']);
  const profile = events.find((event) => event.type === 'profile')!;
  assert.ok(profile.type === 'profile');
  assert.deepEqual([join(folder, 'traces', readdirSync(join(folder, 'traces'))[0]!)], [profile.path]);
  assert.equal(profile.threads, 1);
  assert.match(profile.advice, /^(Most|The largest part) of a step \(\d+ %\) is /);
  assert.ok(profile.parts.every(({ seconds }) => seconds >= 0));
  assert.ok(profile.parts.find(({ work }) => work === 'reading rows')!.seconds > 0);
});

test('a stopped training tells its profile too', async () => {
  const { events, saved } = await trained(
    { data, out: join(folder, 'b.model'), profile: join(folder, 'b') },
    2,
  );
  assert.equal(saved, undefined);
  const profile = events.at(-1)!;
  assert.ok(profile.type === 'profile' && profile.tracedSteps === 2);
});

test('without --profile nothing is told', async () => {
  const { events } = await trained({ data, out: join(folder, 'c.model') }, 2);
  assert.ok(!events.some(({ type }) => type === 'profile'));
});

const real = readFileSync(new URL('../runtime/linear-step.trace', import.meta.url), 'utf8');

/** What is told of a trace of this text, where three steps were timed. */
async function told(name: string, text: string | undefined) {
  const prefix = join(folder, name);
  const opened = await openProfile(prefix);
  const { profile } = opened.options(source(rowSpec, 8, 8));
  const parts = { batch: 1e-5, noise: 1e-5, engine: 1e-4, norm: 1e-6, update: 1e-5 };
  for (let i = 0; i < 3; i++) profile.steps.push({ rows: 8, ...parts });
  if (text !== undefined) writeFileSync(`${prefix}_2026-01-02_03-04-05_678.json`, text);
  return opened.finish(2);
}

test('a trace that is missing, empty or damaged is a notice; a truncated one is read as far as it goes', async () => {
  const whole = await told('whole', real);
  assert.ok(whole.type === 'profile' && whole.nodes.length === 4);
  const truncated = await told('truncated', real.slice(0, 4500));
  assert.ok(truncated.type === 'profile' && truncated.nodes.length === 4);
  for (const [name, text] of Object.entries({
    empty: '',
    begun: real.slice(0, 900),
    binary: '\0\x01\n\xff',
  })) {
    const event = await told(name, text);
    assert.ok(event.type === 'notice', name);
    assert.match(event.message, new RegExp(`${name}_2026.*holds no whole step`));
  }
  const missing = await told('missing', undefined);
  assert.ok(missing.type === 'notice' && /wrote no profile .*missing_/.test(missing.message));
});

test('a trace that went away is a notice', async () => {
  const opened = await openProfile(join(folder, 'gone', 'step'));
  rmSync(join(folder, 'gone'), { recursive: true });
  const event = await opened.finish(1);
  assert.ok(event.type === 'notice' && /gone.*cannot be read.*ENOENT/.test(event.message));
});

test('only the trace of this training is read, whatever else begins like it', async () => {
  const old = 'same_2026-01-01_00-00-00_000.json';
  writeFileSync(join(folder, old), 'of an earlier run');
  writeFileSync(join(folder, 'same_notes.json'), 'something else');
  const event = await told('same', real);
  assert.ok(event.type === 'profile');
  assert.equal(event.path, join(folder, 'same_2026-01-02_03-04-05_678.json'));
});

test('a prefix that ends as a folder puts the trace into it', async () => {
  const { events } = await trained(
    { data, out: join(folder, 'd.model'), profile: `${join(folder, 'in')}/` },
    2,
  );
  assert.equal(events.at(-1)!.type, 'profile');
  assert.equal(readdirSync(join(folder, 'in')).length, 1);
});

test('a place where no trace can be written is refused before training', async () => {
  await assert.rejects(
    openProfile(join(data, 'step')),
    (e) => e instanceof UserError && e.message.includes(data),
  );
});
