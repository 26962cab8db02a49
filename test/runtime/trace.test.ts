import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { readTrace, type Trace } from '../../src/runtime/index.ts';

/** Written by ONNX Runtime for three runs of the `linearStep` of model.ts. */
const text = readFileSync(new URL('linear-step.trace', import.meta.url), 'utf8');
const all = () => true;
const read = (of: string, isWanted: (run: number) => boolean = all) => readTrace(of.split('\n'), isWanted);
const microseconds = ({ nodes }: Trace) => nodes.map(({ seconds }) => Math.round(seconds * 1e7) / 10);

test('a trace gives the nodes, what they work on, and their mean time over the runs asked for', async () => {
  const trace = await read(text, (run) => run > 0);
  assert.equal(trace.runs, 2);
  assert.deepEqual(
    trace.nodes.map(({ name, op }) => [name, op]),
    [
      ['encoder.0/MatMul_1', 'MatMul'],
      ['encoder.0/MatMul_5/MatmulTransposeFusion/', 'FusedMatMul'],
      ['loss/Mul_2', 'Mul'],
      ['loss/ReduceSum_3', 'ReduceSum'],
    ],
  );
  assert.deepEqual(microseconds(trace), [(13 + 8) / 2, (5 + 4) / 2, (3 + 3) / 2, (5 + 4) / 2]);
  const [product, , , sum] = trace.nodes;
  assert.deepEqual([product!.inputs, product!.outputs, sum!.outputs], [[[2, 2], [2, 2]], [[2, 2]], [[1, 1]]]); // biome-ignore format: matrices
});

test('the first run is run 0, and none asked for gives none', async () => {
  assert.deepEqual(microseconds(await read(text, (run) => run === 0)), [79, 7, 14, 12]);
  assert.deepEqual(await read(text, () => false), { runs: 0, nodes: [] });
});

test('wherever a trace is cut off, the runs before are what they were', async () => {
  const ends = [...text.matchAll(/"model_run"/g)].map(({ index }) => index + '"model_run"'.length);
  const whole = [
    microseconds(await read(text, (run) => run < 1)),
    microseconds(await read(text, (run) => run < 2)),
  ];
  for (let at = 0; at < text.length; at += 97) {
    const runs = ends.filter((end) => end <= at).length;
    const cut = await read(text.slice(0, at));
    assert.equal(cut.runs, runs, `cut at ${at}`);
    if (runs === 1 || runs === 2) assert.deepEqual(microseconds(cut), whole[runs - 1]);
  }
});

test('lines that are damaged or something else are passed over', async () => {
  const odd = [
    '',
    'null,',
    '5,',
    '"_kernel_time"',
    '{"name":"a_kernel_time"',
    '{"name":"b_kernel_time","dur":"x"},',
  ];
  assert.deepEqual(await read([...odd, text].join('\n')), await read(text));
  const bare = await read('{"name":"b_kernel_time","dur":3},\n{"name":"model_run"}');
  assert.deepEqual(bare.nodes, [{ name: 'b', op: '', inputs: [], outputs: [], seconds: 3e-6 }]);
});
