/** Every objective by name. */
import { bounds } from './bounds.ts';

export { negativeElbo, negativeIwae } from './bounds.ts';

export const objectives = { ...bounds };

export type ObjectiveName = keyof typeof objectives;
