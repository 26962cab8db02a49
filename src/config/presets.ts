/** Known models as combinations of choices: small data, one entry a model. Anything given beside a preset wins over it. */
import { UserError } from '../errors.ts';
import type { TableName } from './choices.ts';
import type { GivenChoices } from './options.ts';

export interface Preset {
  readonly title: string;
  /** Who described it first. */
  readonly reference: string;
  readonly choices: GivenChoices;
  /** For data of this kind alone. */
  readonly only?: 'pictures';
}

export const presets = {
  vae: {
    title: 'the variational autoencoder',
    reference: 'Kingma & Welling 2014',
    choices: {},
  },
  autoencoder: {
    title: 'a plain autoencoder, the baseline',
    reference: 'Hinton & Salakhutdinov 2006',
    choices: { objective: { kind: 'autoencoder' } },
  },
  betaVae: {
    title: 'β-VAE: a heavier KL, for separate factors',
    reference: 'Higgins et al. 2017',
    choices: { objective: { kind: 'elbo', beta: 4 } },
  },
  sigmaVae: {
    title: 'σ-VAE: one learned variance for all numbers or pixels',
    reference: 'Rybkin et al. 2021',
    choices: { likelihood: { kind: 'gaussianShared' } },
  },
  iwae: {
    title: 'importance-weighted autoencoder',
    reference: 'Burda et al. 2016',
    choices: { objective: { kind: 'iwae', samples: 50 } },
  },
  ladderVae: {
    title: 'three levels of latent variables, inferred from the top down',
    reference: 'Sønderby et al. 2016',
    choices: { network: { kind: 'ladder' }, warmup: { kind: 'linear', fraction: 0.2 } },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
export const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

/** What was given, with the choices of its preset behind it. */
export function withPreset<Given extends GivenChoices & { readonly preset?: PresetName | undefined }>(
  given: Given,
  isPicture: boolean,
): Given {
  if (given.preset === undefined) return given;
  const preset: Preset = presets[given.preset];
  if (preset.only === 'pictures' && !isPicture)
    throw new UserError(`preset "${given.preset}" is for pictures, and these data are rows`);
  const merged = Object.entries(preset.choices).map(([name, choice]) => {
    const asked = given[name as keyof GivenChoices];
    const other = asked?.kind !== undefined && asked.kind !== choice.kind;
    return [name as TableName, other ? asked : { ...choice, ...asked }] as const;
  });
  return { ...given, ...Object.fromEntries(merged) };
}
