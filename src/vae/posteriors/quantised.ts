/** Posteriors that are a single code: the encoder's output moved to the nearest entry of a codebook, or of a grid. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import { UserError } from '../../errors.ts';
import {
  add,
  affine,
  columnSums,
  concat,
  constant,
  exp,
  gather,
  greater,
  log,
  logSoftmax,
  maximum,
  mul,
  multiply,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  toFloat,
  toInteger,
  transpose,
  withGradient,
} from '../../graph/index.ts';
import { linear, type Scope } from '../../nn/index.ts';
import { positionsOf, usualPositions } from '../codes.ts';
import type { Posterior, PosteriorFamily } from '../posterior.ts';
import { type CodebookOptions, codebook, follow, nearest } from './codebook.ts';
import { point } from './point.ts';

/** What M rows were moved to. */
interface Quantised {
  readonly value: Tensor; // [M, d]
  /** What has the gradient in place of `value`. */
  readonly through: Tensor; // [M, d]
  /** int64; a residual quantiser has several stages. */
  readonly symbols: Tensor; // [M, stages]
  /** Means over the rows. */
  readonly penalties?: Readonly<Record<string, Tensor>>;
  readonly updates?: Readonly<Record<string, Tensor>>;
}

interface Quantiser {
  /** d: length of a code. */
  readonly dim: number;
  /** By which it is set. */
  readonly option: string;
  /** [K, d] each. */
  readonly books: (scope: Scope) => readonly Tensor[];
  /** x [M, d]. While training `share` is 1/M; elsewhere penalties and updates are not asked for. */
  readonly quantise: (x: Tensor, scope: Scope, share: Tensor | undefined) => Quantised;
}

/**
 * q(z|x) as a point: z is the value, and the gradient for z goes to the encoder as if the two were equal (van den Oord et
 * al. 2017, section 3.2). All of its probability is there, so log q = 0 and KL(q ‖ p) = −log p(z): with the uniform prior
 * the ELBO is log p(x|z) − N log K, a bound on log p(x) as any other.
 */
function quantised({ dim, option, books, quantise }: Quantiser): PosteriorFamily {
  return {
    space: 'codes',
    random: false,
    density: false,
    dimensions: (real) => dim * usualPositions(real),
    codes: (latent, scope) => ({ positions: positionsOf(latent, dim, option), books: books(scope) }),
    build: (features, latent, { scope, scale }): Posterior => {
      const n = positionsOf(latent, dim, option);
      const x = reshape(linear(scope, features, latent), [multiply(n, 'B'), dim]);
      const found = quantise(x, scope, scale && mul(scale, 1 / n));
      const mean = reshape(
        withGradient([found.through], found.value, (dy) => [dy]),
        ['B', latent],
      );
      const symbols = reshape(found.symbols, [1, 'B', n * Number(found.symbols.shape[1])]);
      const penalties = Object.entries(found.penalties ?? {}).map(([name, each]) => [name, mul(each, n)]);
      return {
        mean,
        draw: (samples) => ({
          ...point(mean).draw(samples),
          symbols: concat(Array<Tensor>(samples).fill(symbols), 0),
        }),
        penalties: Object.fromEntries(penalties) as Record<string, Tensor>,
        updates: found.updates ?? {},
      };
    },
  };
}

/** Mean over rows of ‖x − y‖². */
const meanSquare = (x: Tensor, y: Tensor, share: Tensor): Tensor => mul(sum(square(sub(x, y))), share);

interface ResidualOptions extends CodebookOptions {
  readonly stages: number;
  readonly commitment: number;
}

/**
 * Each stage quantises what those before left over (Zeghidour et al. 2021, algorithm 1); with one stage this is VQ. The
 * commitment β ‖x − sg(e)‖² (van den Oord et al. 2017, eq. 3) is that of every stage; the codebooks follow by themselves.
 */
function residual(o: ResidualOptions): Quantiser {
  const bookOf = (scope: Scope, stage: number) => scope.at('books').at(stage);
  const stages = [...Array(o.stages).keys()];
  return {
    dim: o.dim,
    option: '--posterior-dim',
    books: (scope) => stages.map((stage) => codebook(bookOf(scope, stage), o)),
    quantise: (x, scope, share) => {
      let rest = x;
      const each = stages.map((stage) => {
        const book = codebook(bookOf(scope, stage), o);
        const symbols = nearest(rest, book);
        const value = gather(book, symbols);
        const found = { rest, symbols, value, scope: bookOf(scope, stage) };
        rest = sub(rest, value);
        return found;
      });
      const columns = each.map(({ symbols }) => reshape(symbols, [...symbols.shape, 1]));
      const result = {
        value: each.map((s) => s.value).reduce((a, b) => add(a, b)),
        through: x,
        symbols: concat(columns, 1),
      };
      if (!share) return result;
      const distances = each.map((s) => meanSquare(s.rest, s.value, share)).reduce((a, b) => add(a, b));
      const updates = each.map((s) => follow(s.scope, s.rest, s.symbols, o));
      return {
        ...result,
        penalties: { commitment: mul(o.commitment, distances) },
        updates: Object.assign({}, ...updates) as Record<string, Tensor>,
      };
    },
  };
}

/** Every combination of one value of each dimension, the first dimension fastest: [K, d]. */
function grid(values: readonly (readonly number[])[]): Tensor {
  const entries = values.reduce((n, own) => n * own.length, 1);
  const rows = Array.from({ length: entries }, (_, k) => {
    let rest = k;
    return values.map((own) => {
      const value = own[rest % own.length]!;
      rest = Math.floor(rest / own.length);
      return value;
    });
  });
  return constant(rows.flat(), [entries, values.length]);
}

/** Numbers of places along each dimension [M, d], as floats, to entries of `grid`: int64 [M, 1]. */
function gridSymbols(places: Tensor, sizes: readonly number[]): Tensor {
  const strides = sizes.map((_, j) => sizes.slice(0, j).reduce((a, b) => a * b, 1));
  return toInteger(add(affine(places, constant(strides, [sizes.length, 1])), 0.5));
}

const MOST_ENTRIES = 65_536;
const EPSILON = 1e-3;

/**
 * Each dimension bounded to its number of levels and rounded, then scaled to about [−1, 1] (Mentzer et al. 2024, section
 * 3.1 and appendix A.1); the gradient is that of the bounded value. There is no codebook to learn.
 */
function finiteScalar(levels: readonly number[]): Quantiser {
  const entries = levels.reduce((a, b) => a * b, 1);
  if (entries > MOST_ENTRIES)
    throw new UserError(
      `posterior "fsq": levels ${levels.join(',')} are ${entries} codes; at most ${MOST_ENTRIES} are possible`,
    );
  const row = (f: (level: number) => number) => constant(levels.map(f), [1, levels.length]);
  const middle = (level: number) => Math.floor(level / 2);
  const half = (level: number) => ((level - 1) * (1 - EPSILON)) / 2;
  const offset = (level: number) => (level % 2 === 0 ? 0.5 : 0);
  const shift = row((level) => Math.tan(offset(level) / half(level)));
  const width = row((level) => 1 / middle(level));
  return {
    dim: levels.length,
    option: '--posterior-levels',
    books: () => [
      grid(levels.map((level) => Array.from({ length: level }, (_, i) => i / middle(level) - 1))),
    ],
    quantise: (x) => {
      const bounded = sub(mul(tanh(add(x, shift)), row(half)), row(offset));
      const places = toFloat(
        toInteger(
          add(
            bounded,
            row((level) => middle(level) + 0.5),
          ),
        ),
      );
      return {
        value: mul(sub(places, row(middle)), width),
        through: mul(bounded, width),
        symbols: gridSymbols(places, levels),
      };
    },
  };
}

const MOST_BITS = 12; // the entropy is that of every code

/**
 * The sign of each dimension: codes are the corners of a cube (Yu et al. 2024, section 3.1). Penalties: the commitment, and
 * E[H(p(c|x))] − H(E[p(c|x)]) with p(c|x) ∝ exp(−‖x − c‖²), which wants each x sure of its code and all codes used.
 */
function lookupFree(dim: number, commitment: number, entropy: number): Quantiser {
  if (dim > MOST_BITS)
    throw new UserError(
      `posterior "lfq": codes of ${dim} bits (--posterior-dim); at most ${MOST_BITS} are possible`,
    );
  const corners = grid(Array<number[]>(dim).fill([-1, 1]));
  return {
    dim,
    option: '--posterior-dim',
    books: () => [corners],
    quantise: (x, _, share) => {
      const bits = toFloat(greater(x, 0));
      const value = sub(mul(2, bits), 1);
      const result = { value, through: x, symbols: gridSymbols(bits, Array<number>(dim).fill(2)) };
      if (!share) return result;
      const penalties = {
        commitment: mul(commitment, meanSquare(x, value, share)),
        entropy: mul(entropy, entropyGap(x, corners, share)),
      };
      return { ...result, penalties };
    },
  };
}

function entropyGap(x: Tensor, corners: Tensor, share: Tensor): Tensor {
  const logP = logSoftmax(affine(x, mul(2, transpose(corners)))); // [M, K]
  const p = exp(logP);
  const average = mul(columnSums(p), share);
  return sub(sum(mul(average, log(maximum(average, 1e-20)))), mul(sum(mul(p, logP)), share));
}

const dim = (value: number) => z.int().min(1).max(4096).default(value).describe('length of a code');
const commitment = z.number().min(0).default(0.25).describe('weight of the distance to the code');
const vectorOptions = {
  codes: z.int().min(2).max(MOST_ENTRIES).default(128).describe('codes in a codebook'),
  dim: dim(4),
  commitment,
  decay: z.number().min(0).lt(1).default(0.99).describe("decay of a codebook's running means"),
  revive: z
    .number()
    .min(0)
    .max(1)
    .default(0.03)
    .describe('codes used less than this part of the average are put where data is'),
};

export const quantisedPosteriors = {
  vq: choice({
    doc: 'The nearest code of a codebook (VQ-VAE, van den Oord et al. 2017); latent = positions · dim.',
    options: vectorOptions,
    build: (o) => quantised(residual({ ...o, stages: 1 })),
  }),
  residualVq: choice({
    doc: 'Several codebooks, each for what those before left over (Zeghidour et al. 2021); latent = positions · dim.',
    options: {
      stages: z.int().min(1).max(64).default(2).describe('codebooks, one after the other'),
      ...vectorOptions,
    },
    build: (o) => quantised(residual(o)),
  }),
  fsq: choice({
    doc: 'Every dimension rounded to a few levels (Mentzer et al. 2024); latent = positions · number of levels.',
    options: {
      levels: z
        .array(z.int().min(2).max(256))
        .min(1)
        .max(16)
        .default([8, 5, 5])
        .describe('levels of each dimension of a code'),
    },
    build: ({ levels }) => quantised(finiteScalar(levels)),
  }),
  lfq: choice({
    doc: 'The sign of every dimension (Yu et al. 2024); latent = positions · dim.',
    options: {
      dim: dim(7),
      commitment,
      entropy: z.number().min(0).default(0.1).describe('weight of the entropy penalty'),
    },
    build: (o) => quantised(lookupFree(o.dim, o.commitment, o.entropy)),
  }),
};
