/**
 * The Poincaré ball of curvature −1: |z| < 1 with the metric (λ dz)², λ = 2/(1 − |z|²). Tangent vectors at μ are given in units
 * of length, v = λ_μ · u. In float32 it ends 12 units from the centre.
 */
import {
  add,
  div,
  log,
  log1p,
  logSinhc,
  minimum,
  mul,
  neg,
  sqrt,
  sub,
  sum,
  type Tensor,
  tanh,
} from '../../graph/index.ts';

const TINY = 1e-12;
const LARGEST = 1 - 1e-5;

const squared = (x: Tensor): Tensor => sum(mul(x, x), [-1], { keepDims: true });
/** |x|, never quite 0: [..., Z] → [..., 1]. */
export const norm = (x: Tensor): Tensor => sqrt(add(squared(x), TINY));

/** z moved inwards where rounding put it at the edge. */
const inside = (z: Tensor): Tensor => mul(z, minimum(div(LARGEST, norm(z)), 1));

/**
 * Möbius addition x ⊕ y = ((1 − |x|²) s + |s|² x)/D with s = x + y and D = |s|² + (1 − |x|²)(1 − |y|²) (Ganea et al. 2018, section 2,
 * in a form in which nothing cancels near the edge), and |x ⊕ y|² = |s|²/D with 1 − |x ⊕ y|² as a product.
 */
function moebius(x: Tensor, y: Tensor): { readonly z: Tensor; readonly size: Tensor; readonly rest: Tensor } {
  const s = add(x, y);
  const ss = add(squared(s), TINY);
  const a = sub(1, squared(x));
  const ab = mul(a, sub(1, squared(y)));
  const d = add(ss, ab);
  return { z: div(add(mul(a, s), mul(ss, x)), d), size: sqrt(div(ss, d)), rest: div(ab, d) };
}

/** The point at the distance |v| from the centre in the direction of v [..., Z]. */
export function fromCentre(v: Tensor): Tensor {
  const r = norm(v);
  return inside(mul(v, div(tanh(mul(0.5, r)), r)));
}

/** The point at the distance |v| from μ along v: μ ⊕ tanh(|v|/2) v/|v| (Mathieu et al. 2019, section 2). */
export const fromPoint = (mean: Tensor, v: Tensor): Tensor => inside(moebius(mean, fromCentre(v)).z);

/** The v with which `fromPoint` comes from μ to z: 2 artanh|w| w/|w| with w = −μ ⊕ z. */
export function toPoint(mean: Tensor, z: Tensor): Tensor {
  const { z: w, size, rest } = moebius(neg(mean), z);
  const length = sub(mul(2, log1p(size)), log(rest)); // 2 artanh t = 2 log(1 + t) − log(1 − t²)
  return mul(w, div(length, size));
}

/**
 * log of how much more area there is at the distance r around a point than in its tangent space of Z dimensions:
 * (Z − 1) log (sinh r / r) (Nagano et al. 2019; Mathieu et al. 2019, section 3).
 */
export const logStretch = (r: Tensor, latent: number): Tensor => mul(latent - 1, logSinhc(r));
