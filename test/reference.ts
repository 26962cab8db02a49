/**
 * The meaning of the graph: a naive float64 interpreter, written from the ONNX operator specification (opset 18) and
 * from nothing in `src/graph` but the node itself. It also checks the shape and the type that every node declares.
 */
import assert from 'node:assert/strict';
import type { Dim } from '../src/graph/shape.ts';
import { computed, type Tensor, topological } from '../src/graph/tensor.ts';
import { type Attributes, ops, type Value, value } from './onnx-ops.ts';

export { type Value, value };

export type Feeds = Readonly<Record<string, Value>>;

/** `['49*B', 3]` for a batch size. */
export const resolve = (shape: readonly Dim[], batch: number): number[] =>
  shape.map((d) => (typeof d === 'number' ? d : d === 'B' ? batch : Number.parseInt(d, 10) * batch));

/** The values of `outputs` for given inputs. */
export const evaluate = (outputs: readonly Tensor[], feeds: Feeds): Value[] => compile(outputs)(feeds);

/** `evaluate` for many inputs: the order of the nodes is found once. */
export function compile(outputs: readonly Tensor[]): (feeds: Feeds) => Value[] {
  const order = topological(outputs.map(computed), (t) => t.inputs.map(computed));
  const constants = order.filter((t) => t.data).map((t) => [t, constantValue(t)] as const);
  return (feeds) => {
    const batch = batchOf(order, feeds);
    const values = new Map<Tensor, Value>(constants);
    for (const t of order) if (!t.data) values.set(t, checked(t, compute(t, values, feeds), batch));
    return outputs.map((t) => values.get(computed(t))!);
  };
}

function checked(t: Tensor, v: Value, batch: number): Value {
  const declared = resolve(t.shape, batch);
  const right = declared.length === v.shape.length && declared.every((n, i) => n === v.shape[i]);
  assert.ok(right, `${t.op} ${t.name ?? ''} declares ${declared} and has the shape ${v.shape}`);
  assert.equal(t.dtype, v.dtype, `${t.op} ${t.name ?? ''} declares another type than it has`);
  return v;
}

const constantValue = (t: Tensor): Value =>
  value(Array.from<number | bigint, number>(t.data!, Number), t.shape.map(Number), t.dtype);

/** What 'B' stands for: the inputs have to agree. */
function batchOf(order: readonly Tensor[], feeds: Feeds): number {
  const sizes = order
    .filter((t) => t.op === 'Input')
    .flatMap((t) =>
      t.shape.flatMap((d, i) =>
        typeof d === 'number' ? [] : [feeds[t.name!]!.shape[i]! / resolve([d], 1)[0]!],
      ),
    );
  assert.ok(new Set(sizes).size <= 1, `inputs disagree on the batch size: ${sizes}`);
  return sizes[0] ?? 1;
}

function compute(t: Tensor, values: ReadonlyMap<Tensor, Value>, feeds: Feeds): Value {
  if (t.op === 'Input') {
    const fed = feeds[t.name!];
    assert.ok(fed, `nothing fed for the input ${t.name}`);
    return fed;
  }
  const inputs = t.inputs.map((i) => values.get(computed(i))!);
  const op = ops[t.op];
  assert.ok(op, `test/onnx-ops.ts does not know ${t.op}: add it there from the ONNX specification`);
  return op(inputs, t.attributes as Attributes);
}
