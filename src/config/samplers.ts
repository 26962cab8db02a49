/** The samplers that can be fitted to a trained model, by name. */
import type { Table } from '../choice.ts';
import { type SamplerFamily, samplers } from '../samplers/index.ts';
import type { Space } from '../vae/index.ts';
import { type ConfigOf, checkChoice, type GivenOf } from './choices.ts';

export { samplers };

export type SamplerConfig = ConfigOf<typeof samplers>;
export type GivenSampler = GivenOf<typeof samplers>;

const table = samplers as unknown as Table<SamplerFamily>;

/** Checks a choice and fills its defaults; without a kind it is the first that is for such z. */
export const parseSampler = (given: Readonly<Record<string, unknown>>, space: Space): SamplerConfig =>
  checkChoice('sampler', table, { kind: usualSampler(space), ...given }) as SamplerConfig;

/** The first sampler for such z; none for some. */
const usualSampler = (space: Space): string | undefined =>
  Object.keys(table).find((kind) => buildSampler(checkChoice('sampler', table, { kind })).space === space);

export const buildSampler = ({ kind, ...options }: { readonly kind: string }): SamplerFamily =>
  table[kind]!.build(options);
