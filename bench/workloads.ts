/** The models that are timed, each as plain data: ours is built from it, and so is every peer's. */
import { parseChoice } from '../src/config/index.ts';
import type { Codec } from '../src/data/index.ts';
import { vaeFor } from '../src/tasks/spec.ts';
import { make, type Objective, objectives, type Vae } from '../src/vae/index.ts';
import type { SourceName } from './sources.ts';

export type NetworkSpec =
  | { readonly kind: 'mlp'; readonly hidden: readonly number[] }
  | {
      readonly kind: 'conv';
      readonly channels: readonly number[];
      readonly dense: number;
      readonly blocks: number;
      readonly norm: boolean;
    };

export interface Workload {
  readonly title: string;
  readonly source: SourceName;
  readonly network: NetworkSpec;
  readonly latent: number;
  readonly batch: number;
  /** Importance samples of z; above 1 the objective is IWAE's. */
  readonly samples: number;
}

export const workloads = {
  mlp: {
    title: 'MLP 784-400-20, batch 128',
    source: 'digits',
    network: { kind: 'mlp', hidden: [400] },
    latent: 20,
    batch: 128,
    samples: 1,
  },
  deep: {
    title: 'MLP 784-512-256-64, batch 512',
    source: 'digits',
    network: { kind: 'mlp', hidden: [512, 256] },
    latent: 64,
    batch: 512,
    samples: 1,
  },
  table: {
    title: 'table of 15 mixed columns, 128-128-128, batch 500',
    source: 'table',
    network: { kind: 'mlp', hidden: [128, 128] },
    latent: 128,
    batch: 500,
    samples: 1,
  },
  conv: {
    title: 'convolutions 28×28×1, 32-64, batch 128',
    source: 'digits',
    network: { kind: 'conv', channels: [32, 64], dense: 256, blocks: 0, norm: false },
    latent: 32,
    batch: 128,
    samples: 1,
  },
  colour: {
    title: 'convolutions 64×64×3, 32-64-128-256, batch 64',
    source: 'pictures64',
    network: { kind: 'conv', channels: [32, 64, 128, 256], dense: 256, blocks: 0, norm: false },
    latent: 128,
    batch: 64,
    samples: 1,
  },
  iwae: {
    title: 'IWAE, K = 50, 784-200-200-50, batch 100',
    source: 'digits',
    network: { kind: 'mlp', hidden: [200, 200] },
    latent: 50,
    batch: 100,
    samples: 50,
  },
  residual: {
    title: 'residual convolutions with group norm 32×32×3, 64-128, batch 64',
    source: 'pictures32',
    network: { kind: 'conv', channels: [64, 128], dense: 256, blocks: 1, norm: true },
    latent: 64,
    batch: 64,
    samples: 1,
  },
} as const satisfies Record<string, Workload>;

export type WorkloadName = keyof typeof workloads;
export const workloadNames = Object.keys(workloads) as WorkloadName[];

export const vaeOf = ({ network, latent }: Workload, codec: Codec): Vae =>
  vaeFor(codec, {
    network: parseChoice('network', { ...network }),
    latent,
    posterior: parseChoice('posterior', { kind: 'gaussian' }),
    prior: parseChoice('prior', { kind: 'normal' }),
  });

export const objectiveOf = ({ samples }: Workload): Objective =>
  samples > 1 ? make(objectives.iwae, { samples }) : make(objectives.elbo);

/**
 * Floating-point operations of a training step as its layers are defined, 2 for each multiplication and addition of a matrix
 * product: forward, and twice that backward, but for the gradient of the data. Convolutions by tiles do with fewer.
 */
export function operations({ network, batch, samples }: Workload, vae: Vae): number {
  const side = vae.spec.shape[0]!;
  const places = (name: string): number => {
    const level = /^(?:encoder|decoder)\.(\d+)\./.exec(name)?.[1];
    return network.kind === 'mlp' || level === undefined ? 1 : (side >> (Number(level) + 1)) ** 2;
  };
  return vae.parameters.reduce((total, { name, shape }) => {
    if (!name.endsWith('.weight')) return total;
    const passes = name === 'encoder.0.weight' ? 2 : 3;
    const rows = batch * places(name) * (name.startsWith('decoder') ? samples : 1);
    return total + passes * 2 * shape[0]! * shape[1]! * rows;
  }, 0);
}
