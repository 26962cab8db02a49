/** Moving one dimension of z without leaving the space that z lives in. */
import { parameters } from '../../nn/index.ts';
import { entriesOf, hasLevels, type ModelSpec, symbolsOf, type Vae } from '../../vae/index.ts';

export interface Walk {
  /** So many of the dimensions, from the first, can be moved. */
  readonly dimensions: number;
  /** Where the others are meanwhile, in words. */
  readonly others: string;
  /** Brings dimension j of one row of z to `value`, or as near to it as there is room. */
  readonly move: (z: Float32Array, j: number, value: number) => void;
  /** Fills `out` with dz/dzⱼ along that way, where z is now. */
  readonly direction: (z: Float32Array, j: number, out: Float32Array) => void;
}

const alone = (j: number, out: Float32Array): void => {
  out.fill(0);
  out[j] = 1;
};

const plain = (dimensions: number): Walk => ({
  dimensions,
  others: 'the others stay',
  move: (z, j, value) => {
    z[j] = value;
  },
  direction: (_, j, out) => alone(j, out),
});

const EDGE = 0.999;
const within = (value: number, limit: number): number => Math.min(limit, Math.max(-limit, value));

/** Along the great circle through the pole of j: the others shrink or grow together. */
const onSphere = (dimensions: number): Walk => ({
  dimensions,
  others: 'the others are scaled together, so that z stays on the unit sphere',
  move: (z, j, wanted) => {
    const value = within(wanted, EDGE);
    const rest = z.reduce((sum, v, i) => sum + (i === j ? 0 : v * v), 0);
    const scale = Math.sqrt((1 - value * value) / Math.max(rest, 1e-12));
    for (let i = 0; i < z.length; i++) z[i] = i === j ? value : z[i]! * scale;
  },
  direction: (z, j, out) => {
    const room = Math.max(1 - z[j]! ** 2, 1e-6);
    for (let i = 0; i < z.length; i++) out[i] = i === j ? 1 : (-z[j]! * z[i]!) / room;
  },
});

const inBall = (dimensions: number): Walk => ({
  ...plain(dimensions),
  others: 'the others stay, and z inside the ball',
  move: (z, j, value) => {
    const rest = z.reduce((sum, v, i) => sum + (i === j ? 0 : v * v), 0);
    z[j] = within(value, Math.sqrt(Math.max(0, EDGE ** 2 - rest)));
  },
});

/** Dimensions that are looked at one by one where no KL says which to begin with. */
const MOST_UNORDERED = 256;

/** How z is moved; a sentence where it cannot be. `kl` has the terms of the KL by name. */
export function walkOf({ spec }: Pick<Vae, 'spec'>, kl: Readonly<Record<string, unknown>>): Walk | string {
  const walk = walkIn(spec);
  if (typeof walk === 'string' || dimensionName(0) in kl || walk.dimensions <= MOST_UNORDERED) return walk;
  return (
    `z has ${walk.dimensions.toLocaleString('en')} dimensions without a KL of their own, so that all would have to be looked at: ` +
    `at most ${MOST_UNORDERED} are`
  );
}

const isChain = (network: ModelSpec['network']): boolean =>
  hasLevels(network) && network.inference === 'bottom up';

function walkIn(spec: ModelSpec): Walk | string {
  const { latent, network, posterior } = spec;
  switch (posterior.space) {
    case 'real':
      return isChain(network)
        ? {
            ...plain(latent),
            others: 'the others stay, so that only those of the lowest level, the last, reach the data',
          }
        : plain(latent);
    case 'sphere':
      return onSphere(latent);
    case 'ball':
      return inBall(latent);
    case 'mixed':
      return { ...plain(realDimensions(spec)), others: 'the others stay, classes among them' };
    case 'codes':
      return 'z is made of codes, and between two codes there is nothing: it has no dimensions to move along';
  }
}

/** As `encode` calls them, from z_1. */
export const dimensionName = (j: number): string => `z_${j + 1}`;

/** So many of the dimensions, from the first, are real numbers; the rest are classes or codes. */
export function realDimensions({ posterior, latent }: ModelSpec): number {
  const codes = posterior.codes?.(latent, parameters().root);
  if (!codes) return latent;
  return posterior.space === 'codes' ? 0 : latent - symbolsOf(codes) * entriesOf(codes);
}
