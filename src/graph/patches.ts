/**
 * Where the taps of a convolution lie, and what they see as a matrix of patches, channels last: what a convolution and its
 * transpose are made of.
 */
import { add } from './elementwise.ts';
import { gatherKnown } from './gather.ts';
import { pad, reshape, transpose } from './move.ts';
import { dimAt, fixed, multiply, sameShape, showShape } from './shape.ts';
import { describe, type Tensor } from './tensor.ts';

export interface ConvOptions {
  readonly stride?: number;
  /** Zeros on both sides of every space axis. */
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
}

/** Sizes along the space axes. `coarse` is the output of the convolution and the input of its transpose. */
export interface Geometry {
  readonly coarse: readonly number[];
  readonly fine: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

export interface Expected {
  readonly kernel: readonly number[];
  readonly groups: number;
  readonly weight: readonly [number, number];
  readonly outputs: number;
  readonly result: readonly number[];
}

/** Throws with all shapes where the operands do not fit each other. */
export function expectFit(
  op: string,
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  e: Expected,
): void {
  const fail = (problem: string): never => {
    throw new Error(`${op} of ${describe(x)} with ${describe(weight)}: ${problem}`);
  };
  const { kernel, groups, outputs } = e;
  const channels = channelsOf(x);
  if (kernel.length !== x.shape.length - 2)
    fail(`the kernel ${showShape(kernel)} needs a size for each space axis`);
  if (channels % groups !== 0 || outputs % groups !== 0)
    fail(`${groups} groups do not divide ${channels} channels and ${outputs} outputs`);
  if (!sameShape(weight.shape, e.weight)) fail(`expected a weight ${showShape(e.weight)}`);
  if (bias && !sameShape(bias.shape, [outputs]))
    fail(`expected a bias [${outputs}], given ${describe(bias)}`);
  if (e.result.some((n) => n < 1)) fail(`the result would be ${showShape(e.result)}`);
}

export const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
export const spaceOf = (x: Tensor): number[] =>
  x.shape.slice(1, -1).map((d) => fixed(d, `space of ${describe(x)}`));
export const channelsOf = (x: Tensor): number => fixed(dimAt(x.shape, -1), `channels of ${describe(x)}`);

/** Every index tuple below `sizes`, the last index running fastest. */
export function tuples(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (lists, size) => lists.flatMap((list) => Array.from({ length: size }, (_, i) => [...list, i])),
    [[]],
  );
}

/** Row-major position of an index tuple, or −1 (which reads a zero) outside. */
export function position(at: readonly number[], sizes: readonly number[]): number {
  if (at.some((v, i) => v < 0 || v >= sizes[i]!)) return -1;
  return at.reduce((p, v, i) => p * sizes[i]! + v, 0);
}

/** The fine position under each (coarse cell, kernel tap). */
export function patchIndices({ coarse, fine, kernel, stride, padding, dilation }: Geometry): number[] {
  const taps = tuples(kernel);
  return tuples(coarse).flatMap((cell) =>
    taps.map((tap) =>
      position(
        cell.map((c, i) => c * stride - padding + dilation * tap[i]!),
        fine,
      ),
    ),
  );
}

/**
 * The fine grid in cells of stride places an axis: the first of them that are not all padding, how many there are, and how many
 * coarse values one sees along each axis.
 */
export function cellsOf({ fine, kernel, stride, padding }: Geometry) {
  const first = Math.floor(padding / stride);
  const count = fine.map((n) => Math.floor((padding + n - 1) / stride) - first + 1);
  return { first, count, reach: kernel.map((k) => Math.ceil(k / stride)) };
}

/** With the zeros on both sides of every space axis. */
export const framed = (x: Tensor, { fine, padding }: Geometry): Tensor =>
  fine.reduce((t, _, i) => pad(t, i + 1, padding, padding), x);

/** [B, …space, C] → [B, positions, C] */
export const flat = (x: Tensor): Tensor =>
  reshape(x, [dimAt(x.shape, 0), product(spaceOf(x)), channelsOf(x)]);
/** [B, …, C] → [B·…, C] */
export const rows = (x: Tensor): Tensor =>
  reshape(x, [multiply(...x.shape.slice(0, -1)), dimAt(x.shape, -1)]);

export const withBias = (y: Tensor, bias: Tensor | undefined): Tensor => (bias ? add(y, bias) : y);

/** Patches as rows of a matrix, with how a weight's rows are brought into the order of its columns, and back. */
interface Patches {
  readonly matrix: Tensor; // [B·coarse, k₁⋯kₙ·C]
  readonly arrange: (weight: Tensor) => Tensor;
  readonly restore: (weight: Tensor) => Tensor;
}

export function patches(x: Tensor, g: Geometry): Patches {
  const cells = multiply(dimAt(x.shape, 0), product(g.coarse));
  const columns = product(g.kernel) * channelsOf(x);
  if (fewChannels(x, g)) return phasePatches(x, g);
  const pointwise = product(g.kernel) * g.stride === 1 && g.padding === 0 && sameShape(g.coarse, g.fine);
  const matrix = reshape(pointwise ? x : gatherKnown(flat(x), patchIndices(g)), [cells, columns]);
  return { matrix, arrange: (w) => w, restore: (w) => w };
}

/** Gathering rows of a few floats is slow: where the stride divides the kernel, whole stride-sized blocks are moved. */
const fewChannels = (x: Tensor, { kernel, stride, padding, fine, dilation }: Geometry): boolean =>
  stride > 1 &&
  dilation === 1 &&
  stride ** kernel.length * channelsOf(x) <= 16 &&
  kernel.every((k) => k % stride === 0) &&
  fine.every((n) => (n + 2 * padding) % stride === 0);

/** Patches by space-to-depth: columns are ordered (block of the kernel, place in the block, channel). */
function phasePatches(x: Tensor, g: Geometry): Patches {
  const padded = framed(x, g);
  const blocks = g.fine.map((n) => (n + 2 * g.padding) / g.stride);
  const unit = g.stride ** g.kernel.length * channelsOf(x);
  const deep = reshape(blocksToDepth(padded, blocks, g.stride), [dimAt(x.shape, 0), product(blocks), unit]);
  const reach = g.kernel.map((k) => k / g.stride);
  const taps = tuples(reach);
  const at = tuples(g.coarse).flatMap((cell) =>
    taps.map((tap) =>
      position(
        cell.map((c, i) => c + tap[i]!),
        blocks,
      ),
    ),
  );
  const matrix = reshape(gatherKnown(deep, at), [
    multiply(dimAt(x.shape, 0), product(g.coarse)),
    unit * taps.length,
  ]);
  const reorder = (w: Tensor, shape: readonly number[], order: readonly number[]) =>
    reshape(
      transpose(reshape(w, [...shape, channelsOf(x), dimAt(w.shape, 1)]), [
        ...order,
        order.length,
        order.length + 1,
      ]),
      w.shape,
    );
  const n = reach.length;
  return {
    matrix,
    arrange: (w) =>
      reorder(
        w,
        reach.flatMap((a) => [a, g.stride]),
        interleaved(n),
      ),
    restore: (w) => reorder(w, [...reach, ...reach.map(() => g.stride)], uninterleaved(n)),
  };
}

/** (a₁, d₁, a₂, d₂, …) → (a₁, a₂, …, d₁, d₂, …) as a transposition order, and its inverse. */
export const interleaved = (n: number): number[] =>
  [...Array(n).keys()].map((i) => 2 * i).concat([...Array(n).keys()].map((i) => 2 * i + 1));
export const uninterleaved = (n: number): number[] => [...Array(n).keys()].flatMap((i) => [i, n + i]);

/** [B, …blocks·s, C] → [B, …blocks, s, …, s, C] */
function blocksToDepth(x: Tensor, blocks: readonly number[], stride: number): Tensor {
  const n = blocks.length;
  const apart = reshape(x, [dimAt(x.shape, 0), ...blocks.flatMap((b) => [b, stride]), channelsOf(x)]);
  return transpose(apart, [0, ...interleaved(n).map((i) => i + 1), 2 * n + 1]);
}
