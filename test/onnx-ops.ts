/** The ONNX operators (opset 18) in naive float64, as their specification has them: what the reference computes with. */
import assert from 'node:assert/strict';
import type { DType } from '../src/graph/tensor.ts';

/** Integers and booleans are held as numbers too. */
export interface Value {
  readonly data: Float64Array;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

export const value = (
  data: ArrayLike<number>,
  shape: readonly number[],
  dtype: DType = 'float32',
): Value => ({ data: Float64Array.from(data), shape, dtype });

// biome-ignore lint/suspicious/noExplicitAny: attributes are read by name, as the specification lists them
export type Attributes = Readonly<Record<string, any>>;
export type Op = (inputs: readonly Value[], attributes: Attributes) => Value;

/** Much faster than Float64Array.from. */
function generate(n: number, f: (i: number) => number): Float64Array {
  const data = new Float64Array(n);
  for (let i = 0; i < n; i++) data[i] = f(i);
  return data;
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function stridesOf(shape: readonly number[]): number[] {
  const strides = Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** start + Σ index · stride for every index tuple below `shape`, in row-major order. */
function offsets(shape: readonly number[], strides: readonly number[], start = 0): Int32Array {
  let list = Int32Array.of(start);
  shape.forEach((n, axis) => {
    const next = new Int32Array(list.length * n);
    list.forEach((offset, i) => {
      for (let j = 0; j < n; j++) next[i * n + j] = offset + j * strides[axis]!;
    });
    list = next;
  });
  return list;
}

/** Strides that read a value of shape `from` as if it were broadcast to `to`. */
function broadcastStrides(from: readonly number[], to: readonly number[]): number[] {
  const strides = stridesOf(from);
  return to.map((_, i) => {
    const k = i - to.length + from.length;
    return k < 0 || from[k] === 1 ? 0 : strides[k]!;
  });
}

function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = shapes.map((s) => s[i - rank + s.length] ?? 1).filter((n) => n !== 1);
    assert.ok(new Set(sizes).size <= 1, `shapes do not broadcast: ${JSON.stringify(shapes)}`);
    return sizes[0] ?? 1;
  });
}

/** Reads elements of x at the given offsets, as a value of `shape`. */
const read = (x: Value, shape: readonly number[], at: Int32Array): Value => ({
  data: generate(at.length, (i) => x.data[at[i]!]!),
  shape,
  dtype: x.dtype,
});

const unary =
  (f: (x: number, attributes: Attributes) => number): Op =>
  ([x], attributes) => ({ ...x!, data: x!.data.map((v) => f(v, attributes)) });

const binary =
  (f: (a: number, b: number) => number, dtype?: DType): Op =>
  ([a, b]) => {
    assert.equal(a!.dtype, b!.dtype, 'operands of two types');
    const shape = broadcastShape([a!.shape, b!.shape]);
    const [i, j] = [a!, b!].map((x) => offsets(shape, broadcastStrides(x.shape, shape)));
    const data = generate(size(shape), (n) => f(a!.data[i![n]!]!, b!.data[j![n]!]!));
    return { data, shape, dtype: dtype ?? a!.dtype };
  };

const compare = (f: (a: number, b: number) => boolean): Op => binary((a, b) => Number(f(a, b)), 'bool');

/** 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n + 1)‼: every term has the sign of x, so nothing cancels. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let total = x;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(total); n++) total += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * total;
}

const reduction =
  (start: number, f: (a: number, b: number, count: number) => number): Op =>
  ([x, axes], { keepdims = 1 }) => {
    const reduced = new Set(
      [...(axes?.data ?? x!.shape.keys())].map((a) => (a < 0 ? a + x!.shape.length : a)),
    );
    const kept = x!.shape.map((n, i) => (reduced.has(i) ? 1 : n));
    const data = new Float64Array(size(kept)).fill(start);
    const count = x!.data.length / data.length;
    offsets(x!.shape, broadcastStrides(kept, x!.shape)).forEach((to, from) => {
      data[to] = f(data[to]!, x!.data[from]!, count);
    });
    return { data, shape: keepdims ? kept : x!.shape.filter((_, i) => !reduced.has(i)), dtype: x!.dtype };
  };

/** Applies f to every line of x along `axis`. */
function alongAxis(x: Value, axis: number, f: (line: number[]) => number[]): Value {
  const k = axis < 0 ? axis + x.shape.length : axis;
  const stride = stridesOf(x.shape)[k]!;
  const data = new Float64Array(x.data.length);
  const lines = x.shape.map((n, i) => (i === k ? 1 : n));
  for (const start of offsets(lines, stridesOf(x.shape))) {
    const line = Array.from({ length: x.shape[k]! }, (_, i) => x.data[start + i * stride]!);
    f(line).forEach((v, i) => {
      data[start + i * stride] = v;
    });
  }
  return { ...x, data };
}

function logSoftmax(line: readonly number[]): number[] {
  const largest = Math.max(...line);
  const norm = largest + Math.log(line.reduce((s, v) => s + Math.exp(v - largest), 0));
  return line.map((v) => v - norm);
}

function cumulative(line: readonly number[], exclusive: boolean): number[] {
  let total = 0;
  return line.map((v) => {
    const before = total;
    total += v;
    return exclusive ? before : total;
  });
}

const matMul: Op = ([a, b]) => {
  const [m, k] = a!.shape.slice(-2) as [number, number];
  const [inner, n] = b!.shape.slice(-2) as [number, number];
  assert.equal(k, inner, 'MatMul of unequal inner sizes');
  const batch = broadcastShape([a!.shape.slice(0, -2), b!.shape.slice(0, -2)]);
  const [starts, others] = [a!, b!].map((x) =>
    offsets(batch, broadcastStrides(x.shape.slice(0, -2), batch)).map((i) => i * size(x.shape.slice(-2))),
  ) as [Int32Array, Int32Array];
  const data = new Float64Array(size(batch) * m * n);
  const [left, right] = [a!.data, b!.data];
  for (let p = 0; p < starts.length; p++)
    for (let i = 0; i < m; i++)
      for (let q = 0; q < k; q++) {
        const v = left[starts[p]! + i * k + q]!;
        for (let j = 0; j < n; j++) data[(p * m + i) * n + j]! += v * right[others[p]! + q * n + j]!;
      }
  return { data, shape: [...batch, m, n], dtype: a!.dtype };
};

const transpose: Op = ([x], { perm }) => {
  const order: readonly number[] = perm ?? x!.shape.map((_, i) => x!.shape.length - 1 - i);
  assert.deepEqual([...order].sort(), [...x!.shape.keys()], 'perm is not a permutation');
  const shape = order.map((axis) => x!.shape[axis]!);
  const strides = stridesOf(x!.shape);
  return read(
    x!,
    shape,
    offsets(
      shape,
      order.map((axis) => strides[axis]!),
    ),
  );
};

const gemm: Op = ([a, b, c], { transA = 0, transB = 0 }) => {
  const left = transA ? transpose([a!], {}) : a!;
  const right = transB ? transpose([b!], {}) : b!;
  assert.ok(a!.shape.length === 2 && b!.shape.length === 2, 'Gemm takes matrices');
  const y = matMul([left, right], {});
  return c ? ops.Add!([y, ops.Expand!([c, ops.Shape!([y], {})], {})], {}) : y;
};

const reshape: Op = ([x, target]) => {
  const known = [...target!.data].map((d, i) => (d === 0 ? x!.shape[i]! : d));
  const rest = x!.data.length / size(known.filter((d) => d !== -1));
  const shape = known.map((d) => (d === -1 ? rest : d));
  assert.ok(
    known.filter((d) => d === -1).length <= 1 && size(shape) === x!.data.length,
    `Reshape to ${known}`,
  );
  return { ...x!, shape };
};

const slice: Op = ([x, starts, ends, axes]) => {
  const shape = [...x!.shape];
  const first = x!.shape.map(() => 0);
  axes!.data.forEach((axis, i) => {
    const n = x!.shape[axis]!;
    const clamp = (v: number) => Math.min(n, Math.max(0, v < 0 ? v + n : v));
    first[axis] = clamp(starts!.data[i]!);
    shape[axis] = clamp(ends!.data[i]!) - first[axis]!;
  });
  const strides = stridesOf(x!.shape);
  return read(
    x!,
    shape,
    offsets(
      shape,
      strides,
      first.reduce((s, v, i) => s + v * strides[i]!, 0),
    ),
  );
};

const pad: Op = ([x, pads, fill]) => {
  const rank = x!.shape.length;
  const [before, after] = [pads!.data.subarray(0, rank), pads!.data.subarray(rank)];
  assert.ok(
    pads!.data.every((p) => p >= 0),
    'negative padding',
  );
  const shape = x!.shape.map((n, i) => n + before[i]! + after[i]!);
  const strides = stridesOf(shape);
  const data = new Float64Array(size(shape)).fill(fill?.data[0] ?? 0);
  const start = before.reduce((s, p, i) => s + p * strides[i]!, 0);
  offsets(x!.shape, strides, start).forEach((to, from) => {
    data[to] = x!.data[from]!;
  });
  return { data, shape, dtype: x!.dtype };
};

const concat: Op = (xs, { axis }) => {
  const total = xs.reduce((n, x) => n + x.shape[axis]!, 0);
  const shape = xs[0]!.shape.map((n, i) => (i === axis ? total : n));
  const strides = stridesOf(shape);
  const data = new Float64Array(size(shape));
  let start = 0;
  for (const x of xs) {
    assert.deepEqual(
      { ...x.shape, [axis]: 0 },
      { ...shape, [axis]: 0 },
      'Concat of shapes that differ elsewhere',
    );
    offsets(x.shape, strides, start).forEach((to, from) => {
      data[to] = x.data[from]!;
    });
    start += x.shape[axis]! * strides[axis]!;
  }
  return { data, shape, dtype: xs[0]!.dtype };
};

const gather: Op = ([x, indices], { axis = 0 }) => {
  const [outer, inner] = [x!.shape.slice(0, axis), x!.shape.slice(axis + 1)];
  const [n, width] = [x!.shape[axis]!, size(inner)];
  assert.equal(indices!.dtype, 'int64');
  const rows = indices!.data.map((i) => (i < 0 ? i + n : i));
  assert.ok(
    rows.every((i) => i >= 0 && i < n),
    'Gather outside',
  );
  const shape = [...outer, ...indices!.shape, ...inner];
  const data = generate(size(shape), (to) => {
    const row = Math.floor(to / width); // (outer, index) in row-major order
    const from = Math.floor(row / rows.length) * n + rows[row % rows.length]!;
    return x!.data[from * width + (to % width)]!;
  });
  return { data, shape, dtype: x!.dtype };
};

const gatherElements: Op = ([x, indices], { axis = 0 }) => {
  const strides = stridesOf(x!.shape);
  const others = strides.map((s, i) => (i === axis ? 0 : s));
  const at = offsets(indices!.shape, others).map((base, i) => base + indices!.data[i]! * strides[axis]!);
  return read(x!, indices!.shape, at);
};

/** Its second result, the indices; the first is not a tensor of the graph. */
const topK: Op = ([x, k], { axis = -1, largest = 1, sorted = 1 }) => {
  assert.ok(k!.data[0] === x!.shape[axis] && largest === 0 && sorted === 1, 'TopK of all, smallest first');
  const order = (line: number[]) => [...line.keys()].sort((a, b) => line[a]! - line[b]! || a - b);
  return { ...alongAxis(x!, axis, order), dtype: 'int64' };
};

const scatterElements: Op = ([x, indices, updates], { axis = 0, reduction = 'none' }) => {
  assert.deepEqual(indices!.shape, updates!.shape, 'ScatterElements: indices and updates of two shapes');
  const strides = stridesOf(x!.shape);
  const data = x!.data.slice();
  const others = strides.map((s, i) => (i === axis ? 0 : s));
  offsets(indices!.shape, others).forEach((base, i) => {
    const to = base + indices!.data[i]! * strides[axis]!;
    data[to] = (reduction === 'add' ? data[to]! : 0) + updates!.data[i]!;
  });
  return { ...x!, data };
};

const where: Op = ([condition, a, b]) => {
  assert.equal(a!.dtype, b!.dtype, 'Where of two types');
  const shape = broadcastShape([condition!.shape, a!.shape, b!.shape]);
  const [c, i, j] = [condition!, a!, b!].map((x) => offsets(shape, broadcastStrides(x.shape, shape)));
  const data = generate(size(shape), (n) => (condition!.data[c![n]!] ? a!.data[i![n]!]! : b!.data[j![n]!]!));
  return { data, shape, dtype: a!.dtype };
};

const clip: Op = ([x, low, high]) => {
  assert.ok(low!.shape.length === 0 && high!.shape.length === 0, 'Clip takes scalar bounds');
  return { ...x!, data: x!.data.map((v) => Math.min(Math.max(v, low!.data[0]!), high!.data[0]!)) };
};

const cast: Op = ([x], { to }) => {
  const dtypes: Record<number, DType> = { 1: 'float32', 7: 'int64', 9: 'bool' };
  return { data: to === 1 ? x!.data : x!.data.map(Math.trunc), shape: x!.shape, dtype: dtypes[to]! };
};

const expand: Op = ([x, target]) => {
  const shape = broadcastShape([x!.shape, [...target!.data]]);
  return read(x!, shape, offsets(shape, broadcastStrides(x!.shape, shape)));
};

const float = (x: number): number => Math.fround(x); // attributes are float32

export const ops: Readonly<Record<string, Op>> = {
  Add: binary((a, b) => a + b),
  Sub: binary((a, b) => a - b),
  Mul: binary((a, b) => a * b),
  Div: binary((a, b) => a / b),
  Pow: binary((a, b) => a ** b),
  Max: binary(Math.max),
  Min: binary(Math.min),
  Equal: compare((a, b) => a === b),
  Greater: compare((a, b) => a > b),
  GreaterOrEqual: compare((a, b) => a >= b),
  Less: compare((a, b) => a < b),
  LessOrEqual: compare((a, b) => a <= b),
  Neg: unary((x) => -x),
  Exp: unary((x) => Math.exp(x)),
  Log: unary((x) => Math.log(x)),
  Sqrt: unary((x) => Math.sqrt(x)),
  Abs: unary((x) => Math.abs(x)),
  Sign: unary((x) => Math.sign(x)),
  Sin: unary((x) => Math.sin(x)),
  Cos: unary((x) => Math.cos(x)),
  Atan: unary((x) => Math.atan(x)),
  Tanh: unary((x) => Math.tanh(x)),
  Sigmoid: unary((x) => 1 / (1 + Math.exp(-x))),
  Erf: unary(erf),
  Relu: unary((x) => Math.max(0, x)),
  LeakyRelu: unary((x, { alpha }) => (x < 0 ? float(alpha.float) * x : x)),
  HardSigmoid: unary((x, { alpha, beta }) =>
    Math.max(0, Math.min(1, float(alpha.float) * x + float(beta.float))),
  ),
  Cast: cast,
  Clip: clip,
  Where: where,
  ReduceSum: reduction(0, (a, b) => a + b),
  ReduceMean: reduction(0, (a, b, count) => a + b / count),
  ReduceMax: reduction(-Infinity, (a, b) => Math.max(a, b)),
  ReduceProd: reduction(1, (a, b) => a * b),
  ArgMax: ([x], { axis, keepdims }) => {
    assert.equal(keepdims, 0, 'ArgMax keeps no axis here');
    const moved = x!.shape.map((n, i) => (i === axis ? 1 : n));
    const best = alongAxis(x!, axis, (line) => line.map(() => line.indexOf(Math.max(...line))));
    return {
      data: read(best, moved, offsets(moved, stridesOf(x!.shape))).data,
      shape: x!.shape.filter((_, i) => i !== axis),
      dtype: 'int64',
    };
  },
  Softmax: ([x], { axis = -1 }) => alongAxis(x!, axis, (line) => logSoftmax(line).map(Math.exp)),
  LogSoftmax: ([x], { axis = -1 }) => alongAxis(x!, axis, logSoftmax),
  CumSum: ([x, axis], { exclusive = 0, reverse = 0 }) =>
    alongAxis(x!, axis!.data[0]!, (line) =>
      reverse
        ? cumulative(line.toReversed(), exclusive === 1).toReversed()
        : cumulative(line, exclusive === 1),
    ),
  MatMul: matMul,
  Gemm: gemm,
  Transpose: transpose,
  Reshape: reshape,
  Expand: expand,
  Shape: ([x], { start = 0, end = x!.shape.length }) => {
    const sizes = x!.shape.slice(start as number, end as number);
    return value(sizes, [sizes.length], 'int64');
  },
  Slice: slice,
  Concat: concat,
  Pad: pad,
  Gather: gather,
  GatherElements: gatherElements,
  TopK: topK,
  ScatterElements: scatterElements,
};
