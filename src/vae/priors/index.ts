/** Every prior by name. */
import { codePriors } from './codes.ts';
import { normals } from './normal.ts';

export { uniformCodes } from './codes.ts';
export { standardNormal } from './normal.ts';

export const priors = { ...normals, ...codePriors };

export type PriorName = keyof typeof priors;
