/** The unit sphere Sⁿ⁻¹ in ℝⁿ: its area, and angles between a mean direction and draws around it. */
import {
  add,
  atan,
  clip,
  constant,
  cos,
  cumulativeSum,
  dimAt,
  div,
  equal,
  exp,
  greater,
  less,
  log,
  logSumExp,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reshape,
  sin,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  toFloat,
  where,
} from '../../graph/index.ts';

/** log Γ(n/2) for whole n > 0. */
function logGammaOfHalf(n: number): number {
  let total = n % 2 === 1 ? Math.log(Math.PI) / 2 : 0;
  for (let k = n % 2 === 1 ? 1 : 2; k < n; k += 2) total += Math.log(k / 2);
  return total;
}

/** log (2 π^(n/2) / Γ(n/2)): the area of the unit sphere in ℝⁿ. */
export const logSphereArea = (n: number): number =>
  Math.LN2 + (n / 2) * Math.log(Math.PI) - logGammaOfHalf(n);

/** Gauss–Legendre points and weights on [0, 1]. */
const POINTS = [-0.8611363115940526, -0.3399810435848563, 0.3399810435848563, 0.8611363115940526].map(
  (x) => (1 + x) / 2,
);
const WEIGHTS = [0.3478548451374538, 0.6521451548625461, 0.6521451548625461, 0.3478548451374538].map(
  (w) => w / 2,
);
const CELLS = 32;
/** Deviations on either side of the mode that the cells reach: what is beyond is below 10⁻⁸ of the whole. */
const REACH = 14;
const TINY = 1e-30;

/**
 * The angle θ between z and μ under a von Mises–Fisher law on Sⁿ⁻¹: p(θ) ∝ e^(κ (cos θ − 1)) sinⁿ⁻² θ. Integrals are taken by
 * quadrature in cells around the mode, which follow κ: exact to float32 rounding for any κ ≥ 0 and n ≥ 2, with gradients, and
 * no Bessel function. Tensors are [B, 1], of draws [K, B, 1].
 */
export interface AngleLaw {
  /** log ∫ e^(κ (cos θ − 1)) sinⁿ⁻² θ dθ. */
  readonly logNormaliser: Tensor;
  /** E[κ (1 − cos θ)]. */
  readonly energy: Tensor;
  /** θ with P(angle < θ) = u, for u in (0, 1). */
  readonly quantile: (u: Tensor) => Tensor;
}

/** κ (1 − cos θ) = 2κ sin²(θ/2), in which nothing cancels where κ is large. */
const energyAt = (theta: Tensor, kappa: Tensor): Tensor => mul(mul(2, kappa), square(sin(mul(0.5, theta))));

/** κ (cos θ − 1) + (n − 2) log sin θ. */
const logDensity = (theta: Tensor, kappa: Tensor, n: number): Tensor => {
  const energy = neg(energyAt(theta, kappa));
  return n === 2 ? energy : add(energy, mul(n - 2, log(maximum(sin(theta), TINY))));
};

/**
 * Where the cells begin and how wide they are, [B, 1]. With R² = (n − 2)² + 4κ² the mode has cos θ = 2κ/(n − 2 + R) and there
 * the second derivative of the log density is −R.
 */
function cellsAround(kappa: Tensor, n: number): { first: Tensor; width: Tensor } {
  const s = n - 2;
  const r = sqrt(add(square(mul(2, kappa)), s ** 2 + TINY));
  const mode = mul(2, atan(div(sqrt(mul(2 * s, add(r, s))), add(add(r, s), mul(2, kappa)))));
  const reach = div(REACH, sqrt(r));
  const first = maximum(sub(mode, reach), 0);
  return { first, width: mul(1 / CELLS, sub(minimum(add(mode, reach), Math.PI), first)) };
}

export function angleLaw(kappa: Tensor, n: number): AngleLaw {
  const { first, width } = cellsAround(stopGradient(kappa), n);
  const cells = Array.from({ length: CELLS }, (_, i) => i);
  const offsets = constant(
    cells.flatMap((i) => POINTS.map((x) => i + x)),
    [1, CELLS * POINTS.length],
  );
  const logWeights = constant(
    cells.flatMap(() => WEIGHTS.map(Math.log)),
    [1, CELLS * POINTS.length],
  );
  const theta = add(first, mul(width, offsets)); // [B, cells · points]
  const logP = add(logDensity(theta, kappa, n), add(logWeights, log(width)));
  const logNormaliser = logSumExp(logP, -1, { keepDims: true });
  const p = exp(sub(logP, logNormaliser));
  const masses = sum(reshape(p, [dimAt(p.shape, 0), CELLS, POINTS.length]), [2]); // [B, cells]
  return {
    logNormaliser,
    energy: sum(mul(p, energyAt(theta, kappa)), [-1], { keepDims: true }),
    quantile: (u) => quantile({ kappa, n, first, width, logNormaliser, masses }, u),
  };
}

interface Tabulated {
  readonly kappa: Tensor;
  readonly n: number;
  readonly first: Tensor;
  readonly width: Tensor;
  readonly logNormaliser: Tensor;
  readonly masses: Tensor;
}

const STEPS = 4;
/** Least probability of a cell at the density of a draw, by which its gradient is divided: of what is rarer only rounding is left. */
const RARE = 1e-6;

/**
 * The cell of u from the running sums, then Newton's method within it. The gradient is the implicit one, −(∂F/∂κ)/f (Figurnov
 * et al. 2018): that of one more step in which θ and f are held.
 */
function quantile({ kappa, n, first, width, logNormaliser, masses }: Tabulated, given: Tensor): Tensor {
  const held = stopGradient(masses);
  const before = cumulativeSum(held, 1, { exclusive: true }); // [B, cells]
  const u = mul(given, sum(held, [1], { keepDims: true })); // in float32 the sums end a little off 1
  const cell = sub(sum(toFloat(greater(u, before)), [-1], { keepDims: true }), 1); // [K, B, 1]
  const numbers = constant(
    Array.from({ length: CELLS }, (_, i) => i),
    [1, 1, CELLS],
  );
  const below = sum(mul(toFloat(less(numbers, cell)), masses), [-1], { keepDims: true });
  const mass = sum(mul(toFloat(equal(numbers, cell)), held), [-1], { keepDims: true });
  const start = add(first, mul(width, cell));
  const density = (theta: Tensor) => exp(sub(logDensity(theta, kappa, n), logNormaliser));
  /** P(angle < start + x · width). */
  const distribution = (x: Tensor): Tensor => {
    const inside = mul(x, constant(POINTS, [1, 1, POINTS.length]));
    const p = density(add(start, mul(width, inside)));
    const total = sum(mul(p, constant(WEIGHTS, [1, 1, POINTS.length])), [-1], { keepDims: true });
    return add(below, mul(mul(x, width), total));
  };
  const slope = (x: Tensor) => stopGradient(mul(width, density(add(start, mul(width, x)))));
  const step = (x: Tensor, least: number): Tensor => div(sub(distribution(x), u), maximum(slope(x), least));
  const share = clip(div(sub(u, stopGradient(below)), maximum(mass, TINY)), 1e-6, 1);
  // the first cell may begin at 0, where the distribution rises as θⁿ⁻¹
  let x = where(greater(start, 0), share, pow(share, 1 / (n - 1)));
  for (let i = 0; i < STEPS; i++) x = clip(sub(x, step(x, TINY)), 0, 1);
  const found = stopGradient(x);
  const more = step(found, RARE);
  return add(start, mul(width, sub(found, sub(more, stopGradient(more)))));
}

/** cos θ · μ + sin θ · v with v the direction of ε [K, B, n] across μ [B, n]: uniform around μ where ε is normal. */
export function atAngle(mean: Tensor, theta: Tensor, epsilon: Tensor): Tensor {
  const along = sum(mul(epsilon, mean), [-1], { keepDims: true });
  const across = unit(sub(epsilon, mul(along, mean)));
  return add(mul(cos(theta), mean), mul(sin(theta), across));
}

/** x / |x| over the last axis. */
export const unit = (x: Tensor): Tensor => div(x, sqrt(add(sum(square(x), [-1], { keepDims: true }), 1e-20)));
