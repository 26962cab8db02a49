/** How far apart two codes are, by the space they are in. */

type Code = ArrayLike<number>;

/** √Σ ((aⱼ − bⱼ)/σⱼ)²; dimensions that do not vary are left out. */
export function scaledDistance(a: Code, b: Code, deviation: Code): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) if (deviation[j]! > 0) sum += ((a[j]! - b[j]!) / deviation[j]!) ** 2;
  return Math.sqrt(sum);
}

export const euclideanDistance = (a: Code, b: Code): number => Math.sqrt(squares(a, b));

/** The angle between unit vectors, radians: 2 asin(|a − b|/2), which is exact for near ones too. */
export const angleBetween = (a: Code, b: Code): number =>
  2 * Math.asin(Math.min(1, Math.sqrt(squares(a, b)) / 2));

/** In the Poincaré ball: arcosh(1 + 2 |a − b|² / ((1 − |a|²)(1 − |b|²))) (Nickel & Kiela 2017, eq. 1). */
export function hyperbolicDistance(a: Code, b: Code): number {
  const room = (c: Code) => Math.max(1e-12, 1 - squares(c, new Float64Array(c.length)));
  return Math.acosh(1 + (2 * squares(a, b)) / (room(a) * room(b)));
}

function squares(a: Code, b: Code): number {
  let sum = 0;
  for (let j = 0; j < a.length; j++) sum += (a[j]! - b[j]!) ** 2;
  return sum;
}
