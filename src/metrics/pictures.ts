/** How alike two pictures are. */

/** Bytes of one picture, [height, width, channels]. */
export interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** Mean squared difference of bytes, 0 to 255². */
export function squaredError({ data }: Picture, other: Picture): number {
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += (data[i]! - other.data[i]!) ** 2;
  return sum / data.length;
}

/** 10 log₁₀ (255² / mean squared error), decibels. */
export const peakSignalToNoise = (meanSquaredError: number): number =>
  10 * Math.log10(255 ** 2 / meanSquaredError);

/** Side of the window of `structuralSimilarity`: a smaller picture has no value. */
export const WINDOW = 11;
const WEIGHTS = (() => {
  const raw = Array.from({ length: WINDOW }, (_, i) => Math.exp(-((i - 5) ** 2) / (2 * 1.5 ** 2)));
  const total = raw.reduce((a, b) => a + b, 0);
  return Float64Array.from(raw, (w) => w / total);
})();
const C1 = (0.01 * 255) ** 2;
const C2 = (0.03 * 255) ** 2;

/**
 * The structural similarity index, −1 to 1 (Wang et al. 2004, eq. 13): means, variances and covariance under a Gaussian
 * window of 11 × 11 with a standard deviation of 1.5, wherever the whole window fits; averaged over places and channels.
 */
export function structuralSimilarity(a: Picture, b: Picture): number {
  let sum = 0;
  for (let c = 0; c < a.channels; c++) sum += channelSimilarity(planeOf(a, c), planeOf(b, c), a);
  return sum / a.channels;
}

const planeOf = ({ data, channels, height, width }: Picture, c: number): Float64Array =>
  Float64Array.from({ length: height * width }, (_, i) => data[i * channels + c]!);

type Size = Pick<Picture, 'height' | 'width'>;

function channelSimilarity(x: Float64Array, y: Float64Array, size: Size): number {
  const smooth = (v: Float64Array) => windowed(v, size);
  const [mx, my] = [smooth(x), smooth(y)];
  const xx = smooth(x.map((v) => v * v));
  const yy = smooth(y.map((v) => v * v));
  const xy = smooth(x.map((v, i) => v * y[i]!));
  let sum = 0;
  for (let i = 0; i < mx.length; i++) {
    const [a, b] = [mx[i]!, my[i]!];
    const [vx, vy, cov] = [xx[i]! - a * a, yy[i]! - b * b, xy[i]! - a * b];
    sum += ((2 * a * b + C1) * (2 * cov + C2)) / ((a * a + b * b + C1) * (vx + vy + C2));
  }
  return sum / mx.length;
}

/** Weighted means under the window at every place where it fits whole: first along rows, then along columns. */
function windowed(v: Float64Array, { height, width }: Size): Float64Array {
  const [high, wide] = [height - WINDOW + 1, width - WINDOW + 1];
  const along = new Float64Array(height * wide);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < wide; x++)
      for (let k = 0; k < WINDOW; k++) along[y * wide + x]! += WEIGHTS[k]! * v[y * width + x + k]!;
  const out = new Float64Array(high * wide);
  for (let y = 0; y < high; y++)
    for (let k = 0; k < WINDOW; k++)
      for (let x = 0; x < wide; x++) out[y * wide + x]! += WEIGHTS[k]! * along[(y + k) * wide + x]!;
  return out;
}
