/** Pictures at half and at twice their size, [B, H, W, C]. */
import { averagePool, fixed, pad, slice, type Tensor, upsampleNearest } from '../graph/index.ts';

/** Height and width. */
export const placesOf = (x: Tensor): number[] => x.shape.slice(1, -1).map((d) => fixed(d, 'places'));

/** Means over 2×2, an odd last row or column left out. */
export function halve(x: Tensor): Tensor {
  const [h, w] = placesOf(x).map((n) => n - (n % 2)) as [number, number];
  return averagePool(slice(slice(x, 1, 0, h), 2, 0, w), 2);
}

/** Each place repeated 2×2, zeros after the last where the target is odd. */
export function enlarge(x: Tensor, [h, w]: readonly number[]): Tensor {
  const twice = upsampleNearest(x, 2);
  const [rows, columns] = placesOf(twice) as [number, number];
  return pad(pad(twice, 1, 0, h! - rows), 2, 0, w! - columns);
}
