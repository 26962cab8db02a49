/**
 * Convolution in one, two or three dimensions as gather + matrix product, channels last. ONNX Runtime's own Conv
 * cannot pack weights that change at every step; this form uses its fastest product for the forward pass and for
 * both gradients, and one matrix of patches serves the forward pass and the weight gradient.
 */
import { add } from './elementwise.ts';
import { gatherKnown, scatterKnown } from './gather.ts';
import { columnSums, gemm, matmul, transposedProduct } from './matmul.ts';
import { concat, pad, reshape, slice, transpose } from './move.ts';
import { type Dim, dimAt, fixed, multiply, sameShape, showShape } from './shape.ts';
import { constant, describe, type Tensor, withGradient } from './tensor.ts';

export interface ConvOptions {
  readonly stride?: number;
  /** Zeros on both sides of every space axis. */
  readonly padding?: number;
  readonly dilation?: number;
  readonly groups?: number;
}

export interface ConvTransposeOptions extends ConvOptions {
  /** Rows added at the end of each space axis, to undo the rounding of a strided convolution. */
  readonly extra?: number;
}

/** Sizes along the space axes. `coarse` is the output of the convolution and the input of its transpose. */
interface Geometry {
  readonly coarse: readonly number[];
  readonly fine: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: number;
  readonly padding: number;
  readonly dilation: number;
}

/**
 * x [B, …space, C] and weight [k₁⋯kₙ·C/groups, O], rows ordered (k₁, …, kₙ, c), bias [O] → [B, …space′, O] with
 * space′ = ⌊(space + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. `kernel` is one k an axis.
 */
export function conv(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  kernel: readonly number[],
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions = {},
): Tensor {
  const fine = spaceOf(x);
  const reach = kernel.map((k) => dilation * (k - 1) + 1);
  const coarse = fine.map((n, i) => Math.floor((n + 2 * padding - reach[i]!) / stride) + 1);
  const channels = channelsOf(x);
  const outputs = fixed(dimAt(weight.shape, 1), 'conv weight');
  const expected: Expected['weight'] = [(product(kernel) * channels) / groups, outputs];
  expectFit('conv', x, weight, bias, { kernel, groups, weight: expected, outputs, result: coarse });
  const geometry = { coarse, fine, kernel, stride, padding, dilation };
  const form = groups > 1 ? grouped : inShifts(x, geometry) ? shifted : dense;
  const y = form(x, weight, bias, geometry, groups);
  return reshape(y, [dimAt(x.shape, 0), ...coarse, outputs]);
}

/**
 * The transpose of `conv`: weight [k₁⋯kₙ·O, C/groups], rows ordered (k₁, …, kₙ, o), bias [O] → [B, …space′, O]
 * with space′ = (space − 1)·stride − 2·padding + dilation·(k − 1) + 1 + extra.
 */
export function convTranspose(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  kernel: readonly number[],
  { stride = 1, padding = 0, dilation = 1, groups = 1, extra = 0 }: ConvTransposeOptions = {},
): Tensor {
  const coarse = spaceOf(x);
  const fine = coarse.map((n, i) => (n - 1) * stride - 2 * padding + dilation * (kernel[i]! - 1) + 1 + extra);
  const outputs = Math.ceil(fixed(dimAt(weight.shape, 0), 'convTranspose weight') / product(kernel));
  const expected: Expected['weight'] = [outputs * product(kernel), channelsOf(x) / groups];
  expectFit('convTranspose', x, weight, bias, { kernel, groups, weight: expected, outputs, result: fine });
  const geometry = { coarse, fine, kernel, stride, padding, dilation };
  const direct = groups === 1 && dilation === 1;
  const y = direct ? transposed(x, weight, bias, geometry) : spread(x, weight, bias, geometry, groups);
  return reshape(y, [dimAt(x.shape, 0), ...fine, outputs]);
}

interface Expected {
  readonly kernel: readonly number[];
  readonly groups: number;
  readonly weight: readonly [number, number];
  readonly outputs: number;
  readonly result: readonly number[];
}

/** Throws with all shapes where the operands do not fit each other. */
function expectFit(op: string, x: Tensor, weight: Tensor, bias: Tensor | undefined, e: Expected): void {
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

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
const spaceOf = (x: Tensor): number[] => x.shape.slice(1, -1).map((d) => fixed(d, `space of ${describe(x)}`));
const channelsOf = (x: Tensor): number => fixed(dimAt(x.shape, -1), `channels of ${describe(x)}`);

/** Every index tuple below `sizes`, the last index running fastest. */
function tuples(sizes: readonly number[]): number[][] {
  return sizes.reduce<number[][]>(
    (lists, size) => lists.flatMap((list) => Array.from({ length: size }, (_, i) => [...list, i])),
    [[]],
  );
}

/** Row-major position of an index tuple, or −1 (which reads a zero) outside. */
function position(at: readonly number[], sizes: readonly number[]): number {
  if (at.some((v, i) => v < 0 || v >= sizes[i]!)) return -1;
  return at.reduce((p, v, i) => p * sizes[i]! + v, 0);
}

/** The fine position under each (coarse cell, kernel tap). */
function patchIndices({ coarse, fine, kernel, stride, padding, dilation }: Geometry): number[] {
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

/** [B, …space, C] → [B, positions, C] */
const flat = (x: Tensor): Tensor => reshape(x, [dimAt(x.shape, 0), product(spaceOf(x)), channelsOf(x)]);
/** [B, …, C] → [B·…, C] */
const rows = (x: Tensor): Tensor => reshape(x, [multiply(...x.shape.slice(0, -1)), dimAt(x.shape, -1)]);

/** Patches as rows of a matrix, with how a weight's rows are brought into the order of its columns, and back. */
interface Patches {
  readonly matrix: Tensor; // [B·coarse, k₁⋯kₙ·C]
  readonly arrange: (weight: Tensor) => Tensor;
  readonly restore: (weight: Tensor) => Tensor;
}

function patches(x: Tensor, g: Geometry): Patches {
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
  const padded = g.fine.reduce((t, _, i) => pad(t, i + 1, g.padding, g.padding), x);
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
const interleaved = (n: number): number[] =>
  [...Array(n).keys()].map((i) => 2 * i).concat([...Array(n).keys()].map((i) => 2 * i + 1));
const uninterleaved = (n: number): number[] => [...Array(n).keys()].flatMap((i) => [i, n + i]);

/** [B, …blocks·s, C] → [B, …blocks, s, …, s, C] */
function blocksToDepth(x: Tensor, blocks: readonly number[], stride: number): Tensor {
  const n = blocks.length;
  const apart = reshape(x, [dimAt(x.shape, 0), ...blocks.flatMap((b) => [b, stride]), channelsOf(x)]);
  return transpose(apart, [0, ...interleaved(n).map((i) => i + 1), 2 * n + 1]);
}

/** y = patches(x) · W + b, [B·coarse, O]. */
function dense(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry): Tensor {
  const p = patches(x, g);
  const y = gemm(p.matrix, p.arrange(weight), bias);
  const toInput = (dy: Tensor) =>
    g.dilation === 1 ? transposed(dy, weight, undefined, g) : spread(dy, weight, undefined, g, 1);
  return withGradient(bias ? [x, weight, bias] : [x, weight], y, (dy) => [
    reshape(toInput(reshape(dy, [dimAt(x.shape, 0), ...g.coarse, dimAt(weight.shape, 1)])), x.shape),
    p.restore(transposedProduct(p.matrix, dy)),
    ...(bias ? [columnSums(dy)] : []),
  ]);
}

/** At stride 1 no blocks can be moved, but rows can, of all examples at once. */
const inShifts = (x: Tensor, { kernel, stride }: Geometry): boolean =>
  stride === 1 && channelsOf(x) <= 4 && kernel.length > 1 && product(kernel) > 1;

/**
 * The same with patches tap by tap, [k₁⋯kₙ·C, cells]: a tap sees the whole picture, moved. Along the first axis of space, which is
 * the outermost here, that is a gather of whole rows; along the others, slices. Cells are ordered (first axis, example, other axes),
 * and the weight's rows (other taps, channel, first tap). Gradients follow from the ops.
 */
function shifted(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry): Tensor {
  const [batch, channels, outputs] = [dimAt(x.shape, 0), channelsOf(x), dimAt(weight.shape, 1)];
  const [first = 1, ...others] = g.kernel;
  const [height = 1, ...columns] = g.coarse;
  const axes = g.kernel.map((_, i) => i);
  const padded = g.fine.reduce((t, _, i) => pad(t, i + 1, g.padding, g.padding), x);
  const ordered = transpose(padded, [axes.length + 1, 1, 0, ...axes.slice(1).map((i) => i + 1)]); // [C, H, B, …]
  const moved = tuples(others).map((tap) =>
    tap.reduce((t, at, i) => slice(t, i + 3, at * g.dilation, at * g.dilation + columns[i]!), ordered),
  );
  const high = fixed(dimAt(ordered.shape, 1), 'conv');
  const lines = reshape(concat(moved, 0), [moved.length * channels, high, multiply(batch, ...columns)]);
  const at = tuples([first, height]).map(([tap, row]) => row! + tap! * g.dilation);
  const seen = reshape(gatherKnown(lines, at), [
    moved.length * channels * first,
    multiply(batch, height, ...columns),
  ]);
  const apart = transpose(reshape(weight, [first, moved.length, channels, outputs]), [1, 2, 0, 3]);
  const y = gemm(seen, reshape(apart, weight.shape), bias, { transA: true });
  const byRow = reshape(y, [height, batch, ...columns, outputs]);
  return transpose(byRow, [1, 0, ...axes.slice(1).map((i) => i + 1), axes.length + 1]);
}

/** Channels in groups that do not see each other: one batched product. Gradients follow from the ops. */
function grouped(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry, groups: number): Tensor {
  const cells = multiply(dimAt(x.shape, 0), product(g.coarse));
  const taps = product(g.kernel);
  const [inner, outputs] = [channelsOf(x) / groups, fixed(dimAt(weight.shape, 1), 'conv weight')];
  const at = reshape(gatherKnown(flat(x), patchIndices(g)), [cells, taps, groups, inner]);
  const left = reshape(transpose(at, [2, 0, 1, 3]), [groups, cells, taps * inner]);
  const right = transpose(reshape(weight, [taps * inner, groups, outputs / groups]), [1, 0, 2]);
  const y = reshape(transpose(matmul(left, right), [1, 0, 2]), [cells, outputs]);
  return bias ? add(y, bias) : y;
}

/** The transpose of a convolution in any geometry: products first, then each lands where its tap points. */
function spread(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry, groups: number): Tensor {
  const cells = multiply(dimAt(x.shape, 0), product(g.coarse));
  const taps = product(g.kernel);
  const [inner, outputs] = [
    channelsOf(x) / groups,
    fixed(dimAt(weight.shape, 0), 'convTranspose weight') / taps,
  ];
  const left = transpose(reshape(x, [cells, groups, inner]), [1, 0, 2]);
  const right = transpose(reshape(weight, [taps, groups, outputs / groups, inner]), [1, 3, 0, 2]);
  const parts = matmul(left, reshape(right, [groups, inner, taps * (outputs / groups)])); // [groups, cells, taps·O/groups]
  const apart = reshape(parts, [groups, cells, taps, outputs / groups]);
  const landed = reshape(transpose(apart, [1, 2, 0, 3]), [
    dimAt(x.shape, 0),
    product(g.coarse) * taps,
    outputs,
  ]);
  const y = scatterKnown(landed, patchIndices(g), product(g.fine));
  return bias ? add(y, bias) : y;
}

/**
 * The transpose of a convolution without dilation, [B, fine, O]: the fine grid is cut into cells of stride^n
 * places; a cell sees ⌈k/stride⌉ⁿ coarse values, and one product gives all its places.
 */
function transposed(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry): Tensor {
  const outputs = fixed(dimAt(weight.shape, 0), 'convTranspose weight') / product(g.kernel);
  const few = outputs <= 4 && placesOf(g) * outputs <= 16;
  const cells = few ? productFirst(x, weight, bias, g) : gatherFirst(x, weight, bias, g);
  const y = fromCells(cells, g, outputs, dimAt(x.shape, 0));
  return withGradient(bias ? [x, weight, bias] : [x, weight], y, (dy) => {
    const p = patches(reshape(dy, [dimAt(x.shape, 0), ...g.fine, outputs]), g);
    return [
      reshape(gemm(p.matrix, p.arrange(weight)), x.shape),
      p.restore(transposedProduct(p.matrix, rows(x))),
      ...(bias ? [columnSums(rows(dy))] : []),
    ];
  });
}

/** Cells along each axis, the first of them, and how many coarse values one sees along each axis. */
function cellsOf({ fine, kernel, stride, padding }: Geometry) {
  const first = Math.floor(padding / stride);
  const count = fine.map((n) => Math.floor((padding + n - 1) / stride) - first + 1);
  return { first, count, reach: kernel.map((k) => Math.ceil(k / stride)) };
}

/** The coarse position that each (cell, tap) sees. */
function cellIndices(g: Geometry): number[] {
  const { first, count, reach } = cellsOf(g);
  const taps = tuples(reach);
  return tuples(count).flatMap((cell) =>
    taps.map((tap) =>
      position(
        cell.map((c, i) => c + first - tap[i]!),
        g.coarse,
      ),
    ),
  );
}

/** weight [k₁⋯kₙ·O, C] → [a₁, …, aₙ, d₁, …, dₙ, O, C] with k = d + stride·a, zeros where that passes the kernel. */
function weightByPhase(weight: Tensor, g: Geometry, outputs: number): Tensor {
  const { reach } = cellsOf(g);
  const channels = dimAt(weight.shape, 1);
  const square = reshape(weight, [...g.kernel, outputs, channels]);
  const whole = g.kernel.reduce((w, k, i) => pad(w, i, 0, reach[i]! * g.stride - k), square);
  const n = reach.length;
  const apart = reshape(whole, [...reach.flatMap((a) => [a, g.stride]), outputs, channels]);
  return transpose(apart, [...interleaved(n), 2 * n, 2 * n + 1]);
}

const placesOf = (g: Geometry): number => g.stride ** g.kernel.length;
const tiled = (bias: Tensor, times: number): Tensor => concat(Array<Tensor>(times).fill(bias), 0);

/** Cells [B·cells, places·O]: gather what each cell sees, then one product. */
function gatherFirst(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry): Tensor {
  const { count, reach } = cellsOf(g);
  const [taps, places, channels] = [product(reach), placesOf(g), channelsOf(x)];
  const outputs = fixed(dimAt(weight.shape, 0), 'weight') / product(g.kernel);
  const byTap = reshape(weightByPhase(weight, g, outputs), [taps, places * outputs, channels]);
  const right = reshape(transpose(byTap, [0, 2, 1]), [taps * channels, places * outputs]);
  const seen = gatherKnown(flat(x), cellIndices(g));
  const left = reshape(seen, [multiply(dimAt(x.shape, 0), product(count)), taps * channels]);
  return gemm(left, right, bias && tiled(bias, places));
}

/** The same for few output channels: products first, then the small results are gathered and summed over taps. */
function productFirst(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry): Tensor {
  const { count, reach } = cellsOf(g);
  const [taps, places, channels] = [product(reach), placesOf(g), channelsOf(x)];
  const unit = places * (fixed(dimAt(weight.shape, 0), 'weight') / product(g.kernel));
  const right = reshape(weightByPhase(weight, g, unit / places), [taps * unit, channels]);
  const parts = gemm(rows(x), right, undefined, { transB: true }); // [B·coarse, taps·unit]
  const units = reshape(parts, [dimAt(x.shape, 0), product(g.coarse) * taps, unit]);
  const at = cellIndices(g).map((cell, i) => (cell < 0 ? -1 : cell * taps + (i % taps)));
  const seen = reshape(gatherKnown(units, at), [multiply(dimAt(x.shape, 0), product(count)), taps * unit]);
  const summing = constant(
    tuples([taps, unit, unit]).map(([, i, j]) => (i === j ? 1 : 0)),
    [taps * unit, unit],
  );
  return gemm(seen, summing, bias && tiled(bias, places));
}

/** Cells [B·cells, places·O] → [B, fine, O]: each place of each cell to its position, those outside cut off. */
function fromCells(cells: Tensor, g: Geometry, outputs: number, batch: Dim): Tensor {
  const { first, count } = cellsOf(g);
  if (outputs <= 2) return depthToBlocks(cells, g, outputs, batch);
  const places = g.kernel.map(() => g.stride);
  const at = tuples(g.fine).map((pixel) => {
    const shifted = pixel.map((v) => v + g.padding);
    const cell = position(
      shifted.map((v) => Math.floor(v / g.stride) - first),
      count,
    );
    return (
      cell * placesOf(g) +
      position(
        shifted.map((v) => v % g.stride),
        places,
      )
    );
  });
  return gatherKnown(reshape(cells, [batch, product(count) * placesOf(g), outputs]), at);
}

/** `fromCells` by one transposition and a cut: half the time of a gather for one channel, twice the time for three. */
function depthToBlocks(cells: Tensor, g: Geometry, outputs: number, batch: Dim): Tensor {
  const { first, count } = cellsOf(g);
  const n = count.length;
  const apart = reshape(cells, [batch, ...count, ...count.map(() => g.stride), outputs]);
  const joined = transpose(apart, [0, ...uninterleaved(n).map((i) => i + 1), 2 * n + 1]);
  const grid = reshape(joined, [batch, ...count.map((c) => c * g.stride), outputs]);
  const start = g.padding - first * g.stride;
  const cut = g.fine.reduce((t, size, i) => slice(t, i + 1, start, start + size), grid);
  return reshape(cut, [batch, product(g.fine), outputs]);
}
