/** What happens to gradients before, and to parameters after, an optimiser's update. */
import type { Block } from './block.ts';
import type { Kernels } from './kernels.ts';

/**
 * Scales the gradients so that their Euclidean norm is at most `maxNorm` (Pascanu et al. 2013, algorithm 1) and returns the norm
 * before. NaN where a gradient is not finite: nothing was changed, and the update must be left out.
 */
export function clipGlobalNorm(kernels: Kernels, { grads, runs }: Block, maxNorm: number): number {
  const squares = runs.map(({ offset, length }) => kernels.sumOfSquares(grads + offset * 4, length));
  const norm = Math.sqrt(squares.reduce((a, b) => a + b, 0));
  if (!Number.isFinite(norm)) return Number.NaN;
  if (norm > maxNorm)
    for (const { offset, length } of runs) kernels.scale(grads + offset * 4, length, maxNorm / norm);
  return norm;
}

/**
 * Exponential moving average of the parameters, kept unbiased: the average after step t is what Adam's correction would give,
 * Σ dᵗ⁻ⁱ θᵢ / Σ dᵗ⁻ⁱ (Kingma & Ba 2015, section 3), so that the first steps do not linger. `average` is a block's byte offset.
 */
export function averageParams(
  kernels: Kernels,
  { params, runs }: Block,
  average: number,
  { step, decay }: { step: number; decay: number },
): void {
  const weight = averageWeight(step, decay);
  for (const { offset, length } of runs)
    kernels.approach(average + offset * 4, params + offset * 4, length, weight);
}

/** The weight of the newest parameters in their bias-corrected average at `step`, from 1: 1, then falling to 1 − decay. */
export const averageWeight = (step: number, decay: number): number => (1 - decay) / (1 - decay ** step);
