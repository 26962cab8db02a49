/** What people get wrong: each case gives a message that helps, exit code 2, no stack, and touches no file. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { compile, elbo, fingerprint, newFolder, quickly, writeTable } from './elbo.ts';

const [folder, program] = [newFolder(), newFolder()];
let main = '';
after(async () => {
  for (const path of [folder, program]) await rm(path, { recursive: true, force: true });
});

before(async () => {
  main = await compile(program);
  const file = (name: string, content: string | Uint8Array) => writeFileSync(join(folder, name), content);
  writeTable(join(folder, 'good.csv'));
  const trained = await elbo(main, ['train', 'good.csv', '--out', 'good.model', ...quickly], folder);
  assert.equal(trained.code, 0, trained.err);
  writeTable(join(folder, 'tiny.csv'), 1);
  file('empty.csv', '');
  file('header.csv', 'a,b,c\n');
  file('holes.csv', 'size,weight,kind\n3,,red\n');
  file('notes.docx', 'PK');
  file('broken.parquet', 'PAR1 this is not a table PAR1');
  file('broken.npy', Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0));
  file('other.csv', `length,colour\n${'1,red\n2,green\n'.repeat(9)}`);
  file('not.json', '{"fields": [');
  file('odd.json', '{"fields": [{"name": "hight", "type": "number"}]}');
  file('codes.csv', 'a,b,c\n1,2,3\n');
  file('words.csv', 'z_1,z_2\n0.1,0.2\n0.3,many\n');
  file('far.csv', 'z_1,z_2\n0.1,0.2\n1e39,0\n');
  file('taken.csv', 'mine\n');
  mkdirSync(join(folder, 'nothing'));
  mkdirSync(join(folder, 'thesis'));
  file('thesis/chapter.tex', '\\section{Mine}');
  const damaged = (name: string, harm: (path: string) => void) => {
    cpSync(join(folder, 'good.model'), join(folder, name), { recursive: true });
    harm(join(folder, name));
  };
  damaged('cut.model', (path) => truncateSync(join(path, 'weights.safetensors'), 200));
  damaged('newer.model', (path) => {
    const json = readFileSync(join(path, 'model.json'), 'utf8');
    writeFileSync(join(path, 'model.json'), json.replace('"version": 1', '"version": 99'));
  });
});

const cases: Record<string, [words: string, message: RegExp]> = {
  'a mistyped command': ['trian good.csv', /there is no command "trian", did you mean train\?/],
  'gaps where training had none': [
    'impute good.model holes.csv',
    /column "weight", row 1: no value.*trained without gaps/s,
  ],
  'samples that are no number of samples': ['impute good.model good.csv --samples 0', /samples 0: expected/],
  'several tables and no place for them': ['impute good.model good.csv --draws 3', /--out filled\.csv/],
  'draws and their uncertainty': [
    'impute good.model good.csv --draws 2 --out f.csv --uncertainty',
    /uncertainty is of one table/,
  ],
  'columns beside those of an array': [
    'impute good.model good.csv --out f.npy --uncertainty',
    /an array has no columns beside its own/,
  ],
  'a mistyped option': ['train good.csv --epoch 3', /there is no option --epoch, did you mean --epochs/],
  'a value that is not one of the choices': [
    'train good.csv --network deep',
    /--network: "deep" is not one of mlp, conv/,
  ],
  'a word where a number belongs': ['train good.csv --epochs many', /--epochs: "many" is not a number/],
  'a number out of range': ['train good.csv --out new7.model --epochs 0', /epochs: given 0/],
  'an option of another choice': ['train good.csv --out new0.model --network mlp --channels 8', /channels/],
  'a missing argument': ['train', /<data> is missing/],
  'one word too many': ['train good.csv other.csv', /"other.csv" is one word too many/],
  'data that does not exist': [
    'train gone.csv',
    /gone\.csv.*(no such|does not exist|not found|there is no)/i,
  ],
  'a file of an unknown kind': ['train notes.docx', /notes\.docx.*\.csv/s],
  'an empty file': ['train empty.csv', /empty\.csv.*(empty|no )/],
  'a header without rows': ['train header.csv', /header\.csv: has no rows/],
  'fewer rows than can be trained on': ['train tiny.csv', /row/],
  'a folder without pictures': ['train nothing', /nothing.*picture/s],
  'a damaged Parquet file': ['train broken.parquet --out new5.model', /broken\.parquet/],
  'a cut-off NumPy file': ['train broken.npy --out new6.model', /broken\.npy/],
  'a schema that is not JSON': ['train good.csv --out new1.model --schema not.json', /not\.json.*JSON/s],
  'a schema with a field that is not there': ['train good.csv --out new2.model --schema odd.json', /hight/],
  'an unknown label column': ['train good.csv --out new3.model --label hue', /hue/],
  'an unknown column to ignore': ['train good.csv --out new4.model --ignore hue', /hue/],
  'a model that is there already': ['train good.csv', /already holds a model: --overwrite replaces it/],
  'a folder of somebody else’s': [
    'train good.csv --out thesis --overwrite',
    /not an Elbo model: it is left alone/,
  ],
  'resume and overwrite at once': [
    'train good.csv --out new8.model --resume --overwrite',
    /give one of them/,
  ],
  'a model that does not exist': ['sample gone.model', /there is no model at .*gone\.model/],
  'a file instead of a model': ['info good.csv', /good\.csv is a file, a model is a folder/],
  'a folder that is no model': ['info thesis', /not an Elbo model: it has no model\.json/],
  'damaged weights': ['sample cut.model', /weights\.safetensors is damaged/],
  'a model of a newer version': ['info newer.model', /newer Elbo \(format 99.*upgrade/s],
  'a number of samples below 1': ['sample good.model -n 0', /count 0: expected/],
  'an output file that exists': [
    'sample good.model --out taken.csv',
    /taken\.csv exists already: --overwrite replaces it/,
  ],
  'an output of an unknown kind': ['sample good.model --out rows.docx', /rows\.docx.*\.csv/],
  'data with other columns': ['evaluate good.model other.csv', /size/],
  'an unknown condition': [
    'train good.csv --out new10.model --condition hue',
    /no column "hue"; it has "size"/,
  ],
  'a column left out and given': [
    'train good.csv --out new11.model --condition kind --ignore kind',
    /column "kind" cannot be left out and be a condition/,
  ],
  'nothing left to model': [
    'train good.csv --out new12.model --condition size,weight,kind',
    /no column is left to model: all are ignored or given/,
  ],
  'a prior of conditions without one': [
    'train good.csv --out new13.model --prior conditional',
    /this prior depends on what is given, and nothing is: name fields with --condition/,
  ],
  'a likelihood of pictures for rows': [
    'train good.csv --out new90.model --likelihood autoregressiveBernoulli',
    /likelihood "autoregressiveBernoulli" is for pictures of zeros and ones, and the data has rows/,
  ],
  'a likelihood of zeros and ones for greys': [
    'train sprites --out new91.model --likelihood autoregressiveBernoulli --binarize none --limit 50',
    /zeros and ones, and the data has greys: give --binarize dynamic or static/,
  ],
  'a value for a model that is given nothing': [
    'sample good.model --given kind=red',
    /no condition "kind": the model is given nothing, because it was trained without --condition/,
  ],
  'a value without a name': ['sample good.model --given red', /--given red: expected name=value/],
  'a value given twice': ['sample good.model --given a=1,a=2', /--given a: is given twice/],
  'codes of another size': [
    'decode good.model codes.csv',
    /codes\.csv has 3 columns: expected mean_1 to mean_2/,
  ],
  'more threads than any machine has': [
    'sample good.model --threads 5000',
    /threads 5000: expected a whole number from 1 to 256/,
  ],
  'half a row': ['encode good.model good.csv --count 1.5', /count 1\.5: expected a whole number from 1/],
  'an infinite temperature': [
    'sample good.model --temperature Infinity',
    /temperature Infinity: expected a number from 0/,
  ],
  'codes beyond 32 bits': ['decode good.model far.csv', /far\.csv, row 2, column "z_1": 1e\+39 is too large/],
  'codes to a file of an unknown kind': ['encode good.model good.csv --out codes.docx', /codes\.docx.*\.csv/],
  'convolutions of a table': [
    'train good.csv --out new14.model --network conv',
    /it is for pictures, and these are rows/,
  ],
  'an output on a device': ['sample good.model --out /dev/full', /\/dev\/full: rows can be written as/],
  'a share of rows beside a file of them': [
    'train good.csv --out new15.model --test 0.2 --test-data other.csv',
    /test 0\.2: the test rows are those of other\.csv; give one of --test and --test-data/,
  ],
  'codes that are words': ['decode good.model words.csv', /words\.csv, row 2, column "z_2": not a number/],
};

test(`${Object.keys(cases).length} kinds of bad input`, { concurrency: 2 }, async (t) => {
  const untouched = fingerprint(folder);
  const runs = Object.entries(cases).map(([name, [words, message]]) =>
    t.test(name, async () => {
      const { code, out, err } = await elbo(main, words.split(' '), folder);
      assert.match(err, message);
      assert.match(err, /^elbo: /);
      assert.doesNotMatch(err, /^ +at |node:internal|mistake in Elbo/m);
      assert.equal(out, '');
      assert.equal(code, 2);
    }),
  );
  await Promise.all(runs);
  assert.deepEqual(fingerprint(folder), untouched);
});

test('a full disk behind stdout is told of, and readers of remarks that have gone are not missed', () => {
  const through = (words: string) =>
    spawnSync('sh', ['-c', `"$0" "$1" ${words}`, process.execPath, main], { cwd: folder, encoding: 'utf8' });
  const full = through('sample good.model > /dev/full');
  assert.match(full.stderr, /^elbo: the output cannot be written: .*ENOSPC/);
  assert.equal(full.status, 2);
  const deaf = through(
    `train good.csv --out deaf.model ${quickly.join(' ')} 2>&1 >/dev/null | head -n 1; test -e deaf.model`,
  );
  assert.equal(deaf.status, 0, deaf.stderr);
});
