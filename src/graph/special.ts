/** Special functions from plain ops, right to float32 rounding over their whole range: what would cancel is never formed. */
import {
  abs,
  add,
  atan,
  div,
  exp,
  less,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  sign,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from './elementwise.ts';
import { scalar, type Tensor, withGradient } from './tensor.ts';

/** Keeps 0/0 away, below what counts. */
const TINY = 1e-30;
const HALF_LOG_2PI = 0.5 * Math.log(2 * Math.PI);

/** c₀ + c₁x + c₂x² + …, by Horner's rule. */
const polynomial = (x: Tensor, coefficients: readonly number[]): Tensor =>
  coefficients
    .slice(0, -1)
    .reduceRight<Tensor>((y, c) => add(mul(x, y), c), scalar(coefficients.at(-1)!, x.shape.length));

/** Two forms of one function, each shown only what is on its own side of `at`: neither can spoil the other's gradient. */
const piecewise = (
  x: Tensor,
  at: number,
  below: (x: Tensor) => Tensor,
  above: (x: Tensor) => Tensor,
): Tensor => where(less(x, at), below(minimum(x, at)), above(maximum(x, at)));

/** eˣ − 1 = tanh(x/2) (eˣ + 1), exact for small x too. */
export function expm1(x: Tensor): Tensor {
  const e = exp(x);
  return withGradient([x], mul(tanh(mul(0.5, x)), add(e, 1)), (dy) => [mul(dy, e)], true);
}

/** eˣ − 1 − x, never negative: how far, in nats, a Poisson or gamma law of mean m·eˣ is from one of mean m, per unit of m. */
export function excess(x: Tensor): Tensor {
  const e = expm1(x);
  return withGradient([x], sub(e, x), (dy) => [mul(dy, e)], true);
}

/** log(1 − e⁻ˣ), x > 0: that of a hit at rate x; of what lies between two logistic quantiles */
export function log1mExp(x: Tensor): Tensor {
  const t = tanh(mul(0.5, x));
  const slope = mul(0.5, sub(div(1, t), 1)); // 1 / (eˣ − 1)
  return withGradient([x], add(log(t), softplus(neg(x))), (dy) => [mul(dy, slope)], true);
}

/** log(eᵃ + eᵇ). */
export const logAddExp = (a: Tensor, b: Tensor): Tensor => add(a, softplus(sub(b, a)));

/** log (sinh x / x), 0 at 0; its slope is `langevin`. */
export function logSinhc(x: Tensor): Tensor {
  const value = piecewise(
    abs(x),
    0.5,
    (a) => mul(square(a), polynomial(square(a), [1 / 6, -1 / 180, 1 / 2835, -1 / 37800])),
    (a) => add(a, sub(log1mExp(mul(2, a)), log(mul(2, a)))),
  );
  return withGradient([x], value, (dy) => [mul(dy, langevin(x))], true);
}

/** Langevin's function coth x − 1/x, in (−1, 1): the mean of an exponential density on [−1, 1]. */
export function langevin(x: Tensor): Tensor {
  const size = piecewise(
    abs(x),
    0.5,
    (a) => mul(a, polynomial(square(a), [1 / 3, -1 / 45, 2 / 945, -1 / 4725, 2 / 93555])),
    (a) => sub(div(1, tanh(a)), div(1, a)),
  );
  return mul(sign(x), size);
}

/** Where the asymptotic series of `binet` is good enough; below, x is moved up by as much. */
const SHIFT = 3;

/**
 * Binet's function J(x), x > 0: what Stirling's formula lacks, log Γ(x) = (x − ½) log x − x + ½ log 2π + J(x). The
 * series is DLMF 5.11.1; below 3, J(x) = J(x + 3) + (x + 5/2) log(1 + 3/x) − log (1 + 1/x)(1 + 2/x) − 3 by the
 * recurrence of Γ. Large terms of a density meet in Stirling's parts and cancel there on paper, not in float32.
 */
export function binet(x: Tensor): Tensor {
  const series = (t: Tensor) => {
    const y = div(1, t);
    return mul(y, polynomial(square(y), [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188]));
  };
  const value = piecewise(
    x,
    SHIFT,
    (t) => {
      const y = div(1, t);
      const moved = sub(mul(add(t, SHIFT - 0.5), log1p(mul(SHIFT, y))), SHIFT);
      return add(series(add(t, SHIFT)), sub(moved, log1p(mul(y, add(3, mul(2, y))))));
    },
    series,
  );
  return withGradient([x], value, (dy) => [mul(dy, binetSlope(x))], true);
}

/** J′(x), by the same two forms. */
function binetSlope(x: Tensor): Tensor {
  const series = (t: Tensor) => {
    const s = square(div(1, t));
    return mul(s, polynomial(s, [-1 / 12, 1 / 120, -1 / 252, 1 / 240, -1 / 132]));
  };
  return piecewise(
    x,
    SHIFT,
    (t) => {
      const between = add(div(1, add(t, 1)), div(1, add(t, 2)));
      const ends = mul(0.5, add(div(1, t), div(1, add(t, SHIFT))));
      return add(series(add(t, SHIFT)), sub(log1p(div(SHIFT, t)), add(between, ends)));
    },
    series,
  );
}

/** log Γ(x), x > 0. */
export function logGamma(x: Tensor): Tensor {
  const stirling = sub(mul(sub(x, 0.5), log(x)), sub(x, HALF_LOG_2PI));
  return withGradient([x], add(stirling, binet(x)), (dy) => [mul(dy, digamma(x))], true);
}

/** ψ(x) = d log Γ(x) / dx, x > 0. */
export const digamma = (x: Tensor): Tensor => add(sub(log(x), div(0.5, x)), binetSlope(x));

/** log B(a, b) = log Γ(a) Γ(b) / Γ(a + b), from Stirling's formula with terms of one sign. */
export function logBeta(a: Tensor, b: Tensor): Tensor {
  const total = add(a, b);
  const bulk = add(mul(a, log1p(div(b, a))), mul(b, log1p(div(a, b))));
  const width = mul(0.5, sub(log(total), add(log(a), log(b))));
  return add(sub(add(width, HALF_LOG_2PI), bulk), sub(add(binet(a), binet(b)), binet(total)));
}

/** log a(a + 1)⋯(a + n − 1) = log Γ(a + n) / Γ(a), a > 0 and n ≥ 0, also where a is so large that both are alike. */
export function logRising(a: Tensor, n: Tensor): Tensor {
  const end = add(a, n);
  const part = log1p(div(n, a));
  const bulk = sub(mul(n, log(end)), n);
  const value = add(add(mul(sub(a, 0.5), part), bulk), sub(binet(end), binet(a)));
  return withGradient([a, n], value, (dy) => [mul(dy, digammaRise(a, n)), mul(dy, digamma(end))], true);
}

/** ψ(a + n) − ψ(a), a > 0 and n ≥ 0, also where a is so large that both are alike. */
export function digammaRise(a: Tensor, n: Tensor): Tensor {
  const end = add(a, n);
  const bulk = add(log1p(div(n, a)), div(n, mul(2, mul(a, end))));
  return add(bulk, sub(binetSlope(end), binetSlope(a)));
}

/** Where a power series of I₀ gives way to one in 1/κ. */
const LARGE = 5;
const TERMS = 12;
/** log(√(2πκ) e⁻ᵏ I₀(κ)) = y · P(y), y = 1/κ ≤ 1/5: Chebyshev interpolation, right to 3e-8. */
const TAIL = [
  0.125000075, 0.06245615, 0.06971557, -0.082317486, 3.7383335, -34.389893, 171.44957, -302.69675,
] as const;

/** Σ (κ²/4)ⁿ / (n! (n + order)!), of which I₀ and I₁ are made (DLMF 10.25.2). */
function powers(concentration: Tensor, order: 0 | 1): Tensor {
  const terms = [1];
  for (let n = 1; n < TERMS; n++) terms.push(terms[n - 1]! / (n * (n + order)));
  return polynomial(mul(0.25, square(concentration)), terms);
}

/** log(e⁻ᵏ I₀(κ)), κ ≥ 0: I₀ is the modified Bessel function of the first kind. */
export function logBesselI0(concentration: Tensor): Tensor {
  const value = piecewise(
    concentration,
    LARGE,
    (k) => sub(log(powers(k, 0)), k),
    (k) => {
      const y = div(1, k);
      return sub(mul(y, polynomial(y, TAIL)), add(mul(0.5, log(k)), HALF_LOG_2PI));
    },
  );
  return withGradient([concentration], value, (dy) => [neg(mul(dy, besselGap(concentration)))], true);
}

/** 1 − I₁(κ)/I₀(κ), which falls as 1/2κ. */
function besselGap(concentration: Tensor): Tensor {
  const slopes = TAIL.map((c, i) => c * (i + 1));
  return piecewise(
    concentration,
    LARGE,
    (k) => sub(1, mul(mul(0.5, k), div(powers(k, 1), powers(k, 0)))),
    (k) => {
      const y = div(1, k);
      return mul(y, add(0.5, mul(y, polynomial(y, slopes))));
    },
  );
}

/** I₁(κ)/I₀(κ), κ ≥ 0: the mean resultant length of a von Mises law. */
export const besselRatio = (concentration: Tensor): Tensor => sub(1, besselGap(concentration));

/** Of erfc: Press et al. 1992, section 6.2, relative error below 1.2e-7. */
const ERFC = [
  -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587,
  -0.82215223, 0.17087277,
] as const;

/** log Φ(x), the logarithm of the standard normal distribution function, with all of its lower tail; its slope is right to 1e-5. */
export function logNormalCdf(x: Tensor): Tensor {
  const z = mul(Math.SQRT1_2, maximum(x, neg(x))); // not abs, whose slope at 0 is 0
  const t = div(1, add(1, mul(0.5, z)));
  const tail = add(sub(polynomial(t, ERFC), square(z)), sub(log(t), Math.LN2)); // log Φ(−|x|)
  return where(less(x, 0), tail, log1p(neg(exp(tail))));
}

/** The angle of the point (x, y) in (−π, π], as 2 atan(y / (r + |x|)); 0 at the origin, with no gradient there. */
export function atan2(y: Tensor, x: Tensor): Tensor {
  const squared = add(square(x), square(y));
  const half = atan(div(y, add(add(sqrt(squared), abs(x)), TINY)));
  const angle = mul(2, half);
  const back = sub(where(less(y, 0), -Math.PI, Math.PI), angle);
  return withGradient(
    [y, x],
    where(less(x, 0), back, angle),
    (dy) => {
      const per = div(dy, add(squared, TINY));
      return [mul(per, x), neg(mul(per, y))];
    },
    true,
  );
}
