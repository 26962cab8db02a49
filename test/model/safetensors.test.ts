import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { UserError } from '../../src/errors.ts';
import { readSafetensors, type Tensors, writeSafetensors } from '../../src/model/safetensors.ts';

const tensors: Tensors = {
  'encoder.0.weight': { shape: [2, 3], data: Float32Array.of(1, -2, 3.5, 0, -0, Number.NaN) },
  empty: { shape: [0, 4], data: new Float32Array(0) },
  scalar: { shape: [], data: Float32Array.of(7) },
};

/** A file with this header text, this many bytes of data and, if given, another header length. */
function file(header: string, size = 0, length?: number): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + size);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? text.length), true);
  bytes.set(text, 8);
  return bytes;
}
const entry = (name: string, rest = '"dtype":"F32","shape":[1],"data_offsets":[0,4]') =>
  `"${name}":{${rest}}`;

test('what is written is read back bit for bit', () => {
  const name = fc.string().filter((s) => s !== '__proto__' && s !== '__metadata__');
  const data = fc.float32Array({ maxLength: 20 });
  fc.assert(
    fc.property(fc.dictionary(name, data), fc.dictionary(name, fc.string()), (arrays, metadata) => {
      const given = Object.entries(arrays).map(([k, v]) => [k, { shape: [v.length], data: v }] as const);
      const back = readSafetensors(writeSafetensors(Object.fromEntries(given), metadata));
      assert.deepEqual({ ...back.metadata }, { ...metadata });
      assert.deepEqual(Object.keys(back.tensors), Object.keys(arrays));
      for (const [k, v] of Object.entries(arrays)) {
        assert.deepEqual(new Uint32Array(back.tensors[k]!.data.slice().buffer), bits(v));
      }
    }),
  );
});

const bits = (a: Float32Array) => new Uint32Array(a.slice().buffer);

test('the layout is the published one', () => {
  const bytes = writeSafetensors({ a: { shape: [1], data: Float32Array.of(1) } }, { step: '3' });
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assert.equal((8 + length) % 8, 0);
  const header = new TextDecoder().decode(bytes.subarray(8, 8 + length));
  assert.match(
    header,
    /^\{"__metadata__":\{"step":"3"\},"a":\{"dtype":"F32","shape":\[1\],"data_offsets":\[0,4\]\}\} *$/,
  );
  assert.deepEqual([...bytes.subarray(8 + length)], [0, 0, 0x80, 0x3f]);
});

test('aligned files are read without copying, others correctly', () => {
  const bytes = writeSafetensors(tensors);
  assert.equal(readSafetensors(bytes).tensors['scalar']!.data.buffer, bytes.buffer);
  const shifted = new Uint8Array(bytes.length + 1);
  shifted.set(bytes, 1);
  const back = readSafetensors(shifted.subarray(1)).tensors;
  assert.deepEqual(bits(back['encoder.0.weight']!.data), bits(tensors['encoder.0.weight']!.data));
});

const hostile: Record<string, [Uint8Array, RegExp]> = {
  nothing: [new Uint8Array(0), /truncated: 0 bytes/],
  'half a length': [new Uint8Array(7), /truncated: 7 bytes/],
  'header beyond the file': [file('{}', 0, 3), /truncated: the header claims 3 bytes, the file has 10/],
  'header of 101 MB': [file('{}', 0, 101e6), /claims 101000000 bytes, more than 100000000/],
  'header of 2⁶⁴ − 1': [new Uint8Array(16).fill(255), /claims 18446744073709552000 bytes/],
  'not UTF-8': [file('{}').fill(0xff, 8), /not UTF-8/],
  'not JSON': [file('{"a":'), /not JSON/],
  'a list': [file('[]'), /not a JSON object/],
  'entry is a number': [file('{"a":1}'), /tensor "a": its entry is not an object/],
  'half precision': [
    file(`{${entry('a', '"dtype":"F16","shape":[1],"data_offsets":[0,2]')}}`, 2),
    /dtype is "F16", only F32/,
  ],
  'negative dimension': [
    file(`{${entry('a', '"dtype":"F32","shape":[-1],"data_offsets":[0,4]')}}`, 4),
    /shape \[-1\]/,
  ],
  'shape overflow': [
    file(`{${entry('a', '"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]')}}`, 4),
    /overflows/,
  ],
  'overflow behind a zero': [
    file(
      `{${entry('a', '"dtype":"F32","shape":[9007199254740991,9007199254740991,0],"data_offsets":[0,0]')}}`,
    ),
    /overflows/,
  ],
  'wrong size': [
    file(`{${entry('a', '"dtype":"F32","shape":[2],"data_offsets":[0,4]')}}`, 4),
    /takes 8 bytes, data_offsets span 4/,
  ],
  'offsets reversed': [
    file(`{${entry('a', '"dtype":"F32","shape":[1],"data_offsets":[4,0]')}}`, 4),
    /span -4/,
  ],
  'one offset': [
    file(`{${entry('a', '"dtype":"F32","shape":[1],"data_offsets":[0]')}}`, 4),
    /not two whole numbers/,
  ],
  overlap: [file(`{${entry('a')},${entry('b')}}`, 4), /tensor "b": its data overlap/],
  gap: [
    file(`{${entry('a', '"dtype":"F32","shape":[1],"data_offsets":[4,8]')}}`, 8),
    /4 bytes before its data/,
  ],
  'data cut off': [file(`{${entry('a')}}`, 3), /truncated: its data end at byte 4, the file has 3/],
  'data behind': [file(`{${entry('a')}}`, 6), /2 bytes at the end/],
  'one name twice': [file(`{${entry('a')},${entry('a')}}`, 4), /two entries are called a/],
  'one name twice, escaped, blanks': [
    file(`{${entry('a')}, "\\u0061"${' '.repeat(99)}:{}}`, 4),
    /two entries are called a/,
  ],
  prototype: [file(`{${entry('__proto__')}}`, 4), /__proto__ is refused/],
  'prototype in metadata': [file('{"__metadata__":{"__proto__":"x"}}'), /__proto__ is refused/],
  'metadata of numbers': [file('{"__metadata__":{"a":1}}'), /__metadata__\.a is not a text/],
};
for (const [name, [bytes, message]] of Object.entries(hostile)) {
  test(`hostile file: ${name}`, () => {
    assert.throws(
      () => readSafetensors(bytes, 'weights.safetensors'),
      (error: Error) => {
        assert.ok(error instanceof UserError, String(error.stack));
        assert.match(error.message, /^weights\.safetensors: /);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test('no mutation of a file gives anything but tensors or a UserError', () => {
  const good = writeSafetensors(tensors, { step: '12' });
  const edit = fc.tuple(
    fc.nat(good.length - 1),
    fc.oneof(fc.nat(255), fc.constantFrom(...[...'{}[]",:0'].map((c) => c.charCodeAt(0)))),
  );
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), fc.nat(good.length), (edits, cut) => {
      const bytes = good.slice(0, edits.length % 2 ? good.length : cut);
      for (const [at, value] of edits) if (at < bytes.length) bytes[at] = value;
      try {
        readSafetensors(bytes);
      } catch (error) {
        assert.ok(error instanceof UserError, String((error as Error).stack));
      }
    }),
    { numRuns: 2000 },
  );
});
