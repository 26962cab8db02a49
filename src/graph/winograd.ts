/**
 * Convolutions by tiles, with a fraction of the multiplications (Winograd 1980; Lavin & Gray 2016, section 4). Along one
 * axis y = Aᵀ[(G w) ⊙ (Bᵀ d)] for a tile d of the input: polynomials are evaluated at points, multiplied there, and
 * interpolated. In two dimensions each matrix is a Kronecker product with itself. All are matrix products here, and so is
 * what is left of the convolution: of channels, one a point. With a stride s the picture is cut into blocks of s × s places,
 * which are channels of a convolution at stride 1.
 */
import { gatherKnown } from './gather.ts';
import { gemm, matmul } from './matmul.ts';
import { pad, reshape, slice, transpose, transposeLast } from './move.ts';
import { cellsOf, channelsOf, type Geometry, position, product, tuples } from './patches.ts';
import { dimAt, divide, fixed, multiply } from './shape.ts';
import { constant, type Tensor } from './tensor.ts';

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
  if (!fits || Math.min(inner * stride ** 2, outer) < LEAST_CHANNELS) return false;
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
  const { output, kernel } = transforms(tiling.tile, tiling.taps);
  const products = matmul(evaluated(x, tiling, g.stride, g.padding), evaluatedWeight(weight, kernel, g));
  return interpolated(products, output, tiling, { stride: 1, start: 0, space: g.coarse });
}

/** Its transpose, y [B, …coarse, O] → [B, …fine, C]. */
export function toFine(y: Tensor, weight: Tensor, g: Geometry): Tensor {
  const { first, count } = cellsOf(g);
  const tiling = tilingOf(count, tapsOf(g));
  const { output, kernel } = transforms(tiling.tile, tiling.taps);
  const flipped = kernel.map((row) => row.toReversed());
  const products = matmul(
    evaluated(y, tiling, 1, tiling.taps - 1 - first),
    transposeLast(evaluatedWeight(weight, flipped, g)),
  );
  return interpolated(products, output, tiling, {
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
  const cells = gemm(squared(output), tilesOf(y, tiling), undefined, { transA: true });
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

/** Blocks of [B, …space, C], with zeros `before` it, at the points of each tile: [points, tiles·B, s²·C]. */
function evaluated(x: Tensor, tiling: Tiling, stride: number, before: number): Tensor {
  const { tile, tiles } = tiling;
  const side = sideOf(tiling);
  const grid = tiles.map((n) => n * tile + side - tile);
  const [batch, channels] = [dimAt(x.shape, 0), channelsOf(x)];
  const whole = fitted(
    x,
    grid.map((n) => n * stride),
    before,
  );
  const blocks = reshape(whole, [batch, grid[0]!, stride, grid[1]!, stride, channels]);
  const unit = stride ** 2 * channels;
  const byPlace = reshape(transpose(blocks, [1, 3, 0, 2, 4, 5]), [1, product(grid), multiply(batch, unit)]);
  const at = tuples([side, side, ...tiles]).map(([i, j, row, column]) =>
    position([tile * row! + i!, tile * column! + j!], grid),
  );
  const count = multiply(product(tiles), batch);
  const seen = reshape(gatherKnown(byPlace, at), [side ** 2, multiply(count, unit)]);
  return reshape(gemm(squared(transforms(tile, tiling.taps).input), seen), [side ** 2, count, unit]);
}

interface Place {
  readonly stride: number;
  readonly start: number;
  readonly space: readonly number[];
}

/** Products [points, tiles·B, s²·C] → [B, …space, C]: results of tiles side by side, blocks laid out, what lies outside cut off. */
function interpolated(
  products: Tensor,
  output: Matrix,
  { tile, tiles }: Tiling,
  { stride: s, start, space }: Place,
): Tensor {
  const unit = fixed(dimAt(products.shape, 2), 'channels');
  const flat = reshape(products, [dimAt(products.shape, 0), multiply(dimAt(products.shape, 1), unit)]);
  const [rows, columns] = tiles as [number, number];
  const batch = divide(dimAt(products.shape, 1), rows * columns)!;
  const cells = reshape(gemm(squared(output), flat), [tile, tile, rows, columns, batch, s, s, unit / s ** 2]);
  const laid = transpose(cells, [4, 2, 0, 5, 3, 1, 6, 7]);
  const grid = reshape(laid, [batch, rows * tile * s, columns * tile * s, unit / s ** 2]);
  return fitted(grid, space, -start);
}

/** y [B, …space, O] → [tile², tiles·B·O], with zeros where a tile passes the grid. */
function tilesOf(y: Tensor, { tile, tiles }: Tiling): Tensor {
  const [batch, outputs] = [dimAt(y.shape, 0), channelsOf(y)];
  const [rows, columns] = tiles as [number, number];
  const whole = fitted(
    y,
    tiles.map((n) => n * tile),
    0,
  );
  const apart = transpose(reshape(whole, [batch, rows, tile, columns, tile, outputs]), [2, 4, 1, 3, 0, 5]);
  return reshape(apart, [tile ** 2, multiply(rows * columns, batch, outputs)]);
}

/** [B, …, C] moved back by `before` along the axes of space, and cut or filled with zeros to `space`. */
function fitted(x: Tensor, space: readonly number[], before: number): Tensor {
  return space.reduce((t, n, i) => {
    const axis = i + 1;
    const size = fixed(dimAt(t.shape, axis), 'space');
    const [from, to] = [Math.max(0, -before), Math.min(size, n - before)];
    const cut = from === 0 && to === size ? t : slice(t, axis, from, to);
    const [front, back] = [Math.max(0, before), n - before - to];
    return front + back === 0 ? cut : pad(cut, axis, front, back);
  }, x);
}
