import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { add, input, mul, toOnnx } from '../../src/graph/index.ts';
import { createArena } from '../../src/runtime/arena.ts';
import { nodeRuntime } from '../../src/runtime/node.ts';
import { anyProduct, linearStep, model } from './model.ts';

const runtime = nodeRuntime({ threads: 1 });
const x = { data: Float32Array.of(1, 2, 3, 4), dims: [2, 2] };
const w = { data: Float32Array.of(1, 0, 0, 10), dims: [2, 2] };
const LOSS = 1 + 400 + 9 + 1600;
const DW = [1 * 1 + 3 * 3, 1 * 20 + 3 * 40, 2 * 1 + 4 * 3, 2 * 20 + 4 * 40];

test('a session knows its inputs and outputs and computes those asked for', async () => {
  const session = await runtime.session(linearStep(2, 2));
  assert.deepEqual(
    [session.inputs, session.outputs],
    [
      ['x', 'w'],
      ['loss', 'dw'],
    ],
  );
  const all = await session.run({ x, w });
  assert.deepEqual(all['loss'], { data: Float32Array.of(LOSS), dims: [1, 1] });
  assert.deepEqual(all['dw'], { data: Float32Array.from(DW), dims: [2, 2] });
  assert.deepEqual(Object.keys(await session.run({ x, w }, ['dw'])), ['dw']);
  await session.dispose();
});

test('a bound call reads and writes arena memory in place', async () => {
  const arena = createArena([4], 2);
  const dw = { data: arena.view(1, 0), dims: [2, 2] };
  const loss = { data: new Float32Array(1), dims: [1, 1] };
  const weights = { data: arena.view(0, 0), dims: [2, 2] };
  weights.data.set(w.data);
  const session = await runtime.session(linearStep(2, 2));
  const call = session.bind({ x, w: weights }, { loss, dw });
  await call();
  assert.deepEqual([loss.data[0], ...dw.data], [LOSS, ...DW]);
  weights.data.fill(0);
  await call();
  assert.deepEqual([loss.data[0], ...dw.data], [0, 0, 0, 0, 0]);
  await session.dispose();
});

test('a bound call of a model whose outputs need not be read makes no arrays, and still says what fails', async () => {
  const size = 1 << 20;
  const [a, b] = [input('a', ['B']), input('b', ['B'])];
  const session = await runtime.session(toOnnx({ twice: mul(a, 2), sum: add(a, b) }, { unread: true }));
  const of = (length: number) => ({ data: new Float32Array(length).fill(3), dims: [length] });
  const outputs = { twice: of(size), sum: of(size) };
  const call = session.bind({ a: of(size), b: of(size) }, outputs);
  await call();
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 4; i++) await call();
  assert.ok(process.memoryUsage().arrayBuffers - before < size, 'outputs were copied');
  assert.deepEqual([outputs.twice.data[7], outputs.sum.data[size - 1]], [6, 6]);
  await assert.rejects(session.bind({ a: of(2), b: of(3) }, outputs)(), /graph\/sum: /);
  await session.dispose();
});

test('an error while running names the layer and keeps the cause', async () => {
  const session = await runtime.session(anyProduct());
  const wrong = { a: x, b: { data: new Float32Array(6), dims: [3, 2] } };
  const isNamed = (e: unknown) =>
    e instanceof Error && e.message.startsWith('decoder.3/MatMul_7: ') && e.cause instanceof Error;
  await assert.rejects(session.run(wrong), isNamed);
  await assert.rejects(session.bind(wrong, { y: { data: new Float32Array(4), dims: [2, 2] } })(), isNamed);
  await session.dispose();
});

test('an error while loading names the layer', async () => {
  const unknown = [{ opType: 'NoSuchOp', name: 'prior/NoSuchOp_1', input: ['a'], output: ['y'] }];
  await assert.rejects(
    runtime.session(model({ a: [1] }, { y: [1] }, unknown)),
    /^Error: prior\/NoSuchOp_1: /,
  );
  const misfit = [{ opType: 'MatMul', name: 'prior/MatMul_2', input: ['a', 'b'], output: ['y'] }];
  const shapes = { a: [2, 3], b: [4, 5] };
  await assert.rejects(runtime.session(model(shapes, { y: [2, 5] }, misfit)), /^Error: prior\/MatMul_2: /);
  await assert.rejects(runtime.session(new Uint8Array([1, 2, 3])), /ONNX Runtime failed loading the model/);
});

test('values that do not fit are refused with what was expected', async () => {
  const session = await runtime.session(linearStep(2, 2));
  const refused = (feeds: Parameters<typeof session.run>[0], message: RegExp) =>
    assert.rejects(async () => session.run(feeds), message);
  await refused({ x, w, z: x }, /no input or output "z"; it has x, w, loss, dw/);
  await refused(
    { x, w: { data: new BigInt64Array(4), dims: [2, 2] } },
    /"w" is float32 .* given BigInt64Array/,
  );
  await refused({ x, w: { data: new Float32Array(5), dims: [2, 2] } }, /\[2,2\] wants 4 values, given 5/);
  await refused({ x }, /w/);
  const tooSmall = { data: new Float32Array(2), dims: [1, 2] };
  await assert.rejects(session.bind({ x, w }, { dw: tooSmall })(), /ONNX Runtime failed/);
  await session.dispose();
});

test('a profile is written on dispose', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'elbo-profile-'));
  const session = await runtime.session(linearStep(2, 2), { profile: join(folder, 'step') });
  await session.run({ x, w });
  await session.dispose();
  assert.equal(readdirSync(folder).length, 1);
  rmSync(folder, { recursive: true });
});

test('a profile can end before the session does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'elbo-profile-'));
  const session = await runtime.session(linearStep(2, 2), { profile: join(folder, 'step') });
  for (let run = 0; run < 5; run++) {
    if (run === 2) session.endProfile();
    assert.deepEqual((await session.run({ x, w }))['loss']!.data, Float32Array.of(LOSS));
  }
  session.endProfile();
  await session.dispose();
  const text = readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8');
  assert.equal(text.match(/"model_run"/g)!.length, 2);
  rmSync(folder, { recursive: true });
});

test('the default thread count is at least one', () => assert.ok(nodeRuntime().threads >= 1));
