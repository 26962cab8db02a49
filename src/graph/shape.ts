/** Static shapes whose dimensions may be multiples of the symbolic batch size B: `[B, 784]`, `['49*B', 64]`. */

/** A size known when the graph is built, or a multiple of the batch size: `'B'`, `'49*B'`. */
export type Dim = number | 'B' | `${number}*B`;
export type Shape = readonly Dim[];

/** [how many, of B or of 1] */
const parse = (dim: Dim): readonly [number, boolean] =>
  typeof dim === 'number' ? [dim, false] : dim === 'B' ? [1, true] : [Number(dim.slice(0, -2)), true];

const format = (count: number, batch: boolean): Dim => (batch ? (count === 1 ? 'B' : `${count}*B`) : count);

export const showShape = (shape: Shape): string => `[${shape.join(', ')}]`;

export const sameShape = (a: Shape, b: Shape): boolean =>
  a.length === b.length && a.every((d, i) => d === b[i]);

/** Product of dimensions; at most one of them may hold the batch size. */
export function multiply(...dims: readonly Dim[]): Dim {
  let count = 1;
  let batch = false;
  for (const dim of dims) {
    const [n, symbolic] = parse(dim);
    if (symbolic && batch) throw new Error(`${showShape(dims)}: B × B is not a dimension`);
    count *= n;
    batch ||= symbolic;
  }
  return format(count, batch);
}

/** dim / by where that is whole whatever the batch size, else undefined. */
export function divide(dim: Dim, by: number): Dim | undefined {
  const [n, symbolic] = parse(dim);
  return n % by === 0 ? format(n / by, symbolic) : undefined;
}

/** Whether it is of one number, which broadcasts to any shape of its rank. */
export const isSingle = (shape: Shape): boolean => shape.every((d) => d === 1);

/** The number of elements. */
export const sizeOf = (shape: Shape): Dim => multiply(...shape);

/** The dimension as a number, for places where the batch size may not appear. */
export function fixed(dim: Dim | undefined, what: string): number {
  if (typeof dim === 'number') return dim;
  throw new Error(`${what}: expected a fixed size, given ${dim ?? 'nothing'}`);
}

/** A dimension of `shape`; negative counts from the end. */
export function dimAt(shape: Shape, axis: number): Dim {
  const dim = shape[axis < 0 ? axis + shape.length : axis];
  if (dim === undefined) throw new Error(`axis ${axis} does not exist in ${showShape(shape)}`);
  return dim;
}

/** An axis counted from the front, checked. */
export function axisOf(shape: Shape, axis: number): number {
  dimAt(shape, axis);
  return axis < 0 ? axis + shape.length : axis;
}

/** NumPy broadcasting. Throws with both shapes. */
export function broadcastShapes(a: Shape, b: Shape, what: string): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const x = a[i - rank + a.length] ?? 1;
    const y = b[i - rank + b.length] ?? 1;
    if (x !== y && x !== 1 && y !== 1) {
      throw new Error(`${what}: shapes ${showShape(a)} and ${showShape(b)} do not broadcast`);
    }
    return x === 1 ? y : x;
  });
}

/** `shape` with the dimension at `axis` replaced. */
export const withDim = (shape: Shape, axis: number, dim: Dim): Shape =>
  shape.map((d, i) => (i === axis ? dim : d));
