/** How two sets of points overlap, by the distances to their nearest neighbours. */
import { type Estimate, meanOf, moments, shareOf } from './estimate.ts';
import type { Points } from './points.ts';

export interface Overlap {
  /** Share of made points that lie where real ones do (Kynkäänniemi et al. 2019, eq. 1 and 2). */
  readonly precision: Estimate;
  /** Share of real points that lie where made ones do. */
  readonly recall: Estimate;
  /** Real neighbourhoods around a made point, over k: 1 where the sets agree (Naeem et al. 2020). */
  readonly density: Estimate;
  /** Share of real points with a made one in their neighbourhood (Naeem et al. 2020). */
  readonly coverage: Estimate;
}

/** Neighbours that make the neighbourhood of a point, as in the papers. */
export const MANIFOLD = 3;
export const NEIGHBOURHOOD = 5;

/** Of `made` points against `real` ones. The neighbourhoods are taken as given: intervals are over the points judged. */
export function overlap(real: Points, made: Points): Overlap {
  const around = radii(real, [MANIFOLD, NEIGHBOURHOOD]);
  const aroundMade = radii(made, [MANIFOLD])[0]!;
  const inside = new Uint8Array(made.count);
  const hits = new Float64Array(made.count);
  let [recalled, covered] = [0, 0];
  for (let i = 0; i < real.count; i++) {
    let [isRecalled, isCovered] = [false, false];
    for (let j = 0; j < made.count; j++) {
      const d = squaredDistance(real, i, made, j);
      if (d <= around[0]![i]!) inside[j] = 1;
      if (d <= around[1]![i]!) {
        hits[j]!++;
        isCovered = true;
      }
      isRecalled ||= d <= aroundMade[j]!;
    }
    recalled += Number(isRecalled);
    covered += Number(isCovered);
  }
  return {
    precision: shareOf(
      inside.reduce((a, b) => a + b, 0),
      made.count,
    ),
    recall: shareOf(recalled, real.count),
    density: meanOf(moments(hits.map((n) => n / NEIGHBOURHOOD))),
    coverage: shareOf(covered, real.count),
  };
}

export function squaredDistance(a: Points, i: number, b: Points, j: number): number {
  const { width } = a;
  const [x, y, from, to] = [a.data, b.data, i * width, j * width];
  let sum = 0;
  for (let k = 0; k < width; k++) {
    const d = x[from + k]! - y[to + k]!;
    sum += d * d;
  }
  return sum;
}

/** Squared distance of each point to its k-th nearest other, for each k. */
function radii(points: Points, ks: readonly number[]): Float64Array[] {
  const { count } = points;
  const most = Math.max(...ks);
  const nearest = new Float64Array(count * most).fill(Number.POSITIVE_INFINITY); // ascending for each point
  for (let i = 0; i < count; i++)
    for (let j = 0; j < i; j++) {
      const d = squaredDistance(points, i, points, j);
      insert(nearest, i * most, most, d);
      insert(nearest, j * most, most, d);
    }
  return ks.map((k) => Float64Array.from({ length: count }, (_, i) => nearest[i * most + k - 1]!));
}

/** The nearest of what is offered one by one, nearest first; of equal distances the earlier. */
export interface Nearest<T> {
  readonly offer: (distance: number, item: () => T) => void;
  readonly found: () => readonly { readonly distance: number; readonly item: T }[];
}

/** `item` is only asked for where it is among the `most` nearest so far. */
export function nearest<T>(most: number): Nearest<T> {
  const kept: { distance: number; item: T }[] = [];
  return {
    offer: (distance, item) => {
      if (kept.length === most && distance >= kept[most - 1]!.distance) return;
      const at = kept.findIndex((other) => other.distance > distance);
      kept.splice(at < 0 ? kept.length : at, 0, { distance, item: item() });
      if (kept.length > most) kept.pop();
    },
    found: () => kept,
  };
}

/** Keeps the `size` smallest from `start` on, ascending. */
function insert(sorted: Float64Array, start: number, size: number, value: number): void {
  let at = start + size - 1;
  if (value >= sorted[at]!) return;
  for (; at > start && sorted[at - 1]! > value; at--) sorted[at] = sorted[at - 1]!;
  sorted[at] = value;
}
