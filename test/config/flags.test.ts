import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Table } from '../../src/choice.ts';
import {
  dataOptions,
  type Flag,
  parseChoice,
  parseOptions,
  plainFlags,
  type TableName,
  tables,
  toTrainOptions,
  trainFlags,
  trainOptions,
} from '../../src/config/index.ts';

const flags = new Map(trainFlags().map((flag) => [flag.name, flag]));

/** A value such as a command-line parser would give for the flag. */
function given({ kind, values }: Flag): unknown {
  if (kind === 'one of') return values!.at(-1);
  if (kind === 'switch') return true;
  if (kind === 'numbers') return [12, 8];
  if (kind === 'texts') return ['a', 'b'];
  return kind === 'text' ? 'some text' : undefined;
}

/** Numbers that fit most options, tried in order. */
const NUMBERS = [3, 0.5];

test('no two flags have one name, and each says what it is for', () => {
  assert.equal(flags.size, trainFlags().length);
  for (const { name, brief } of flags.values()) {
    assert.match(name, /^[a-z][a-zA-Z0-9]*$/);
    assert.ok(brief.length > 5, name);
  }
});

test('every plain option has a flag, whose value comes through unchanged', () => {
  for (const name of Object.keys(trainOptions)) {
    const flag = flags.get(name)!;
    const tried = flag.kind === 'number' ? NUMBERS : [given(flag)];
    const fits = tried.filter((value) => {
      const options = toTrainOptions({ [name]: value });
      assert.deepEqual(options, { [name]: value });
      try {
        return (parseOptions(trainOptions, options) as Record<string, unknown>)[name] === value;
      } catch {
        return false;
      }
    });
    if (flag.kind === 'number' || !Array.isArray(tried[0]))
      assert.ok(fits.length > 0, `${name}: nothing fits`);
  }
});

test('every kind of choice can be asked for by its flag', () => {
  for (const [table, entries] of Object.entries(tables)) {
    assert.deepEqual(flags.get(table)!.values, Object.keys(entries));
    for (const kind of Object.keys(entries)) {
      const options = toTrainOptions({ [table]: kind });
      assert.deepEqual(options, { [table]: { kind } });
      const name = table as TableName;
      assert.equal((parseChoice(name, options[name]!) as { kind: string }).kind, kind);
    }
  }
});

test('every option of every choice has a flag, and comes back out of it', () => {
  let count = 0;
  for (const [table, entries] of Object.entries(tables) as [TableName, Table<unknown>][]) {
    for (const [kind, { options }] of Object.entries(entries)) {
      for (const option of Object.keys(options)) {
        const plain = flags.get(option);
        const prefixed = flags.get(`${table}${option[0]!.toUpperCase()}${option.slice(1)}`);
        const flag = table === 'network' || table === 'objective' ? plain : prefixed;
        assert.ok(flag, `${table} ${kind} ${option} has no flag`);
        assert.ok(flag.brief.includes(kind), `${flag.name} names ${kind}`);
        const tried = flag.kind === 'number' ? NUMBERS : [given(flag)];
        const found = tried.some((value) => {
          const asked = toTrainOptions({ [table]: kind, [flag.name]: value });
          assert.deepEqual(asked, { [table]: { kind, [option]: value } });
          try {
            const parsed = parseChoice(table, asked[table]!) as Record<string, unknown>;
            assert.deepEqual(parsed[option], value);
            return true;
          } catch {
            return false;
          }
        });
        assert.ok(found, `${flag.name}: nothing fits`);
        count++;
      }
    }
  }
  assert.ok(count > 20);
});

test('flags that were not given leave no trace', () => {
  assert.deepEqual(toTrainOptions({ hidden: undefined, epochs: undefined }), {});
});

test('kinds of flags follow the types of options', () => {
  const kinds = Object.fromEntries(plainFlags(dataOptions).map(({ name, kind }) => [name, kind]));
  assert.deepEqual(
    [kinds['schema'], kinds['ignore'], kinds['validation'], kinds['size'], kinds['color']],
    ['text', 'texts', 'number', 'numbers', 'one of'],
  );
  assert.equal(flags.get('resume')!.kind, 'switch');
  assert.match(flags.get('priorComponents')!.brief, /\(default 10; vampPrior, vampData 100\)$/);
  assert.match(flags.get('hidden')!.brief, /^mlp: widths of the hidden layers \(default 256,256\)$/);
});
