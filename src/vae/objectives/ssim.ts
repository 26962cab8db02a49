/** Structural similarity of pictures on several scales. */
import {
  add,
  concat,
  constant,
  type Dim,
  dimAt,
  div,
  exp,
  fixed,
  log,
  matmul,
  maximum,
  mean,
  mul,
  multiply,
  reshape,
  type Shape,
  split,
  square,
  sub,
  type Tensor,
} from '../../graph/index.ts';
import { halve } from '../../nn/index.ts';

/** Exponents of the scales, finest first (Wang et al. 2003, section 3). */
const EXPONENTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];
/** Constants for pixels from 0 to 1 (Wang et al. 2004, section III.B). */
const [C1, C2] = [0.01 ** 2, 0.03 ** 2];
const WINDOW = 11;
const SIGMA = 1.5;
/** A similarity is held above this: the power of a small one has too steep a slope, that of one below 0 no value. */
const LEAST = 0.01;

/** How many of the five scales a picture has room for: each halves it and needs a whole window. */
export function scalesOf(height: number, width: number): number {
  let side = Math.min(height, width);
  let scales = 1;
  while (scales < EXPONENTS.length && (side >>= 1) >= WINDOW) scales++;
  return scales;
}

/** A Gaussian of odd length, cut where the picture is smaller than the window; its weights add up to 1. */
function gaussianWindow(side: number): number[] {
  const length = Math.min(WINDOW, side - (1 - (side % 2)));
  const weights = Array.from({ length }, (_, i) => Math.exp(-0.5 * ((i - (length - 1) / 2) / SIGMA) ** 2));
  const total = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / total);
}

/** The matrix [n − k + 1, n] that takes n values to their weighted means in a window of k. */
function windowMatrix(n: number): Tensor {
  const weights = gaussianWindow(n);
  const places = n - weights.length + 1;
  const rows = Array.from({ length: places }, (_, i) =>
    Array.from({ length: n }, (_, j) => weights[j - i] ?? 0),
  );
  return constant(rows.flat(), [places, n]);
}

const [HEIGHT, WIDTH, CHANNELS] = [1, 2, 3];
const sideOf = (t: Tensor, axis: number): number => fixed(dimAt(t.shape, axis), 'side');

/** Local weighted means of pictures [B, H, W, C], where the whole window fits. */
function localMeans(t: Tensor): Tensor {
  const [batch, height, width, channels] = t.shape as Shape & [Dim, number, number, number];
  const tall = matmul(windowMatrix(height), reshape(t, [batch, height, width * channels]));
  const rows = sideOf(tall, 1);
  const wide = matmul(windowMatrix(width), reshape(tall, [multiply(batch, rows), width, channels]));
  return reshape(wide, [batch, rows, sideOf(wide, 1), channels]);
}

const overPicture = (t: Tensor): Tensor => mean(t, [HEIGHT, WIDTH, CHANNELS]); // [B, …] → [B]

/** Means over the picture of contrast · structure, and of all three terms; [B] each (Wang et al. 2004, section III.B). */
function similarity(x: Tensor, y: Tensor): { readonly structure: Tensor; readonly whole: Tensor } {
  const channels = sideOf(x, CHANNELS);
  const maps = localMeans(concat([x, y, square(x), square(y), mul(x, y)], CHANNELS));
  const [mx, my, xx, yy, xy] = split(maps, CHANNELS, Array<number>(5).fill(channels)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const squares = add(square(mx), square(my));
  const product = mul(mx, my);
  const structure = div(add(mul(2, sub(xy, product)), C2), add(sub(add(xx, yy), squares), C2));
  const luminance = div(add(mul(2, product), C1), add(squares, C1));
  return { structure: overPicture(structure), whole: overPicture(mul(luminance, structure)) };
}

/**
 * MS-SSIM of pictures x and y [B, H, W, C] with pixels from 0 to 1 → [B], 1 where they are equal (Wang et al. 2003, section 3).
 * With fewer scales than five their exponents are made to add up to 1 again.
 */
export function multiScaleSimilarity(x: Tensor, y: Tensor): Tensor {
  const scales = scalesOf(sideOf(x, HEIGHT), sideOf(x, WIDTH));
  const used = EXPONENTS.slice(0, scales);
  const total = used.reduce((a, b) => a + b, 0);
  let [a, b] = [x, y];
  const logs = used.map((exponent, i) => {
    if (i > 0) [a, b] = [halve(a), halve(b)];
    const { structure, whole } = similarity(a, b);
    return mul(exponent / total, log(maximum(i === scales - 1 ? whole : structure, LEAST)));
  });
  return exp(logs.reduce((sum, each) => add(sum, each)));
}
