/** Which choices go together, and why others do not. */
import { UserError } from '../errors.ts';
import type { Network } from '../nn/index.ts';
import type { Levels, ModelSpec } from './model.ts';
import type { Objective } from './objective.ts';
import { isPoint, type Space } from './posterior.ts';

export const hasLevels = (network: Network | Levels): network is Levels => 'inference' in network;

export interface Combination extends Pick<ModelSpec, 'network' | 'posterior' | 'prior' | 'shape'> {
  readonly objective: Objective;
  /** Whether something is given. */
  readonly condition: boolean;
  /** Whether a label is inferred. */
  readonly label?: boolean;
  /** Groups of fields that have an encoder each, where the posterior is of experts. */
  readonly modalities?: number;
  /** Whether the weight of the KL rises during training. */
  readonly warmedUp: boolean;
}

/** What each space is made of. */
export const PLACES: Readonly<Record<Space, string>> = {
  real: 'real vectors',
  sphere: 'unit vectors',
  ball: 'points of the Poincaré ball',
  codes: 'codes',
  mixed: 'real vectors with classes',
};

/** Why these cannot be one model, as a sentence; undefined where they can. */
export function clash(combination: Combination): string | undefined {
  return clashOfModel(combination) ?? clashOfLabel(combination) ?? clashOfObjective(combination);
}

/** Throws where no model can be made from `spec`. */
export function checkModel(spec: ModelSpec): void {
  const { shape, parts, latent, condition = 0 } = spec;
  if (shape.length === 0 || !shape.every(isCount))
    throw new UserError(
      `shape [${shape}]: expected whole numbers from 1, [D] for a row or [H, W, C] for a picture`,
    );
  if (!isCount(latent)) throw new UserError(`latent ${latent}: expected a whole number of dimensions from 1`);
  checkParts(parts, shape.at(-1)!);
  const why = clashOfModel({ ...spec, condition: condition > 0 });
  if (why) throw new UserError(why);
}

const isCount = (n: number): boolean => Number.isSafeInteger(n) && n >= 1;

function checkParts(parts: ModelSpec['parts'], features: number): void {
  let covered = 0;
  for (const { field, start, size } of parts) {
    if (start !== covered || !isCount(size))
      throw new UserError(
        `part "${field}" has ${size} features from ${start} on: expected at least one, from ${covered} on, ` +
          'where the part before it ends',
      );
    covered += size;
  }
  if (covered !== features)
    throw new UserError(
      `parts cover ${covered} features: expected the ${features} of the last axis of shape`,
    );
}

/** Throws where `objective` does not train a model of `spec`. */
export function checkObjective(objective: Objective, spec: ModelSpec): void {
  const { condition = 0, label, modalities } = spec;
  const combination = {
    ...spec,
    objective,
    condition: condition > 0,
    label: label !== undefined,
    modalities: modalities?.length ?? spec.parts.length,
    warmedUp: false,
  };
  const why = clashOfLabel(combination) ?? clashOfObjective(combination);
  if (why) throw new UserError(why);
}

function clashOfModel({
  network,
  posterior,
  prior,
  condition,
}: Pick<Combination, 'network' | 'posterior' | 'prior' | 'condition'>): string | undefined {
  if (prior.given && !condition)
    return 'this prior depends on what is given, and nothing is: name fields with --condition';
  if (hasLevels(network) && !prior.conditional)
    return 'a network of several levels has a Gaussian for its prior at every level, conditional on others: leave --prior normal';
  if (hasLevels(network) && !posterior.conditional && !(posterior.flow && network.inference === 'top down'))
    return 'a network of several levels has a Gaussian for its posterior at every level, which a ladder can bend: leave --posterior gaussian, or give a ladder planar, radial or iaf';
  if (posterior.space !== prior.space)
    return `the posterior gives ${PLACES[posterior.space]} and the prior is over ${PLACES[prior.space]}: choose a prior for the same`;
  if (prior.ofPosteriors && !posterior.density)
    return 'this prior is made of posteriors and needs their density, which this posterior does not have: choose a Gaussian posterior';
  return undefined;
}

function clashOfLabel({ network, posterior, objective, label }: Combination): string | undefined {
  if (!label) return undefined;
  if (hasLevels(network))
    return 'a label is inferred beside one level of latent variables, and this network has several: choose another';
  if (!posterior.random)
    return 'a label is inferred beside latent variables that are drawn, and this posterior is not: choose another posterior';
  if (!objective.ofMeans)
    return 'a label is inferred by means over its classes, and this objective is not made of such: choose elbo, capacity, controlVae or denoising';
  if (posterior.experts)
    return 'a label is inferred by one encoder, and this posterior has one for each modality: choose another posterior';
  return undefined;
}

function clashOfObjective(combination: Combination): string | undefined {
  const { network, posterior, prior, objective, shape, warmedUp, modalities = 1 } = combination;
  if (objective.random && isPoint(posterior))
    return 'this objective needs a posterior that is drawn from, and a point is not';
  if (objective.density && !posterior.density)
    return 'this objective needs the density of the posterior at any z, which this posterior does not have: choose a Gaussian posterior';
  if (objective.diagonal && !posterior.diagonal)
    return 'this objective needs a mean and a variance of each latent dimension: choose a Gaussian posterior with a diagonal covariance';
  if (objective.once && posterior.experts && modalities > 1)
    return 'this objective sees each example once, and experts are trained on each several times: choose another objective or posterior';
  if (hasLevels(network) && (objective.density || objective.diagonal))
    return 'this objective is for one level of latent variables, and this network has several: choose another';
  if (objective.apart && posterior.stratified && modalities > 1)
    return 'this objective needs draws that are independent of each other, and with this posterior all of an example come from one expert: choose poe, or another objective';
  if (objective.apart && prior.ofPosteriors)
    return 'this objective moves the encoder through z alone, and this prior is made by the encoder too: choose another prior';
  if (objective.samples > 1 && !posterior.random)
    return 'this posterior is not drawn from and has no second sample: give --samples 1';
  if (objective.pictures && shape.length !== 3) return 'this objective is for pictures';
  if (objective.beta === 0 && warmedUp)
    return 'this objective gives the KL no weight that could rise: leave out --warmup';
  return undefined;
}
