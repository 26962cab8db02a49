/** The samplers that can be fitted to a trained model, by name. */
import type { Table } from '../choice.ts';
import { UserError } from '../errors.ts';
import { type RowForm, type SamplerFamily, samplers, unfit } from '../samplers/index.ts';
import { PLACES, type Space } from '../vae/index.ts';
import { type ConfigOf, checkChoice, type GivenOf } from './choices.ts';

export { samplers };

export type SamplerConfig = ConfigOf<typeof samplers>;
export type GivenSampler = GivenOf<typeof samplers>;

const table = samplers as unknown as Table<SamplerFamily>;

/** Checks a choice and fills its defaults; without a kind it is the first that is for such z. */
export function parseSampler(given: Readonly<Record<string, unknown>>, space: Space): SamplerConfig {
  const kind = given['kind'] ?? samplersFor(space)[0];
  if (kind === undefined)
    throw new UserError(
      `no sampler is for ${PLACES[space]}, which this model's posterior gives: it has its prior`,
    );
  return checkChoice('sampler', table, { ...given, kind }) as SamplerConfig;
}

/** Names of the samplers for such z; there are none for some. */
const samplersFor = (space: Space): string[] =>
  Object.keys(table).filter((kind) => build(checkChoice('sampler', table, { kind })).space === space);

const build = ({ kind, ...options }: { readonly kind: string }): SamplerFamily => table[kind]!.build(options);

/** What a checked choice stands for, where it can be fitted to rows of such z. */
export function buildSampler(config: { readonly kind: string }, space: Space, form: RowForm): SamplerFamily {
  const family = build(config);
  const others = samplersFor(space).join(', ') || 'none is';
  const why =
    family.space === space
      ? unfit(family, form)
      : `it is for ${PLACES[family.space]}, and this model's posterior gives ${PLACES[space]} (for these: ${others})`;
  if (why) throw new UserError(`sampler "${config.kind}": ${why}`);
  return family;
}
