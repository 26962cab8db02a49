/** What an evaluation can say: every figure by name, with its unit and what it is in a few words. */
import type { Estimate } from '../../metrics/index.ts';

export const groups = {
  label: 'Label',
  likelihood: 'Likelihood',
  latent: 'Latent variables',
  reconstruction: 'Reconstruction',
  samples: 'Sample quality',
  disentanglement: 'Disentanglement',
} as const;
export type GroupName = keyof typeof groups;

interface Definition {
  readonly group: GroupName;
  readonly name: string;
  readonly unit: string;
  readonly meaning: string;
}

const group =
  (name: GroupName) =>
  (title: string, unit: string, meaning: string): Definition => ({ group: name, name: title, unit, meaning });
const label = group('label');
const likelihood = group('likelihood');
const latent = group('latent');
const reconstruction = group('reconstruction');
const samples = group('samples');
const factors = group('disentanglement');

export const definitions = {
  accuracy: label('accuracy', '', 'known labels that are the likeliest class'),

  negativeElbo: likelihood('−ELBO', 'nats', 'bound on −log p(x): the next two'),
  reconstructionTerm: likelihood('−log p(x|z)', 'nats', 'what z leaves unsaid about x'),
  kl: likelihood('KL', 'nats', 'what z costs'),
  logLikelihood: likelihood('log p(x)', 'nats', 'from below, by importance sampling'),
  inferenceGap: likelihood('log p(x) − ELBO', 'nats', 'what the encoder gives away'),
  effectiveSamples: likelihood('effective samples', '', 'how many carry the weight'),
  bitsPerDimension: likelihood('bits/dim', 'bits', 'length of a lossless code'),
  bitsPerDimensionElbo: likelihood('bits/dim of −ELBO', 'bits', 'length of a code with bits back'),

  activeUnits: latent('active units', '', 'KL above 0.01 nats'),
  activeUnitsByVariance: latent('active by variance', '', 'mean of q varies: above 0.01'),
  usedEntries: latent('entries in use', '', 'of the codebooks'),
  perplexity: latent('perplexity', '', 'entries, were all used alike'),
  mutualInformation: latent('I(x; z)', 'nats', 'z tells these rows apart'),
  mutualInformationAtMost: latent('I(x; z) at most', 'nats', 'of all data, from above'),
  marginalKl: latent('KL(q(z) ‖ p(z))', 'nats', 'of the KL: codes to prior'),
  totalCorrelation: latent('total correlation', 'nats', 'of that: their dependence'),
  dimensionWiseKl: latent('dimension-wise KL', 'nats', 'of that: single dimensions'),
  priorDiscrepancy: latent('MMD² codes, draws', '', 'of z; 0 where alike'),
  holes: latent('draws in holes', '', 'draws of z where no codes are'),

  meanAbsolutePixel: reconstruction('mean error', '/ 255', 'mean absolute difference of pixels'),
  psnr: reconstruction('PSNR', 'dB', 'higher is better'),
  ssim: reconstruction('SSIM', '', 'structural similarity; 1 is the same'),

  precision: samples('precision', '', 'samples where data lies'),
  recall: samples('recall', '', 'data where samples lie'),
  density: samples('density', '', 'data around a sample; 1 where alike'),
  coverage: samples('coverage', '', 'data with a sample close by'),
  kernelDistance: samples('kernel MMD²', '', '0 where alike'),
  frechetDistance: samples('Fréchet distance', '', 'of mean and covariance; falls with n'),
  columnSimilarity: samples('column similarity', '', 'mean over columns; 1 is the same'),

  mig: factors('MIG', '', 'a factor in one dimension alone'),
  dciDisentanglement: factors('DCI disentangled', '', 'each dimension for one factor'),
  dciCompleteness: factors('DCI complete', '', 'each factor in one dimension'),
  dciInformativeness: factors('DCI informative', '', 'factors can be told from the code'),
  sap: factors('SAP', '', 'a factor in one dimension alone'),
  modularity: factors('modularity', '', 'a dimension knows of one factor'),
  factorVae: factors('FactorVAE score', '', 'the stillest dimension tells it'),
  betaVae: factors('β-VAE score', '', 'a linear rule tells it'),
} satisfies Record<string, Definition>;

export type FigureName = keyof typeof definitions;

/** A number with, where it has one, its 95 % interval. */
export type Measured = Pick<Estimate, 'value'> &
  Partial<Estimate> & {
    /** What it is to be read beside. */
    readonly beside?: { readonly value: number; readonly what: string };
    /** How it was made, where that is not what the group says. */
    readonly protocol?: string;
  };

export interface Figure extends Definition, Measured {}

export interface Absence extends Pick<Definition, 'group' | 'name'> {
  readonly reason: string;
}

/** What one part of an evaluation found. */
export interface Findings {
  readonly figures: Partial<Record<FigureName, Measured>>;
  readonly absent: Partial<Record<FigureName, string>>;
  /** How the figures of a group were made. */
  readonly protocols?: Partial<Record<GroupName, string>>;
}

export const leftOut = (names: readonly FigureName[], reason: string): Findings => ({
  figures: {},
  absent: Object.fromEntries(names.map((name) => [name, reason])),
});

const OF_PICTURES: readonly FigureName[] = ['meanAbsolutePixel', 'psnr', 'ssim'];
const OF_TABLES: readonly FigureName[] = ['columnSimilarity'];

/** The names of a group's figures that data of this kind can have. */
export function figuresOf(name: GroupName, { shape }: { readonly shape: readonly number[] }): FigureName[] {
  const others = shape.length === 3 ? OF_TABLES : OF_PICTURES;
  return (Object.keys(definitions) as FigureName[]).filter(
    (figure) => definitions[figure].group === name && !others.includes(figure),
  );
}

export interface Whole {
  readonly figures: Readonly<Partial<Record<FigureName, Figure>>>;
  readonly absent: Readonly<Partial<Record<FigureName, Absence>>>;
  readonly protocols: Readonly<Partial<Record<GroupName, string>>>;
}

/** All findings in the order of the definitions; a number that is not finite is no figure. */
export function together(parts: readonly Findings[]): Whole {
  const found: Findings = {
    figures: Object.assign({}, ...parts.map((part) => part.figures)),
    absent: Object.assign({}, ...parts.map((part) => part.absent)),
  };
  const figures: Partial<Record<FigureName, Figure>> = {};
  const absent: Partial<Record<FigureName, Absence>> = {};
  for (const name of Object.keys(definitions) as FigureName[]) {
    const { group: of, name: title, ...rest } = definitions[name];
    const measured = found.figures[name];
    const reason = found.absent[name];
    if (measured && Number.isFinite(measured.value))
      figures[name] = { group: of, name: title, ...rest, ...measured };
    else if (measured) absent[name] = { group: of, name: title, reason: `is ${measured.value}` };
    else if (reason !== undefined) absent[name] = { group: of, name: title, reason };
  }
  return { figures, absent, protocols: protocolsOf(parts) };
}

/** What several parts say of a group stands side by side. */
function protocolsOf(parts: readonly Findings[]): Whole['protocols'] {
  const all = parts.flatMap(({ protocols = {} }) => Object.entries(protocols) as [GroupName, string][]);
  const out: Partial<Record<GroupName, string>> = {};
  for (const [name, text] of all) out[name] = out[name] === undefined ? text : `${out[name]}; ${text}`;
  return out;
}
