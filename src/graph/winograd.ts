/**
 * Convolutions by tiles, with a fraction of the multiplications (Winograd 1980; Lavin & Gray 2016, section 4). Along one
 * axis y = Aᵀ[(G w) ⊙ (Bᵀ d)] for a tile d of the input: polynomials are evaluated at points, multiplied there, and
 * interpolated. In two dimensions each matrix is a Kronecker product with itself. All are matrix products here, and so is
 * what is left of the convolution: of channels, one a point. With a stride s the picture is cut into blocks of s × s places,
 * which are channels of a convolution at stride 1.
 */
import { add, mul, toInteger } from './elementwise.ts';
import { gather } from './gather.ts';
import { gemm, matmul } from './matmul.ts';
import { onesRow, pad, reshape, runtimeShape, transpose, transposeLast } from './move.ts';
import { cellsOf, channelsOf, type Geometry, position, product, spaceOf, tuples } from './patches.ts';
import { cumulativeSum } from './reduce.ts';
import { dimAt, fixed, multiply } from './shape.ts';
import { constant, integers, type Tensor } from './tensor.ts';

/**
 * Where polynomials are evaluated, beside ∞. Each costs digits: with these, small and of alternating signs, a result errs by about
 * three times as much as a sum (Barabasz et al. 2020).
 */
const POINTS = [0, 1, -1, 2, -0.5];

type Matrix = readonly (readonly number[])[];

/** How a grid of results is cut, and what a tile is transformed by. */
interface Tiling {
  /** Results of a tile along an axis. */
  readonly tile: number;
  readonly taps: number;
  /** Tiles along each axis. */
  readonly tiles: readonly number[];
}

const sideOf = ({ tile, taps }: Tiling): number => tile + taps - 1;
const pointsOf = (tiling: Tiling): number => sideOf(tiling) ** 2;

/** The cut that asks for the fewest products. */
function tilingOf(results: readonly number[], taps: number): Tiling {
  const cuts = POINTS.slice(taps - 1).map((_, i): Tiling => {
    const tile = i + 2;
    return { tile, taps, tiles: results.map((n) => Math.ceil(n / tile)) };
  });
  const cost = (cut: Tiling) => product(cut.tiles) * pointsOf(cut);
  return cuts.reduce((best, cut) => (cost(cut) < cost(best) ? cut : best));
}

/** (x − r₁)(x − r₂)…, lowest power first. */
const polynomial = (roots: readonly number[]): number[] =>
  roots.reduce<number[]>(
    (p, root) => Array.from({ length: p.length + 1 }, (_, i) => (p[i - 1] ?? 0) - root * (p[i] ?? 0)),
    [1],
  );

/** Aᵀ, G and Bᵀ along one axis (Toom 1963; Cook 1966; transposed as in Winograd 1980). */
export function transforms(tile: number, taps: number): Record<'output' | 'kernel' | 'input', Matrix> {
  const points = POINTS.slice(0, tile + taps - 2);
  const others = points.map((p) => points.filter((q) => q !== p));
  /** A polynomial of so many coefficients at each point, and at ∞, where the last one is its value. */
  const values = (n: number) => [
    ...points.map((p) => Array.from({ length: n }, (_, k) => p ** k)),
    Array.from({ length: n }, (_, k) => (k === n - 1 ? 1 : 0)),
  ];
  const scales = [...points.map((p, j) => product(others[j]!.map((q) => p - q))), 1];
  return {
    output: Array.from({ length: tile }, (_, i) => values(tile).map((row) => row[i]!)),
    kernel: values(taps).map((row, j) => row.map((v) => v / scales[j]!)),
    input: [...others.map((roots) => [...polynomial(roots), 0]), polynomial(points)],
  };
}

/** The Kronecker product of a matrix with itself. */
function squared(m: Matrix): Tensor {
  const [height, width] = [m.length, m[0]!.length];
  const cells = tuples([height, height, width, width]);
  return constant(
    cells.map(([i, j, k, l]) => m[i!]![k!]! * m[j!]![l!]!),
    [height ** 2, width ** 2],
  );
}

/** Below, the transformations outweigh what they save; above, so do products of tiles that pass the grid. */
const LEAST_CHANNELS = 16;
const MOST_PRODUCTS = 0.5;

/** Whether a grid of results is sooner had by tiles. */
function pays(results: readonly number[], g: Geometry, inner: number, outer: number): boolean {
  const { kernel, stride, dilation } = g;
  const taps = kernel[0]! / stride;
  const fits = kernel.length === 2 && kernel[0] === kernel[1] && dilation === 1 && (taps === 2 || taps === 3);
  if (!fits || Math.min(inner, outer) < LEAST_CHANNELS) return false;
  const tiling = tilingOf(results, taps);
  return product(tiling.tiles) * pointsOf(tiling) <= MOST_PRODUCTS * product(results) * taps ** 2;
}

/** Whether `toCoarse` and `toWeight` pay, and whether `toFine` does, with so many channels on the fine and on the coarse side. */
export const coarsePays = (g: Geometry, fine: number, coarse: number): boolean =>
  pays(g.coarse, g, fine, coarse);
export const finePays = (g: Geometry, fine: number, coarse: number): boolean =>
  pays(cellsOf(g).count, g, fine, coarse);

/** The convolution without a bias, x [B, …fine, C] and weight [k²·C, O] → [B, …coarse, O]. */
export function toCoarse(x: Tensor, weight: Tensor, g: Geometry): Tensor {
  const tiling = tilingOf(g.coarse, tapsOf(g));
  const { kernel } = transforms(tiling.tile, tiling.taps);
  const products = matmul(evaluated(x, tiling, g.stride, g.padding), evaluatedWeight(weight, kernel, g));
  return interpolated(products, x, tiling, { stride: 1, start: 0, space: g.coarse });
}

/** Its transpose, y [B, …coarse, O] → [B, …fine, C]. */
export function toFine(y: Tensor, weight: Tensor, g: Geometry): Tensor {
  const { first, count } = cellsOf(g);
  const tiling = tilingOf(count, tapsOf(g));
  const { kernel } = transforms(tiling.tile, tiling.taps);
  const flipped = kernel.map((row) => row.toReversed());
  const products = matmul(
    evaluated(y, tiling, 1, tiling.taps - 1 - first),
    transposeLast(evaluatedWeight(weight, flipped, g)),
  );
  return interpolated(products, y, tiling, {
    stride: g.stride,
    start: g.padding - first * g.stride,
    space: g.fine,
  });
}

/** The gradient of the weight, [k²·C, O], by x [B, …fine, C] and what comes back to y [B, …coarse, O]. */
export function toWeight(x: Tensor, y: Tensor, g: Geometry): Tensor {
  const tiling = tilingOf(g.coarse, tapsOf(g));
  const { output, kernel } = transforms(tiling.tile, tiling.taps);
  const points = evaluated(x, tiling, g.stride, g.padding);
  const cells = gemm(squared(output), cut(y, tiling), undefined, { transA: true });
  const results = reshape(cells, [pointsOf(tiling), dimAt(points.shape, 1), channelsOf(y)]);
  const atPoints = matmul(transposeLast(points), results);
  const unit = multiply(dimAt(points.shape, 2), channelsOf(y));
  const byBlock = gemm(squared(kernel), reshape(atPoints, [pointsOf(tiling), unit]), undefined, {
    transA: true,
  });
  const { stride: s } = g;
  const apart = reshape(byBlock, [tiling.taps, tiling.taps, s, s, channelsOf(x), channelsOf(y)]);
  return reshape(transpose(apart, [0, 2, 1, 3, 4, 5]), [product(g.kernel) * channelsOf(x), channelsOf(y)]);
}

const tapsOf = ({ kernel, stride }: Geometry): number => kernel[0]! / stride;

/** weight [k²·C, O] → [points, s²·C, O] */
function evaluatedWeight(weight: Tensor, kernel: Matrix, g: Geometry): Tensor {
  const [s, taps, outputs] = [g.stride, tapsOf(g), fixed(dimAt(weight.shape, 1), 'conv weight')];
  const channels = fixed(dimAt(weight.shape, 0), 'conv weight') / product(g.kernel);
  const byBlock = transpose(reshape(weight, [taps, s, taps, s, channels, outputs]), [0, 2, 1, 3, 4, 5]);
  const points = gemm(squared(kernel), reshape(byBlock, [taps ** 2, s ** 2 * channels * outputs]));
  return reshape(points, [kernel.length ** 2, s ** 2 * channels, outputs]);
}

/** Blocks of x [B, …space, C], with zeros `before` it, at the points of each tile: [points, tiles·B, s²·C]. */
function evaluated(x: Tensor, tiling: Tiling, stride: number, before: number): Tensor {
  const { tile, taps, tiles } = tiling;
  const side = sideOf(tiling);
  const at = tuples([side, side, ...tiles, stride, stride]).map(([i, j, row, column, down, right]) => [
    stride * (tile * row! + i!) + down! - before,
    stride * (tile * column! + j!) + right! - before,
  ]);
  const count = multiply(product(tiles), dimAt(x.shape, 0));
  const unit = stride ** 2 * channelsOf(x);
  const seen = reshape(gatherPlaces(x, at, stride ** 2), [side ** 2, multiply(count, unit)]);
  return reshape(gemm(squared(transforms(tile, taps).input), seen), [side ** 2, count, unit]);
}

/** y [B, …space, O] → [tile², tiles·B·O], with zeros where a tile passes the grid. */
function cut(y: Tensor, { tile, tiles }: Tiling): Tensor {
  const at = tuples([tile, tile, ...tiles]).map(([i, j, row, column]) => [
    tile * row! + i!,
    tile * column! + j!,
  ]);
  const count = multiply(product(tiles), dimAt(y.shape, 0), channelsOf(y));
  return reshape(gatherPlaces(y, at, 1), [tile ** 2, count]);
}

/** Of x [B, …space, C] what lies at each place, zeros outside, for all examples: [places/block, B, block, C]. */
function gatherPlaces(x: Tensor, at: readonly (readonly number[])[], block: number): Tensor {
  const [batch, channels, space] = [dimAt(x.shape, 0), channelsOf(x), spaceOf(x)];
  const positions = at.map((place) => position(place, space));
  const zeros = Number(positions.includes(-1)); // a row of them after the others
  const size = product(space) + zeros;
  const flat = pad(reshape(x, [batch, product(space), channels]), 1, 0, zeros);
  const inExample = positions.map((place) => (place < 0 ? size - 1 : place));
  const index = add(
    integers(inExample, [at.length / block, 1, block]),
    reshape(mul(examples(x), size), [batch, 1]),
  );
  return gather(reshape(flat, [multiply(batch, size), channels]), index);
}

interface Laid {
  readonly stride: number;
  /** Where space begins in the grid of tiles. */
  readonly start: number;
  readonly space: readonly number[];
}

/** Products [points, tiles·B, s²·C] → [B, …space, C]: of each place the tile, the result in it and the place in its block. */
function interpolated(
  products: Tensor,
  like: Tensor,
  { tile, taps, tiles }: Tiling,
  { stride, start, space }: Laid,
): Tensor {
  const [points, batch, block] = [dimAt(products.shape, 0), dimAt(like.shape, 0), stride ** 2];
  const channels = fixed(dimAt(products.shape, 2), 'channels') / block;
  const flat = reshape(products, [points, multiply(dimAt(products.shape, 1), channels, block)]);
  const results = gemm(squared(transforms(tile, taps).output), flat);
  const places = tuples(space).map((place) => {
    const [row, column] = place.map((v) => Math.floor((v + start) / stride)) as [number, number];
    const within = place.map((v) => (v + start) % stride);
    const cell = [row % tile, column % tile, Math.floor(row / tile), Math.floor(column / tile)];
    return { cell: position(cell, [tile, tile, ...tiles]), within: position(within, [stride, stride]) };
  });
  const cells = mul(integers(places.map(({ cell }) => cell * block)), sizeOfBatch(like));
  const withins = integers(places.map(({ within }) => within));
  const index = add(add(cells, withins), reshape(mul(examples(like), block), [batch, 1]));
  const rows = reshape(results, [multiply(tile ** 2 * product(tiles) * block, batch), channels]);
  return reshape(gather(rows, index), [batch, ...space, channels]);
}

/** How many examples there are, as an integer [1]. */
const sizeOfBatch = (x: Tensor): Tensor => {
  const batch = dimAt(x.shape, 0);
  return typeof batch === 'number' ? integers([batch]) : runtimeShape(x, 0, 1);
};

/** 0, 1, 2, … for the examples of x, as integers [B]. */
function examples(x: Tensor): Tensor {
  const batch = dimAt(x.shape, 0);
  if (typeof batch === 'number') return integers([...Array(batch).keys()]);
  return reshape(toInteger(cumulativeSum(onesRow(x), 1, { exclusive: true })), [batch]);
}
