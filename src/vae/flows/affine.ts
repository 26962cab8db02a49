/** Flows that shift and scale some dimensions by amounts read from others. */
import {
  add,
  affine,
  concat,
  dimAt,
  exp,
  fixed,
  mul,
  neg,
  sigmoid,
  softplus,
  split,
  sub,
  sum,
  type Tensor,
} from '../../graph/index.ts';
import {
  activations,
  constantly,
  contextual,
  linear,
  type MadeOptions,
  made,
  type Scope,
} from '../../nn/index.ts';
import { bounded } from '../bounded.ts';
import type { Bijection, Flow } from './flow.ts';

/** What is added to a gate before its sigmoid: it starts almost open (Kingma et al. 2016: +1 or +2). */
const OPEN = 2;

/**
 * z′ = σ ⊙ z + (1 − σ) ⊙ m with (m, s) = MADE(z, h) and σ = sigmoid(s): the numerically stable inverse autoregressive
 * step (Kingma et al. 2016, algorithm 1); log det = Σ log σ.
 */
export const inverseAutoregressive =
  (scope: Scope, options: MadeOptions): Flow =>
  (z) => {
    const [m, raw] = made(scope, z, 2, options);
    const s = add(raw!, OPEN);
    const moved = add(mul(sigmoid(s), z), mul(sigmoid(neg(s)), m!));
    return { z: moved, logDet: neg(sum(softplus(neg(s)), [-1])) };
  };

/** Of a learned log scale: one step stretches by at most e³. */
const MOST_LOG_SCALE = 3;

/** u = (z − m(z)) ⊙ e^(−s(z)), each element by those before it (Papamakarios et al. 2017, section 3.1). */
export function maskedAutoregressive(scope: Scope, options: MadeOptions): Bijection {
  const conditionals = (z: Tensor) => {
    const [m, raw] = made(scope, z, 2, options);
    return { m: m!, s: bounded(raw!, MOST_LOG_SCALE) };
  };
  return {
    toBase: (z) => {
      const { m, s } = conditionals(z);
      return { z: mul(sub(z, m), exp(neg(s))), logDet: neg(sum(s, [-1])) };
    },
    // each round makes one more element right, and leaves right those that are (Song et al. 2021)
    fromBase: (u) =>
      Array.from({ length: fixed(dimAt(u.shape, -1), scope.path) }).reduce<Tensor>((z) => {
        const { m, s } = conditionals(z);
        return add(m, mul(u, exp(s)));
      }, u),
  };
}

export interface CouplingOptions {
  /** Width of both hidden layers. */
  readonly width: number;
  /** Whether the first half is changed by the second instead of the other way round. */
  readonly swapped: boolean;
  /** What the amounts may depend on besides, [B, C]. */
  readonly context?: Tensor;
}

/**
 * One half of z is left as it is and says how the other is shifted and scaled: u₂ = (z₂ − m(z₁)) ⊙ e^(−s(z₁)) (Dinh et al. 2017,
 * section 3, in the direction of inference).
 */
export function coupling(scope: Scope, latent: number, o: CouplingOptions): Bijection {
  const { width, swapped, context } = o;
  const sizes = [Math.ceil(latent / 2), Math.floor(latent / 2)];
  const changed = sizes[swapped ? 0 : 1]!;
  const halves = (z: Tensor): readonly [Tensor, Tensor] => {
    const [first, second] = split(z, -1, sizes);
    return swapped ? [second!, first!] : [first!, second!];
  };
  const joined = (kept: Tensor, other: Tensor) => concat(swapped ? [other, kept] : [kept, other], -1);
  const amounts = (kept: Tensor) => {
    const seen = linear(scope.at(0), kept, width);
    const first = activations.silu(
      context ? add(seen, contextual(scope.at('context'), context, width)) : seen,
    );
    const second = activations.silu(linear(scope.at(1), first, width));
    const last = scope.at('output');
    const weight = last.parameter('weight', [width, 2 * changed], constantly(0)); // the flow starts as the identity
    const both = affine(second, weight, last.parameter('bias', [2 * changed], constantly(0)));
    const [m, raw] = split(both, -1, [changed, changed]);
    return { m: m!, s: bounded(raw!, MOST_LOG_SCALE) };
  };
  return {
    toBase: (z) => {
      const [kept, other] = halves(z);
      const { m, s } = amounts(kept);
      return { z: joined(kept, mul(sub(other, m), exp(neg(s)))), logDet: neg(sum(s, [-1])) };
    },
    fromBase: (u) => {
      const [kept, other] = halves(u);
      const { m, s } = amounts(kept);
      return joined(kept, add(m, mul(other, exp(s))));
    },
  };
}
