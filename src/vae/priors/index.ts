/** Every prior by name. */
import { normals } from './normal.ts';

export { standardNormal } from './normal.ts';

export const priors = { ...normals };

export type PriorName = keyof typeof priors;
