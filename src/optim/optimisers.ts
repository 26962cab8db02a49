/** Optimisers as values: how many blocks of state each wants, and one in-place update. */
import { UserError } from '../errors.ts';
import type { Block, Run } from './block.ts';
import type { Kernels } from './kernels.ts';

export interface Optimizer {
  readonly kind: string;
  /** Blocks of state the size of the parameters. */
  readonly slots: number;
  /**
   * Moves the parameters against the gradients and returns the norm of these. Where it is not finite, parameters and state are of
   * no more use. `step` counts from 1.
   */
  update(kernels: Kernels, block: Block, step: number, learningRate: number): number;
}

export interface SgdOptions {
  readonly momentum?: number;
  readonly nesterov?: boolean;
}

/** Stochastic gradient descent: u ← μ u + g, θ ← θ − η u; Nesterov's form steps along g + μ u (Sutskever et al. 2013). */
export function sgd({ momentum = 0, nesterov = false }: SgdOptions = {}): Optimizer {
  within('sgd momentum', momentum, 0, 1);
  if (nesterov && momentum === 0)
    throw new UserError('sgd with nesterov needs a momentum above 0, such as 0.9');
  return {
    kind: 'sgd',
    slots: momentum === 0 ? 0 : 1,
    update: (kernels, block, _step, rate) =>
      normOf(block, ({ length }, p, g, [u]) => {
        const squares = kernels.sumOfSquares(g, length);
        if (u === undefined) kernels.descend(p, g, length, rate);
        else kernels.momentum(p, g, u, length, rate, momentum, Number(nesterov));
        return squares;
      }),
  };
}

export interface AdamOptions {
  readonly beta1?: number;
  readonly beta2?: number;
  readonly epsilon?: number;
}

/** Adam (Kingma & Ba 2015, algorithm 1), with bias correction. */
export const adam = (options: AdamOptions = {}): Optimizer => ({
  ...adamW({ ...options, weightDecay: 0 }),
  kind: 'adam',
});

export interface AdamWOptions extends AdamOptions {
  /** λ of θ ← θ − η λ θ, applied where a run decays. */
  readonly weightDecay?: number;
}

/** Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2). */
export function adamW({
  beta1 = 0.9,
  beta2 = 0.999,
  epsilon = 1e-8,
  weightDecay = 0.01,
}: AdamWOptions = {}): Optimizer {
  within('adam beta1', beta1, 0, 1);
  within('adam beta2', beta2, 0, 1);
  if (!(epsilon > 0)) throw new UserError(`adam epsilon ${epsilon}: expected a number above 0`);
  if (!(weightDecay >= 0)) throw new UserError(`adamW weightDecay ${weightDecay}: expected 0 or more`);
  return {
    kind: 'adamW',
    slots: 2,
    update: (kernels, block, step, learningRate) => {
      // α m̂ / (√v̂ + ε) with m̂ = m / c1, v̂ = v / c2 equals α √c2 / c1 · m / (√v + ε √c2)
      const root = Math.sqrt(1 - beta2 ** step);
      const rate = (learningRate * root) / (1 - beta1 ** step);
      return normOf(block, ({ length, decays }, p, g, [m, v]) => {
        if (decays && weightDecay > 0) kernels.scale(p, length, 1 - learningRate * weightDecay);
        return kernels.adam(p, g, m!, v!, length, rate, 1 - beta1, 1 - beta2, epsilon * root);
      });
    },
  };
}

/** The root of what `f` gives for each run, of the byte addresses of its parameters, gradients and slots. */
function normOf(
  { params, grads, slots, runs }: Block,
  f: (run: Run, p: number, g: number, slots: readonly number[]) => number,
): number {
  const squares = runs.map((run) => {
    const at = run.offset * 4;
    return f(
      run,
      params + at,
      grads + at,
      slots.map((slot) => slot + at),
    );
  });
  return Math.sqrt(squares.reduce((a, b) => a + b, 0));
}

function within(what: string, value: number, low: number, below: number): void {
  if (!(value >= low && value < below))
    throw new UserError(`${what} ${value}: expected at least ${low} and below ${below}`);
}
