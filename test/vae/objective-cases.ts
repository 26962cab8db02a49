/** Every objective with the options it is tested with, and small models that go with each. */
import { mlp } from '../../src/nn/index.ts';
import { type ModelSpec, make, type Objective, type ObjectiveName, posteriors } from '../../src/vae/index.ts';
import { mixedSpec, pictureSpec } from './models.ts';
import { aim } from './training.ts';

interface Case {
  readonly options?: Readonly<Record<string, unknown>>;
  /** Whether the gradient of the loss stops somewhere on purpose, so that it is not that of its values. */
  readonly stopped?: boolean;
}

const NARROW = { adversaryHidden: [5, 4] };

/** An objective without a case does not compile. */
const table: Record<ObjectiveName, readonly Case[]> = {
  elbo: [{ options: { samples: 2, freeBits: 0.05 } }],
  stl: [{ options: { samples: 2 }, stopped: true }],
  capacity: [{}],
  controlVae: [{ stopped: true }],
  geco: [{ stopped: true }],
  iwae: [{ options: { samples: 3 } }, { options: { samples: 3, backwardSamples: 2 }, stopped: true }],
  miwae: [{ options: { samples: 4, groups: 2 } }],
  piwae: [{ options: { samples: 4, groups: 2 } }],
  ciwae: [{ options: { samples: 3, elboShare: 0.3 } }],
  dreg: [{ options: { samples: 3 } }, { options: { samples: 3, backwardSamples: 2 }, stopped: true }],
  renyi: [{ options: { samples: 3, alpha: -2 } }, { options: { samples: 2, alpha: 1 } }],
  vrMax: [{ options: { samples: 3 } }],
  betaTcvae: [{}, { options: { sampling: 'stratified' } }],
  dipVae: [{}, { options: { covariance: 'draws' } }],
  infoVae: [{ options: { beta: 0.5 } }],
  waeMmd: [{}],
  slicedWae: [{ options: { slices: 5 } }],
  factorVae: [{ options: NARROW }],
  aae: [{ options: NARROW }],
  vaeGan: [{ options: { adversaryChannels: [3] } }],
  msSsim: [{}],
  perceptual: [{}],
  autoencoder: [{}],
  denoising: [{}, { options: { corruption: 'masking' } }],
  rae: [{}, { options: { smoothness: 'gradient' } }],
};

export interface ObjectiveCase extends Required<Case> {
  readonly kind: ObjectiveName;
  readonly name: string;
  readonly objective: Objective;
}

export const cases: readonly ObjectiveCase[] = (Object.keys(table) as ObjectiveName[]).flatMap((kind) =>
  table[kind].map(({ options = {}, stopped = false }) => ({
    kind,
    options,
    stopped,
    name: [kind, ...Object.entries(options).map(([key, value]) => `${key} ${value}`)].join(' '),
    objective: aim(kind, options),
  })),
);

/** Pictures or rows, z drawn or a point. */
export function specFor(
  { pictures, point }: Objective,
  specs: { readonly rows: ModelSpec; readonly pictures: ModelSpec } = tiny,
): ModelSpec {
  const spec = pictures ? specs.pictures : specs.rows;
  return point ? { ...spec, posterior: make(posteriors.point) } : spec;
}

const network = mlp({ hidden: [4], activation: 'silu', norm: false });
const tiny = { rows: { ...mixedSpec, network }, pictures: { ...pictureSpec, network } };
