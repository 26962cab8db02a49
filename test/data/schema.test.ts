/** Schemas survive JSON; a mistake in one is told with its path. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadSchemaFile, parseSchemaOrEdits } from '../../src/data/edits.ts';
import { parseSchema } from '../../src/data/schema.ts';
import { put, temporaryFolder } from './files.ts';

const age = {
  name: 'age',
  type: 'integer',
  min: 1,
  max: 3,
  distinct: 3,
  transform: { kind: 'quantile', values: [1, 2, 3], atoms: [4, 5, 6] },
};
const schema = (...fields: unknown[]) => ({ version: 1, fields });

test('defaults are filled in and JSON gives the same schema back', () => {
  const parsed = parseSchema(schema(age, { name: 'id', role: 'ignored' }));
  assert.deepEqual(parseSchema(JSON.parse(JSON.stringify(parsed))), parsed);
  assert.deepEqual(parsed.fields[1], { name: 'id', role: 'ignored', type: 'text', reason: 'set by hand' });
});

const mistakes: Record<string, [unknown, RegExp]> = {
  'an unknown key': [schema({ ...age, colour: 'red' }), /"age"[\s\S]*"colour"[\s\S]*fields\[0\]/],
  'an unknown type': [schema({ ...age, type: 'int' }), /"age"[\s\S]*fields\[0\]\.type/],
  'a range upside down': [schema({ ...age, min: 9, max: 2 }), /field "age": min 9 is above max 2/],
  'whole numbers that are none': [
    schema({ ...age, max: 1e300 }),
    /field "age": 1e\+300 is beyond ±\(2\^53 − 1\)/,
  ],
  'a missing constant': [schema({ ...age, min: undefined }), /fields\[0\]\.min/],
  'a wrong likelihood': [
    schema({ ...age, likelihood: 'poisson' }),
    /"poisson" does not go with the transform "quantile"/,
  ],
  'two fields of one name': [schema(age, age), /two fields are called "age"/],
  'knots out of order': [
    schema({ ...age, transform: { kind: 'quantile', values: [2, 1], atoms: [1, 1] } }),
    /values are not strictly increasing/,
  ],
  'knots of different length': [
    schema({ ...age, transform: { kind: 'quantile', values: [1, 2], atoms: [1] } }),
    /atoms has 1 entries, values 2/,
  ],
  'a category listed twice': [
    schema({ name: 'c', type: 'category', categories: ['a', 'a'], counts: [1, 2] }),
    /distinct categories have 2 and 1/,
  ],
  'no version': [{ fields: [age] }, /version/],
  'no fields': [schema(), /fields/],
  'something else': ['age', /schema/],
};
for (const [name, [json, message]] of Object.entries(mistakes)) {
  test(`refused: ${name}`, () => {
    assert.throws(() => parseSchema(json), { name: 'UserError', message });
  });
}

test('a file is a whole schema or edits; anything else is refused with its path', async () => {
  const folder = temporaryFolder();
  const file = (name: string, content: unknown) => put(folder, name, JSON.stringify(content));
  assert.deepEqual(await loadSchemaFile(file('whole.json', schema(age))), parseSchema(schema(age)));
  const edits = { fields: [{ name: 'age', transform: 'standard' }] };
  assert.deepEqual(await loadSchemaFile(file('edits.json', edits)), edits);
  assert.throws(
    () => parseSchemaOrEdits({ fields: [{ name: 'a', rolle: 'x' }] }),
    /"rolle"[\s\S]*fields\[0\]/,
  );
  await assert.rejects(loadSchemaFile(put(folder, 'bad.json', '{')), /is not JSON/);
  await assert.rejects(loadSchemaFile(`${folder}/none.json`), /cannot be read/);
});
