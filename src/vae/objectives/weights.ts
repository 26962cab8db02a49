/** The weights of samples that bounds are made of. */
import { add, mul, sub, type Tensor } from '../../graph/index.ts';
import type { Terms } from '../terms.ts';

export type Logs = Pick<Terms, 'logPx' | 'levels'>;

/**
 * log p(x|z) + β (log p(z) − log q(z|x)) of each sample, [K, B]: at β = 1 the log of its importance weight, below it while
 * the KL is warmed up (as Sønderby et al. 2016 do).
 */
export const annealedWeights = ({ logPx, levels }: Logs, beta: Tensor): Tensor =>
  levels.reduce((w, { logPz, logQz }) => add(w, mul(beta, sub(logPz, logQz))), logPx);

/** The same terms where log q(z|x) has a gradient through z and none through the parameters of q. */
export const throughZ = ({ logPx, levels }: Logs): Logs => ({
  logPx,
  levels: levels.map((level) => ({ ...level, logQz: level.posterior.logProb!(level.z, true) })),
});
