/** Every prior by name. */
import { ballPriors } from './ball.ts';
import { codePriors } from './codes.ts';
import { conditionalPriors } from './conditional.ts';
import { flowPriors } from './flow.ts';
import { mixtures } from './mixture.ts';
import { normals } from './normal.ts';
import { spherePriors } from './sphere.ts';
import { vamps } from './vamp.ts';

export { poincareNormal } from './ball.ts';
export { uniformCodes } from './codes.ts';
export { type FlowKind, flowKinds, flowPrior } from './flow.ts';
export { gaussianMixture } from './mixture.ts';
export { diagonalNormal, standardNormal } from './normal.ts';
export { uniformSphere } from './sphere.ts';
export { vampPrior } from './vamp.ts';

export const priors = {
  ...normals,
  ...mixtures,
  ...vamps,
  ...flowPriors,
  ...spherePriors,
  ...ballPriors,
  ...codePriors,
  ...conditionalPriors,
};

export type PriorName = keyof typeof priors;
