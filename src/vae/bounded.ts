/** Learned logarithms that cannot run away. */
import { mul, type Tensor, tanh } from '../graph/index.ts';

/** x near 0, held smoothly within ±limit: a log scale whose exponential is finite whatever is learned. */
export const bounded = (x: Tensor, limit: number): Tensor => mul(limit, tanh(mul(1 / limit, x)));

/** log σ² within ±20. */
export const boundedLogVar = (x: Tensor): Tensor => bounded(x, 20);
