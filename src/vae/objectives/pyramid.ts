/** How far pictures are from each other at every size of detail. */
import { abs, add, mul, sub, sum, type Tensor } from '../../graph/index.ts';
import { enlarge, halve, placesOf } from '../../nn/index.ts';

/** A picture is halved while its shorter side is at least so long. */
const LEAST_SIDE = 4;

/** How many bands of detail a picture has. */
export function bandsOf(height: number, width: number): number {
  let bands = 1;
  for (let side = Math.min(height, width); side >= LEAST_SIDE; side >>= 1) bands++;
  return bands;
}

/**
 * Σⱼ 4ʲ ‖Lʲ(x) − Lʲ(y)‖₁ over the bands Lʲ of a Laplacian pyramid, finest first and the remainder last, of pictures
 * [B, H, W, C] → a mean over the batch, `scale` being 1/B (Ling & Okada 2006; Bojanowski et al. 2018, section 3.2). A band is
 * what halving by means over 2×2 loses. The pyramid is linear: that of the difference is taken.
 */
export function pyramidDistance(x: Tensor, y: Tensor, scale: Tensor): Tensor {
  const difference = sub(x, y);
  const [height, width] = placesOf(difference) as [number, number];
  let left = difference;
  const bands = Array.from({ length: bandsOf(height, width) - 1 }, () => {
    const coarse = halve(left);
    const band = sub(left, enlarge(coarse, placesOf(left)));
    left = coarse;
    return band;
  });
  const each = [...bands, left].map((band, j) => mul(4 ** j, sum(abs(band))));
  return mul(
    scale,
    each.reduce((a, b) => add(a, b)),
  );
}
