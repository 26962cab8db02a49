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
  readonly only?: 'pictures' | 'label';
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
  denoisingAutoencoder: {
    title: 'an autoencoder that repairs corrupted data',
    reference: 'Vincent et al. 2008',
    choices: { objective: { kind: 'denoising' }, posterior: { kind: 'point' } },
  },
  denoisingVae: {
    title: 'a VAE whose encoder sees corrupted data',
    reference: 'Im et al. 2017',
    choices: { objective: { kind: 'denoising' } },
  },
  raeL2: {
    title: 'autoencoder with small codes and weights',
    reference: 'Ghosh et al. 2020',
    choices: { objective: { kind: 'rae' } },
  },
  raeGp: {
    title: 'autoencoder with small codes and a smooth decoder',
    reference: 'Ghosh et al. 2020',
    choices: { objective: { kind: 'rae', smoothness: 'gradient' } },
  },
  betaVae: {
    title: 'a heavier KL, for separate factors',
    reference: 'Higgins et al. 2017',
    choices: { objective: { kind: 'elbo', beta: 4 } },
  },
  capacityVae: {
    title: 'a KL held at a capacity that rises',
    reference: 'Burgess et al. 2018',
    choices: { objective: { kind: 'capacity' } },
  },
  controlVae: {
    title: 'a KL steered to a target',
    reference: 'Shao et al. 2020',
    choices: { objective: { kind: 'controlVae' } },
  },
  gecoVae: {
    title: 'the least KL with a reconstruction as good as asked for',
    reference: 'Rezende & Viola 2018',
    choices: { objective: { kind: 'geco' } },
  },
  cyclicalVae: {
    title: 'a KL that warms up again and again, against collapse',
    reference: 'Fu et al. 2019',
    choices: { warmup: { kind: 'cyclical', fraction: 1 } },
  },
  freeBitsVae: {
    title: 'each latent dimension may use some nats at no cost',
    reference: 'Kingma et al. 2016',
    choices: { objective: { kind: 'elbo', freeBits: 0.1 } },
  },
  sigmaVae: {
    title: 'one learned variance for all numbers or pixels',
    reference: 'Rybkin et al. 2021',
    choices: { likelihood: { kind: 'gaussianShared' } },
  },
  robustVae: {
    title: 'Student’s t for numbers, so that outliers count less',
    reference: 'Takahashi et al. 2018',
    choices: { likelihood: { kind: 'studentT' } },
  },
  scVi: {
    title: 'zero-inflated counts, as of single cells',
    reference: 'Lopez et al. 2018',
    choices: { likelihood: { kind: 'zeroInflatedNegativeBinomial' } },
  },
  pixelVae: {
    title: '8-bit pixels by a mixture of logistics',
    reference: 'Salimans et al. 2017',
    choices: { likelihood: { kind: 'logisticMixture' } },
    only: 'pictures',
  },
  lossyVae: {
    title: 'binarised pixels that see those before them close by',
    reference: 'Chen et al. 2017; Gulrajani et al. 2017',
    choices: { likelihood: { kind: 'autoregressiveBernoulli' } },
    only: 'pictures',
  },
  betaTcvae: {
    title: 'a heavier total correlation, for separate factors',
    reference: 'Chen et al. 2018',
    choices: { objective: { kind: 'betaTcvae' } },
  },
  factorVae: {
    title: 'the same by a discriminator',
    reference: 'Kim & Mnih 2018',
    choices: { objective: { kind: 'factorVae' } },
  },
  dipVae1: {
    title: 'a penalty on the covariance of means',
    reference: 'Kumar et al. 2018',
    choices: { objective: { kind: 'dipVae', covariance: 'means' } },
  },
  dipVae2: {
    title: 'a penalty on the covariance of draws',
    reference: 'Kumar et al. 2018',
    choices: { objective: { kind: 'dipVae', covariance: 'draws', diagonal: 10 } },
  },
  infoVae: {
    title: 'a mean discrepancy of q(z) and p(z) in place of the KL',
    reference: 'Zhao et al. 2019',
    choices: { objective: { kind: 'infoVae' } },
  },
  waeMmd: {
    title: 'Wasserstein autoencoder with a mean discrepancy',
    reference: 'Tolstikhin et al. 2018',
    choices: { objective: { kind: 'waeMmd' } },
  },
  slicedWae: {
    title: 'Wasserstein autoencoder with sliced distances',
    reference: 'Kolouri et al. 2018',
    choices: { objective: { kind: 'slicedWae' } },
  },
  aae: {
    title: 'adversarial autoencoder',
    reference: 'Makhzani et al. 2015',
    choices: { objective: { kind: 'aae' } },
  },
  vaeGan: {
    title: 'pictures compared by a discriminator’s features',
    reference: 'Larsen et al. 2016',
    choices: { objective: { kind: 'vaeGan' } },
    only: 'pictures',
  },
  msSsimVae: {
    title: 'pictures compared as the eye does',
    reference: 'Wang et al. 2003; Snell et al. 2017',
    choices: { objective: { kind: 'msSsim' } },
    only: 'pictures',
  },
  perceptualVae: {
    title: 'pictures compared at every size of detail',
    reference: 'Bojanowski et al. 2018',
    choices: { objective: { kind: 'perceptual' } },
    only: 'pictures',
  },
  iwae: {
    title: 'importance-weighted autoencoder',
    reference: 'Burda et al. 2016',
    choices: { objective: { kind: 'iwae', samples: 50 } },
  },
  miwae: {
    title: 'means of importance-weighted bounds',
    reference: 'Rainforth et al. 2018',
    choices: { objective: { kind: 'miwae', samples: 64, groups: 8 } },
  },
  piwae: {
    title: 'importance-weighted for the decoder, in groups for the encoder',
    reference: 'Rainforth et al. 2018',
    choices: { objective: { kind: 'piwae', samples: 64, groups: 8 } },
  },
  ciwae: {
    title: 'between the ELBO and the importance-weighted bound',
    reference: 'Rainforth et al. 2018',
    choices: { objective: { kind: 'ciwae', samples: 64 } },
  },
  dregIwae: {
    title: 'importance-weighted, its gradient with less noise',
    reference: 'Tucker et al. 2019',
    choices: { objective: { kind: 'dreg', samples: 50 } },
  },
  stlVae: {
    title: 'the ELBO, its gradient with less noise',
    reference: 'Roeder et al. 2017',
    choices: { objective: { kind: 'stl' } },
  },
  renyiVae: {
    title: 'Rényi’s variational bound',
    reference: 'Li & Turner 2016',
    choices: { objective: { kind: 'renyi' } },
  },
  fullVae: {
    title: 'a full covariance in the posterior',
    reference: 'Kingma & Welling 2019, section 2.5.1',
    choices: { posterior: { kind: 'gaussianFull' } },
  },
  planarVae: {
    title: 'planar flows in the posterior',
    reference: 'Rezende & Mohamed 2015',
    choices: { posterior: { kind: 'planar' } },
  },
  radialVae: {
    title: 'radial flows in the posterior',
    reference: 'Rezende & Mohamed 2015',
    choices: { posterior: { kind: 'radial' } },
  },
  householderVae: {
    title: 'a full covariance by reflections',
    reference: 'Tomczak & Welling 2016',
    choices: { posterior: { kind: 'householder' } },
  },
  iafVae: {
    title: 'inverse autoregressive flows in the posterior',
    reference: 'Kingma et al. 2016',
    choices: { posterior: { kind: 'iaf' } },
  },
  mixtureVae: {
    title: 'a mixture of Gaussians as the prior',
    reference: 'Dilokthanakul et al. 2016',
    choices: { prior: { kind: 'mixture' } },
  },
  vampVae: {
    title: 'a prior made of posteriors of pseudo-inputs',
    reference: 'Tomczak & Welling 2018',
    choices: { prior: { kind: 'vampPrior' } },
  },
  flowPriorVae: {
    title: 'coupling flows as the prior',
    reference: 'Chen et al. 2017; Dinh et al. 2017',
    choices: { prior: { kind: 'realNVP' } },
  },
  mafPriorVae: {
    title: 'autoregressive flows as the prior',
    reference: 'Papamakarios et al. 2017',
    choices: { prior: { kind: 'maf' } },
  },
  conditionalVae: {
    title: 'fields that are given (--condition), known to the prior too',
    reference: 'Sohn et al. 2015',
    choices: { prior: { kind: 'conditional' } },
  },
  sphericalVae: {
    title: 'latent directions on a sphere',
    reference: 'Davidson et al. 2018',
    choices: { posterior: { kind: 'vonMisesFisher' } },
  },
  poincareVae: {
    title: 'latent points of a hyperbolic ball, for hierarchies',
    reference: 'Mathieu et al. 2019; Nagano et al. 2019',
    choices: { posterior: { kind: 'wrappedNormal' } },
  },
  gumbelVae: {
    title: 'latent classes',
    reference: 'Jang et al. 2017; Maddison et al. 2017',
    choices: { posterior: { kind: 'gumbelSoftmax' } },
  },
  jointVae: {
    title: 'latent numbers and classes side by side',
    reference: 'Dupont 2018',
    choices: { posterior: { kind: 'mixed' } },
  },
  vqVae: {
    title: 'codes of a learned codebook',
    reference: 'van den Oord et al. 2017',
    choices: { posterior: { kind: 'vq' } },
  },
  residualVqVae: {
    title: 'codes of codebooks one after another',
    reference: 'Zeghidour et al. 2021',
    choices: { posterior: { kind: 'residualVq' } },
  },
  fsqVae: {
    title: 'codes on a fixed grid',
    reference: 'Mentzer et al. 2024',
    choices: { posterior: { kind: 'fsq' } },
  },
  lfqVae: {
    title: 'binary codes',
    reference: 'Yu et al. 2024',
    choices: { posterior: { kind: 'lfq' } },
  },
  ladderVae: {
    title: 'three levels of latent variables, inferred from the top down',
    reference: 'Sønderby et al. 2016',
    choices: { network: { kind: 'ladder' }, warmup: { kind: 'linear', fraction: 0.2 } },
  },
  iafLadderVae: {
    title: 'three levels of latent variables, each bent by inverse autoregressive flows',
    reference: 'Kingma et al. 2016',
    choices: {
      network: { kind: 'ladder' },
      posterior: { kind: 'iaf', steps: 2, width: 256 },
      warmup: { kind: 'linear', fraction: 0.2 },
    },
  },
  twoLayerIwae: {
    title: 'two layers of latent variables, inferred from the bottom up, under the importance-weighted bound',
    reference: 'Burda et al. 2016',
    choices: {
      network: { kind: 'chain', activation: 'tanh' },
      objective: { kind: 'iwae', samples: 50 },
    },
  },
  mvae: {
    title: 'a product of experts, one for each modality, any of which may be missing',
    reference: 'Wu & Goodman 2018',
    choices: { posterior: { kind: 'poe' } },
  },
  mmvae: {
    title: 'a mixture of experts, one for each modality',
    reference: 'Shi et al. 2019',
    choices: { posterior: { kind: 'moe' }, objective: { kind: 'iwae', samples: 10 } },
  },
  mopoeVae: {
    title: 'a mixture of products of experts, one for each set of modalities',
    reference: 'Sutter et al. 2021',
    choices: { posterior: { kind: 'mopoe' } },
  },
  m2: {
    title: 'a label that some rows lack is inferred',
    reference: 'Kingma et al. 2014',
    choices: {},
    only: 'label',
  },
  deepVae: {
    title: 'many levels of latent variables',
    reference: 'Child 2021',
    choices: { network: { kind: 'ladder', levels: [0, 4, 4, 2] }, warmup: { kind: 'linear', fraction: 0.2 } },
  },
} as const satisfies Record<string, Preset>;

export type PresetName = keyof typeof presets;
export const presetNames = Object.keys(presets) as [PresetName, ...PresetName[]];

/** What was given, with the choices of its preset behind it: again and again the same. */
export function withPreset<Given extends GivenChoices & { readonly preset?: PresetName | undefined }>(
  given: Given,
): Given {
  return given.preset === undefined ? given : withChoices(given, presets[given.preset].choices);
}

/** What was given, with other choices behind it. */
export function withChoices<Given extends GivenChoices>(given: Given, behind: GivenChoices): Given {
  const merged = Object.entries(behind).map(([name, choice]) => {
    const asked = given[name as keyof GivenChoices];
    const other = asked?.kind !== undefined && asked.kind !== choice.kind;
    return [name as TableName, other ? asked : { ...choice, ...asked }] as const;
  });
  return { ...given, ...Object.fromEntries(merged) };
}

/** Refuses a preset that is for another kind of data. */
export function checkPreset(
  preset: PresetName | undefined,
  has: { readonly pictures: boolean; readonly label: boolean },
): void {
  const only = preset && (presets[preset] as Preset).only;
  if (only && !has[only]) throw new UserError(`preset "${preset}" ${LACKS[only]}`);
}

const LACKS = {
  pictures: 'is for pictures, and these data are rows',
  label: 'infers a label that some rows lack: name it with --predict',
};
