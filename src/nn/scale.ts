/** Pictures at half and at twice their size, [B, H, W, C]. */
import { averagePool, fixed, pad, slice, type Tensor, upsampleNearest } from '../graph/index.ts';

/** Height and width. */
export const placesOf = (x: Tensor): number[] => x.shape.slice(1, -1).map((d) => fixed(d, 'places'));

/** Means over 2×2, an odd last row or column left out. */
export function halve(x: Tensor): Tensor {
  const [h, w] = placesOf(x).map((n) => n - (n % 2)) as [number, number];
  return averagePool(slice(slice(x, 1, 0, h), 2, 0, w), 2);
}

/** Each place repeated 2×2, zeros after the last where the target is odd; again and again where it is larger than that. */
export function enlarge(x: Tensor, target: readonly number[]): Tensor {
  const [h, w] = target as [number, number];
  const [rows, columns] = placesOf(x).map((n) => 2 * n) as [number, number];
  if (h > rows + 1 || w > columns + 1)
    return enlarge(enlarge(x, [Math.floor(h / 2), Math.floor(w / 2)]), target);
  return pad(pad(upsampleNearest(x, 2), 1, 0, h - rows), 2, 0, w - columns);
}
