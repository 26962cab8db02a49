/** The graph that gaps are filled by: samples of z given what is there, what each weighs, and what it says of x. */
import { concat } from '../graph/index.ts';
import type { Outputs } from './graphs.ts';
import { observation, type Vae } from './model.ts';
import { logWeights, terms } from './terms.ts';

/**
 * x, mask, noise → of K samples for each row `logWeight` = log p(x_obs, z) − log q(z|x_obs) [K, B], `z` [K, B, Z] and `mean` =
 * E[x|z] [K, B, D]; of a model that infers a label given the one in `condition`, which every row has to have.
 */
export function imputationGraph(vae: Vae, samples: number): Outputs {
  const t = terms(vae.label?.given ?? vae, observation(vae.spec), { samples, progress: 1 });
  const means = t.decoded.map(({ likelihood }) => likelihood.mean);
  return { logWeight: logWeights(t), z: t.z, mean: concat(means, -1) };
}
