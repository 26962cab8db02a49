/** KL(q ‖ p) of one level: in closed form where there is one, else from the samples with as little noise as can be had. */
import { add, dimAt, exp, mul, neg, reshape, sub, sum, type Tensor, withGradient } from '../graph/index.ts';
import type { Draws, Posterior } from './posterior.ts';
import type { Prior } from './prior.ts';
import { standardNormal } from './priors/normal.ts';

/** [1, B, d] in closed form, with d = Z or what the prior has it for, else [K, B, 1] from the draws. */
export function divergence(q: Posterior, p: Prior, drawn: Draws, logPz: Tensor): Tensor {
  const closed = p.kl?.(q);
  if (closed) return reshape(closed, [1, ...closed.shape]);
  const sampled = sub(negativeEntropy(q, drawn), logPz);
  return reshape(sampled, [...sampled.shape, 1]);
}

/**
 * [K, B] with the mean E_q[log q(z)]. log q of the draws is such a thing, but where q is near p the gradient of
 * log q − log p is then nothing but noise, and training hardly leaves a collapsed posterior (docs/decisions/005-sampled-kl.md).
 * So where q is Gaussian, or a flow from one, q₀, a control variate is added: what KL(q₀ ‖ N(0, I)) in closed form is more
 * than the same of the draws. Its mean is 0; it cancels that noise where q₀ is like N(0, I), and is noise itself far from
 * there, so it counts by exp(−KL). Elsewhere the gradient of log q is taken through z alone, which has the same mean (Roeder
 * et al. 2017).
 */
function negativeEntropy(q: Posterior, { z, logQz, bent }: Draws): Tensor {
  const normal = standardNormal(Number(dimAt(z.shape, -1)));
  const each = normal.kl!(bent?.from ?? q);
  if (each) {
    const closed = sum(each, [-1]);
    const logBase = bent ? add(logQz, bent.logDet) : logQz;
    const drawn = sub(logBase, normal.logProb(bent?.z ?? z));
    return add(logQz, mul(exp(neg(closed)), sub(closed, drawn)));
  }
  const path = q.logProb?.(z, true);
  return path ? withGradient([path], logQz, (dy) => [dy], true) : logQz;
}
