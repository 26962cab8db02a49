/** Runs a graph through its ONNX bytes in ONNX Runtime, to compare with the reference. */
import assert from 'node:assert/strict';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { toOnnx } from '../../src/graph/onnx.ts';
import type { Tensor } from '../../src/graph/tensor.ts';
import { type Feeds, type Value, value } from '../reference.ts';

export type Outputs = Readonly<Record<string, Tensor>>;

/** Inputs that no output needs may be fed and are ignored. */
export interface Session {
  readonly run: (feeds: Feeds) => Promise<Record<string, Value>>;
  readonly release: () => Promise<void>;
}

export async function open(outputs: Outputs): Promise<Session> {
  const session = await InferenceSession.create(toOnnx(outputs), {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const run = async (feeds: Feeds) => {
    const fed = session.inputNames.map((name) => [name, toOrt(feeds[name]!)] as const);
    const results = await session.run(Object.fromEntries(fed));
    return Object.fromEntries(Object.entries(results).map(([name, t]) => [name, fromOrt(t as OrtTensor)]));
  };
  return { run, release: () => session.release() };
}

export async function runOnce(outputs: Outputs, feeds: Feeds): Promise<Record<string, Value>> {
  const session = await open(outputs);
  const results = await session.run(feeds);
  await session.release();
  return results;
}

function toOrt({ data, shape, dtype }: Value): OrtTensor {
  if (dtype === 'int64') return new OrtTensor('int64', BigInt64Array.from([...data], BigInt), shape);
  if (dtype === 'bool') return new OrtTensor('bool', Uint8Array.from(data), shape);
  return new OrtTensor('float32', Float32Array.from(data), shape);
}

const fromOrt = (t: OrtTensor): Value =>
  value(Array.from(t.data as Iterable<number | bigint>, Number), t.dims, t.type as Value['dtype']);

/** Equal shape, type and values; `tolerance` is relative to the largest element. */
export function expectClose(actual: Value, expected: Value, what: string, tolerance = 5e-5): void {
  assert.equal(actual.dtype, expected.dtype, `${what}: type`);
  assert.deepEqual([...actual.shape], [...expected.shape], `${what}: shape`);
  const largest = expected.data.reduce((m, v) => Math.max(m, Math.abs(v)), 1);
  expected.data.forEach((v, i) => {
    const close = Math.abs(actual.data[i]! - v) <= tolerance * largest;
    assert.ok(close, `${what}: element ${i} is ${actual.data[i]}, expected ${v}`);
  });
}
