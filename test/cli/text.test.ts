import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  formatFigure,
  formatFixed,
  formatNumber,
  formatSeconds,
  harmless,
  plural,
  quote,
  textPairs,
  textTable,
  wrap,
} from '../../src/cli/text.ts';

test('tables are aligned, cut and narrowed to the width', () => {
  const columns = [{ name: 'age', numeric: true }, { name: 'job' }, { name: 'town' }];
  const rows = [
    ['7', 'clerk', 'Bonn'],
    ['39', 'a'.repeat(40), 'Rome'],
  ];
  assert.deepEqual(textTable(columns, rows, 80), [
    'age  job                           town',
    '  7  clerk                         Bonn',
    ` 39  ${'a'.repeat(27)}…  Rome`,
  ]);
  assert.deepEqual(textTable(columns, [rows[0]!], 12), ['age  job', '  7  clerk', 'and 1 more …']);
  assert.deepEqual(
    textPairs([
      ['a', '1'],
      ['bcd', ''],
    ]),
    ['  a    1', '  bcd'],
  );
});

test('wrapping loses no word and keeps the width and the blanks in front', () => {
  const word = fc.string({ minLength: 1, maxLength: 9 }).map((s) => s.replace(/\s/g, 'x'));
  fc.assert(
    fc.property(
      fc.array(word, { minLength: 1 }),
      fc.integer({ min: 14, max: 60 }),
      fc.nat(3),
      (words, width, front) => {
        const lines = wrap(' '.repeat(front) + words.join(' '), width, '    ');
        assert.deepEqual(lines.join(' ').trim().split(/ +/), words);
        assert.ok(lines[0]!.startsWith(' '.repeat(front)));
        for (const line of lines) assert.ok(line.length <= width, line);
      },
    ),
  );
});

test('numbers, durations and words read well', () => {
  assert.deepEqual([102.134, 0.01234, -3.4, 651_424, 12_345.6, Number.NaN, -Infinity].map(formatNumber), [
    '102.13',
    '0.0123',
    '−3.40',
    '651,424',
    '12,346',
    '–',
    '−∞',
  ]);
  assert.deepEqual(
    [1234.5, -0.016].map((v) => formatFixed(v)),
    ['1,234.50', '−0.02'],
  );
  assert.deepEqual([14, 17.89].map(formatFigure), ['      14    ', '      17.890']);
  assert.deepEqual([0.42, 9.96, 61, 3723].map(formatSeconds), ['0.4 s', '10 s', '1:01', '1:02:03']);
  assert.deepEqual([plural(1, 'row'), plural(1200, 'row')], ['1 row', '1,200 rows']);
  assert.deepEqual(['a.csv', "it's here"].map(quote), ['a.csv', `'it'\\''s here'`]);
});

test('what would steer a terminal is written out, and colours are left', () => {
  assert.equal(harmless('a\x1b[2Jb\x07\x9bc\r'), 'a\\x1b[2Jb\\x07\\x9bc\\x0d');
  assert.equal(harmless('\x1b[8mx\u202e'), '\\x1b[8mx\\u202e');
  assert.equal(harmless('\x1b[33mNote\x1b[39m: é\t–\n'), '\x1b[33mNote\x1b[39m: é\t–\n');
});

test('numbers of very many digits are told by their magnitude', () => {
  assert.deepEqual([1.04e30, -4.84e25, 123_456].map(formatNumber), ['1.04e30', '−4.84e25', '123,456']);
  assert.equal(formatFixed(-2.5e18), '−2.50e18');
});
