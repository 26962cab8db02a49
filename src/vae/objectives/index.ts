/** Every objective by name. */
import { adversarial } from './adversarial.ts';
import { autoencoders } from './autoencoders.ts';
import { bounds } from './bounds.ts';
import { constraints } from './constraint.ts';
import { weighted } from './importance.ts';
import { independent } from './independence.ts';
import { matched } from './matching.ts';
import { ofPictures } from './pictures.ts';
import { rates } from './rate.ts';

export { negativeElbo } from './bounds.ts';
export { negativeIwae } from './importance.ts';
export { klParts } from './independence.ts';
export { meanDiscrepancy, slicedDistance } from './matching.ts';
export { pyramidDistance } from './pyramid.ts';
export { multiScaleSimilarity } from './ssim.ts';

export const objectives = {
  ...bounds,
  ...rates,
  ...constraints,
  ...weighted,
  ...independent,
  ...matched,
  ...adversarial,
  ...ofPictures,
  ...autoencoders,
};

export type ObjectiveName = keyof typeof objectives;
