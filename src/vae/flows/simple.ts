/** Flows of one hidden unit each, whose parameters an encoder gives for every example. Parameters are [B, …]. */
import {
  add,
  dimAt,
  div,
  fixed,
  log,
  mul,
  reshape,
  softplus,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
} from '../../graph/index.ts';
import type { Flow } from './flow.ts';

const TINY = 1e-12;
/** Least slope of a planar flow, and least scale of a radial one. */
const LEAST = 1e-4;

const dot = (a: Tensor, b: Tensor): Tensor => sum(mul(a, b), [-1], { keepDims: true }); // [..., Z] → [..., 1]
const lessOne = (t: Tensor): Tensor => reshape(t, t.shape.slice(0, -1));

/**
 * f(z) = z + û tanh(wᵀz + b) with û = u + (m(wᵀu) − wᵀu) w / |w|², so that wᵀû = m(wᵀu) > −1 and f can be inverted (Rezende &
 * Mohamed 2015, eq. 10–12 and appendix A.1). Their m(x) = softplus(x) − 1 is shifted so that m(0) = 0: û then stays small where
 * w does. log det = log(1 + (1 − tanh²) wᵀû) is formed as a sum of two positive terms.
 */
export function planar(u: Tensor, w: Tensor, b: Tensor): Flow {
  const along = dot(w, u); // [B, 1]
  const slope = add(mul(1 - LEAST, softplus(add(along, Math.log(Math.E - 1)))), LEAST); // 1 + wᵀû
  const excess = sub(sub(slope, 1), along);
  const direction = add(u, mul(w, div(excess, add(dot(w, w), TINY))));
  return (z) => {
    const h = tanh(add(dot(z, w), b)); // [K, B, 1]
    const determinant = add(square(h), mul(sub(1, square(h)), slope));
    return { z: add(z, mul(direction, h)), logDet: lessOne(log(determinant)) };
  };
}

/**
 * f(z) = z + β (z − c) / (α + r), r = |z − c|, with β = −α + softplus(b) ≥ −α (Rezende & Mohamed 2015, eq. 14 and appendix
 * A.2), so that log det = (Z − 1) log((r + s)/(α + r)) + log((r² + 2αr + αs)/(α + r)²) with s = softplus(b).
 */
export function radial(centre: Tensor, a: Tensor, b: Tensor): Flow {
  const alpha = add(softplus(a), LEAST); // [B, 1]
  const s = add(softplus(b), LEAST);
  const others = fixed(dimAt(centre.shape, -1), 'radial flow') - 1;
  return (z) => {
    const away = sub(z, centre);
    const r = sqrt(add(dot(away, away), TINY)); // [K, B, 1]
    const scale = add(alpha, r);
    const tangential = log(div(add(r, s), scale));
    const outward = log(div(add(mul(r, add(r, mul(2, alpha))), mul(alpha, s)), square(scale)));
    const moved = add(z, mul(away, div(sub(s, alpha), scale)));
    return { z: moved, logDet: lessOne(add(mul(others, tangential), outward)) };
  };
}

/** z − 2 v (vᵀz) / |v|²: the reflection at the hyperplane across v, its own inverse (Tomczak & Welling 2016). */
export function reflected(z: Tensor, v: Tensor): Tensor {
  const along = div(dot(z, v), add(dot(v, v), TINY));
  return sub(z, mul(mul(2, v), along));
}
