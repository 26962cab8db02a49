/** Every command once, from data to samples and back, as a person would type it. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import sharp from 'sharp';
import { openDataset } from '../../src/data/index.ts';
import { packageVersion } from '../../src/model/version.ts';
import { READY } from '../../src/tasks/assembly-desk.ts';
import { compile, elbo, newFolder, quickly, writeTable } from './elbo.ts';

const [folder, program] = [newFolder(), newFolder()];
let main = '';
const run = async (...words: string[]) => {
  const outcome = await elbo(main, words, folder);
  assert.equal(outcome.code, 0, `${words.join(' ')}\n${outcome.err}`);
  return outcome;
};
const lines = (text: string) => text.trimEnd().split('\n');
const jsonLines = (text: string) => lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);
const file = (name: string) => readFileSync(join(folder, name), 'utf8');

before(async () => {
  main = await compile(program);
  writeTable(join(folder, 'table.csv'));
  await run('train', 'table.csv', '--out', 'a.model', ...quickly);
});
after(async () => {
  for (const path of [folder, program]) await rm(path, { recursive: true, force: true });
});

test('help and version', async () => {
  assert.match((await run('--help')).out, /^elbo .*\n\nUsage: elbo <command>/);
  assert.equal((await run('--version')).out, `${packageVersion()}\n`);
  const { out } = await run('train', '--help');
  for (const part of [
    'Usage: elbo train <data>',
    '--learning-rate <n>',
    '--network mlp|conv',
    '--resume',
    'elbo train adult.csv',
  ])
    assert.ok(out.includes(part), part);
});

test('train says what it does on stderr and where things are on stdout', async () => {
  const { out, err } = await run('train', 'table.csv', '--out', 'b.model', ...quickly);
  assert.match(err, /table\.csv: 3 fields; rows: \d+ train/);
  assert.match(err, /Choices\n/);
  assert.match(err, /\n +1\/1 .* best\n/);
  assert.match(err, /Next\n +elbo sample b\.model/);
  assert.ok(!err.includes('\u001b') && !err.includes('\r'), 'plain where nobody looks');
  assert.match(out, /^Model {3}b\.model\nReport {2}b\.model\/report\.html\n/);
  assert.ok(existsSync(join(folder, 'b.model', 'report.html')));
});

test('train --json gives events, one a line, and nothing else', async () => {
  const { out, err } = await run('train', 'table.csv', '--out', 'c.model', '--json', ...quickly);
  const types = jsonLines(out).map((event) => event['type']);
  for (const type of ['plan', 'start', 'step', 'epoch', 'end', 'saved'])
    assert.ok(types.includes(type), type);
  assert.equal(err, '');
});

test('sample gives rows of the table: CSV in a pipe, files by their ending', async () => {
  const { out } = await run('sample', 'a.model', '-n', '5');
  assert.equal(lines(out)[0], 'size,weight,kind');
  assert.equal(lines(out).length, 6);
  for (const line of lines(out).slice(1)) assert.match(line, /^\d+,[\d.]+,(red|green|blue)$/);
  await run('sample', 'a.model', '-n', '5', '--out', 'rows.csv');
  assert.equal(file('rows.csv'), out, 'the same seed gives the same rows');
  const rows = jsonLines((await run('sample', 'a.model', '-n', '5', '--json')).out);
  assert.deepEqual(
    rows.map((row) => typeof row['size'] + typeof row['kind']),
    Array(5).fill('numberstring'),
  );
  await run('sample', 'a.model', '-n', '5', '--seed', '1', '--out', 'rows.csv', '--overwrite');
  assert.notEqual(file('rows.csv'), out);
});

test('impute fills gaps and leaves the rest as it is written, columns it does not know among it', async () => {
  writeFileSync(
    join(folder, 'gaps.csv'),
    `who,size,weight,kind\n${Array.from({ length: 60 }, (_, i) => `n${i},${i % 4 ? `${i % 9}.50` : '?'},${i}.50,${i % 5 ? 'red' : ''}`).join('\n')}\nlast,1,2.50,green\n`,
  );
  await run('train', 'gaps.csv', '--out', 'gaps.model', ...quickly);
  const { out, err } = await run('impute', 'gaps.model', 'gaps.csv', '--samples', '5', '--threads', '1');
  assert.match(err, /27 gaps filled, in 24 of 61 rows\.\nEffective samples: [\d.]+ of 5/);
  const [was, now] = [file('gaps.csv'), out].map((text) => lines(text).map((line) => line.split(',')));
  was!.forEach((row, i) => {
    row.forEach((cell, j) => {
      if (cell === '?' || cell === '') assert.match(now![i]![j]!, j === 1 ? /^\d(\.\d+)?$/ : /^(red|green)$/);
      else assert.equal(now![i]![j], cell);
    });
  });
  const saved = await run(
    ...['impute', 'gaps.model', 'gaps.csv', '--samples', '5', '--draws', '2', '--out', 'f.parquet', '--json'],
  );
  const [told] = jsonLines(saved.out) as [{ paths: string[]; cells: number }];
  assert.deepEqual([told.paths, told.cells], [['f-1.parquet', 'f-2.parquet'], 27]);
  await run('impute', 'gaps.model', 'f-1.parquet', '--uncertainty', '--out', 'g.csv', '--threads', '1');
  assert.equal(lines(file('g.csv'))[0], 'who,size,weight,kind,size sd,kind probability');
});

test('codes that encode writes are what decode reads', async () => {
  await run('encode', 'a.model', 'table.csv', '--split', 'test', '--out', 'codes.csv');
  assert.equal(lines(file('codes.csv'))[0], 'row,mean_1,mean_2,log_var_1,log_var_2');
  await run('encode', 'a.model', 'table.csv', '--split', 'test', '--out', 'codes.npy');
  const [fromCsv, fromNpy] = [
    await run('decode', 'a.model', 'codes.csv'),
    await run('decode', 'a.model', 'codes.npy'),
  ];
  assert.equal(fromCsv.out, fromNpy.out);
  const { out } = await run('reconstruct', 'a.model', 'table.csv', '--split', 'test');
  assert.equal(out, fromCsv.out, 'reconstruction is decoding of the encoded mean');
});

test('refit fits a sampler, sample draws from it unless told otherwise, info lists it', async () => {
  const { out: before } = await run('sample', 'b.model', '-n', '5');
  const { out, err } = await run('refit', 'b.model', 'table.csv', '--components', '2');
  assert.match(err, /^gmm, components 2, covariance full, iterations 200; fitted to \d+ rows of 2 latent/);
  assert.match(out, /^Sampler {2}.*samplers.gmm\.safetensors\n +−log p\(z\) .*nats\n/);
  const sampled = await run('sample', 'b.model', '-n', '5');
  assert.match(sampled.err, /z comes from the sampler gmm; --sampler prior draws it from the prior/);
  assert.notEqual(sampled.out, before);
  assert.equal((await run('sample', 'b.model', '-n', '5', '--sampler', 'prior')).out, before);
  assert.match((await run('info', 'b.model')).out, /Samplers.*\n +gmm +components 2/);
  const events = jsonLines((await run('refit', 'b.model', 'table.csv', '--json')).out);
  assert.deepEqual([events[0]!['type'], events.at(-1)!['type']], ['plan', 'saved']);
});

test('evaluate, info and schema print for people and for programs', async () => {
  const evaluation = jsonLines(
    (await run('evaluate', 'a.model', 'table.csv', '--samples', '10', '--json')).out,
  )[0]!;
  const { negativeElbo, logPx, kl } = evaluation as Record<string, number>;
  assert.ok(Math.abs(negativeElbo! - (kl! - logPx!)) < 1e-9);
  const { out } = await run('evaluate', 'a.model', 'table.csv', '--samples', '10');
  assert.match(out, /^Likelihood +95 %\n {2}−ELBO +[\d.]+ +nats +[\d.]+ to [\d.]+/);
  assert.match(out, /log p\(x\) +\S+ +nats +\S+ to \S+/);
  assert.match(out, /10 samples of q\(z\|x\) for each of/);
  assert.match(out, /\nNot measured\n/);
  assert.equal(jsonLines((await run('info', 'a.model', '--json')).out)[0]!['format'], 'elbo-model');
  assert.match((await run('info', 'a.model')).out, /\n3 fields\n/i);
  await run('schema', 'table.csv', '--out', 'schema.json');
  assert.equal((JSON.parse(file('schema.json')) as { fields: unknown[] }).fields.length, 3);
  await run('train', 'table.csv', '--schema', 'schema.json', '--out', 'd.model', ...quickly);
});

test('explain tells dimensions and rows, and writes traversals', async () => {
  const { out } = await run('explain', 'a.model', 'table.csv', '--row', '3', '--neighbours', '2');
  assert.match(
    out,
    /^Latent dimensions, those that say most first\n {2}z +KL +field +of +at −2σ +at 2σ +slope\n/,
  );
  assert.match(out, /\nRow 3 \(\w+\): ELBO −[\d.]+ nats, higher than that of \S+ % of rows/);
  assert.match(out, /\n {2}nearest row +distance +size +weight +kind\n( {2}\d+ .*\n){2}\n/);
  const found = jsonLines((await run('explain', 'a.model', 'table.csv', '--row', '3', '--json')).out)[0]!;
  const [row] = found['explained'] as { row: number; original: object; nearest: { values: object }[] }[];
  assert.deepEqual([row!.row, row!.original], [3, { size: 3, weight: 2.75, kind: 'red' }]);
  assert.deepEqual(Object.keys(row!.nearest[0]!.values), ['size', 'weight', 'kind']);
  await run('explain', 'a.model', 'table.csv', '--steps', '3', '--out', 'along.csv');
  assert.match(file('along.csv'), /^latent,latent_sigmas,latent_value,size,weight,kind\nz_\d,-2\.0,/);
  assert.equal(lines(file('along.csv')).length, 1 + 2 * 3);
  const refused = await elbo(main, ['explain', 'a.model', 'table.csv', '--out', 'along.csv'], folder);
  assert.match(refused.err, /along\.csv exists already: --overwrite replaces it/);
  const beyond = await elbo(main, ['explain', 'a.model', 'table.csv', '--row', '80'], folder);
  assert.deepEqual([beyond.code, beyond.out], [2, '']);
  assert.match(beyond.err, /row 80: .*table\.csv has 80 rows, numbered from 0 to 79/);
});

test('pictures become folders of pictures with a contact sheet', async () => {
  mkdirSync(join(folder, 'pictures'));
  for (let i = 0; i < 24; i++) {
    const pixels = Uint8Array.from({ length: 8 * 8 }, (_, p) => ((p + i) % 8 < 4 ? 0 : 255));
    const picture = sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } });
    await picture.png().toFile(join(folder, 'pictures', `${i}.png`));
  }
  const options = ['--epochs', '1', '--latent', '2', '--network', 'mlp', '--hidden', '8', '--threads', '1'];
  await run('train', 'pictures', '--out', 'p.model', ...options);
  await run('sample', 'p.model', '-n', '3', '--out', 'made');
  assert.deepEqual(readdirSync(join(folder, 'made')).sort(), [
    '0001.png',
    '0002.png',
    '0003.png',
    'contact.png',
  ]);
  await run('reconstruct', 'p.model', 'pictures', '-n', '4', '--out', 'again/');
  const { width = 0, height = 0 } = await sharp(join(folder, 'again', 'contact.png')).metadata();
  assert.ok(width > height, 'four pairs stand side by side');
  await run('explain', 'p.model', 'pictures', '--row', '2', '--steps', '4', '--rows', '10', '--out', 'why');
  assert.deepEqual(readdirSync(join(folder, 'why')).sort(), ['row-2.png', 'traversals.png']);
  const sheet = await sharp(join(folder, 'why', 'traversals.png')).metadata();
  assert.deepEqual(
    [sheet.width, sheet.height],
    [2 + 7 * 58, 2 + 2 * 58],
    'a number, four steps, a gap, a map',
  );
  const refused = await elbo(main, ['sample', 'p.model', '--out', 'made'], folder);
  assert.match(refused.err, /made exists already: --overwrite replaces it/);
  const lost = await elbo(main, ['sample', 'p.model'], folder);
  assert.match(lost.err, /the results are pictures: say where they go with --out/);
});

test('conditions from training to codes and back', async () => {
  await run('train', 'table.csv', '--condition', 'kind', '--out', 'e.model', ...quickly);
  const { out } = await run('sample', 'e.model', '-n', '7', '--given', 'kind=blue');
  assert.equal(lines(out)[0], 'size,weight,kind');
  for (const line of lines(out).slice(1)) assert.match(line, /,blue$/);
  await run('encode', 'e.model', 'table.csv', '--split', 'test', '--out', 'given.csv');
  assert.equal(lines(file('given.csv'))[0], 'row,kind,mean_1,mean_2,log_var_1,log_var_2');
  const again = await run('decode', 'e.model', 'given.csv');
  assert.equal((await run('reconstruct', 'e.model', 'table.csv', '--split', 'test')).out, again.out);
  const red = await run('decode', 'e.model', 'given.csv', '--given', 'kind=red');
  for (const line of lines(red.out).slice(1)) assert.match(line, /,red$/);
  await run('encode', 'e.model', 'table.csv', '--split', 'test', '--out', 'given.npy');
  assert.equal((await run('decode', 'e.model', 'given.npy', '--given', 'kind=red')).out, red.out);
  const refused = await elbo(main, ['decode', 'e.model', 'given.npy'], folder);
  assert.match(refused.err, /is given "kind", and the codes come without/);
});

test('labelled pictures come with a table of what each was given', async () => {
  for (const name of ['round', 'square']) {
    mkdirSync(join(folder, 'shapes', name), { recursive: true });
    for (let i = 0; i < 12; i++) {
      const pixels = Uint8Array.from({ length: 64 }, (_, p) => ((p * (i + 1)) % 8 < 4 ? 0 : 255));
      const picture = sharp(pixels, { raw: { width: 8, height: 8, channels: 1 } });
      await picture.png().toFile(join(folder, 'shapes', name, `${i}.png`));
    }
  }
  const options = ['--epochs', '1', '--latent', '2', '--network', 'mlp', '--hidden', '8', '--threads', '1'];
  await run('train', 'shapes', '--condition', 'label', '--out', 's.model', ...options);
  await run('sample', 's.model', '-n', '2', '--given', 'label=square', '--out', 'squares');
  assert.equal(file('squares/conditions.csv'), 'picture,label\n1,square\n2,square\n');
});

test('models says what a known model stands for and where its page is', async () => {
  const { out } = await run('models', 'ladderVae');
  assert.match(out, /^ladderVae: .* \(Sønderby et al\. 2016\)\n/);
  assert.match(
    out,
    /stands for +elbo train <data> --network ladder --warmup linear --warmup-fraction 0\.2\n/,
  );
  assert.ok(out.endsWith(`page        ${join(program, 'docs/models/ladderVae.md')}\n`), out);
});

test('errors reach programs too', async () => {
  const { code, out, err } = await elbo(main, ['info', 'gone', '--json'], folder);
  assert.equal(code, 2);
  assert.match(String(jsonLines(out)[0]!['message']), /there is no model at/);
  assert.match(err, /^elbo: there is no model at/);
  const { err: stack } = await elbo(main, ['info', 'gone', '--debug'], folder);
  assert.match(stack, /\n +at /);
});

test('the thread that puts batches together is there for the published command', async () => {
  const data = await openDataset(join(folder, 'table.csv'));
  await data.close();
  const control = new Int32Array(new SharedArrayBuffer(32));
  const worker = new Worker(join(dirname(main), 'assembly-thread.js'), {
    workerData: { schema: data.schema, seed: 0, control, all: [], own: [], index: new Int32Array(0) },
  });
  try {
    for (let tries = 0; control[READY] === 0; tries++) {
      assert.ok(tries < 1000, 'the thread never came');
      await setTimeout(10);
    }
  } finally {
    await worker.terminate();
  }
});

test('what cannot be read is said by every verb that reads data, and is not lost', async () => {
  const broken = 'size,weight,kind\n3,2.5,red\nBROKEN\n10,,green\n4,abc,red\n12,1.25,blue\n';
  writeFileSync(join(folder, 'broken.csv'), broken);
  const holes = file('table.csv')
    .replace(/,[\d.]+,/, ',,')
    .replace(/,blue\n/, ',\n');
  writeFileSync(join(folder, 'holes.csv'), holes);
  await run('train', 'holes.csv', '--out', 'holes.model', ...quickly);
  const said = /Note: .*broken\.csv: 1 line cannot be read and is left out \(line 3: 1 values instead of 3\)/;
  for (const words of [['encode'], ['reconstruct'], ['evaluate', '--rows', '0'], ['impute']]) {
    const { err } = await run(words[0]!, 'holes.model', 'broken.csv', ...words.slice(1));
    assert.match(err.replaceAll(/\s+/g, ' '), said, words[0]);
  }
  const told = await run('encode', 'holes.model', 'broken.csv', '--json');
  assert.match(told.err, /1 line cannot be read/);
  const { out, err } = await run('impute', 'holes.model', 'broken.csv', '--out', 'mended.csv');
  assert.match(out, /4 rows/);
  assert.match(err, /1 gap filled; what is there but not understood stays as it is written/);
  assert.doesNotMatch(err, /--missing/);
  assert.match(file('mended.csv'), /^4,abc,red$/m);
  const inPlace = await elbo(
    main,
    ['impute', 'holes.model', 'broken.csv', '--out', 'broken.csv', '--overwrite'],
    folder,
  );
  assert.equal(inPlace.code, 2);
  assert.match(inPlace.err, /broken\.csv has lines that cannot be read, which would be lost with it/);
  assert.equal(file('broken.csv'), broken);
  writeFileSync(join(folder, 'halves.csv'), 'size,weight,kind\n10.5,,pink\n4,2.125,red\n1e30,abc,red\n');
  const typed = await run('impute', 'holes.model', 'halves.csv', '--out', 'halves.jsonl');
  assert.match(typed.err, /3 gaps filled, in 2 of 3 rows/); // pink and abc are no values of the model; the file has types
  const [half, whole, huge] = jsonLines(file('halves.jsonl'));
  assert.deepEqual([huge!['size'], typeof huge!['weight']], [1e30, 'number']);
  assert.deepEqual([half!['size'], half!['kind'], typeof half!['weight']], [10.5, 'pink', 'number']);
  assert.deepEqual(whole, { size: 4, weight: 2.125, kind: 'red' });
});

test('more rows than memory can hold are refused', async () => {
  const { code, err } = await elbo(main, ['sample', 'a.model', '-n', '1e13'], folder);
  assert.equal(code, 2);
  assert.match(err, /count 10000000000000: so many rows want [\d,]+ GiB of memory/);
});

test('a condition’s gaps are not filled, and that is said', async () => {
  writeFileSync(join(folder, 'given.csv'), file('table.csv').replace(/,red\n/, ',\n'));
  await run('train', 'given.csv', '--condition', 'kind', '--out', 'given.model', ...quickly);
  const { err } = await run('impute', 'given.model', 'given.csv', '--out', 'given-filled.csv');
  assert.match(err, /column "kind": 1 gap stays, since it is a condition/);
});

test('training a model further tells of its samplers and leaves other files in its folder', async () => {
  await run('train', 'table.csv', '--out', 'kept.model', ...quickly);
  await run('refit', 'kept.model', 'table.csv', '--sampler', 'uniformSphere');
  writeFileSync(join(folder, 'kept.model', 'mine.txt'), 'mine');
  const { err } = await run(
    'train',
    'table.csv',
    '--out',
    'kept.model',
    ...quickly,
    '--overwrite',
    '--seed',
    '5',
  );
  assert.match(
    err.replaceAll(/\s+/g, ' '),
    /Note: kept\.model has samplers \(uniformSphere\) of the weights that it has now/,
  );
  assert.equal(file('kept.model/mine.txt'), 'mine');
  assert.ok(!existsSync(join(folder, 'kept.model', 'samplers')));
});
