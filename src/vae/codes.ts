/** Latent variables of finitely many values: entries of codebooks, one-hot classes among them. */
import { UserError } from '../errors.ts';
import {
  add,
  dimAt,
  fixed,
  gather,
  integers,
  minimum,
  mul,
  oneHot,
  reshape,
  sub,
  sum,
  type Tensor,
  toInteger,
} from '../graph/index.ts';

/**
 * z is a row of `positions` vectors, each the sum of one entry of every book: there is one book, or one for each stage
 * of a residual quantiser. The numbers of the entries are the N = positions · books symbols of an example, the stages of
 * a position side by side.
 */
export interface Codes {
  readonly positions: number;
  readonly books: readonly Tensor[]; // [K, d] each
}

/** N: symbols of an example. */
export const symbolsOf = ({ positions, books }: Codes): number => positions * books.length;

/** K: entries of a book. */
export const entriesOf = ({ books }: Codes): number => fixed(dimAt(books[0]!.shape, 0), 'codebook');

/** Symbols int64 [B, N] → z [B, positions · d]. */
export function lookUp({ positions, books }: Codes, symbols: Tensor): Tensor {
  const stages = books.map((book, stage) => {
    const own = Array.from({ length: positions }, (_, p) => p * books.length + stage);
    return gather(book, gather(symbols, integers(own), 1)); // [B, positions, d]
  });
  const vectors = stages.reduce((a, b) => add(a, b));
  const width = positions * fixed(dimAt(vectors.shape, -1), 'length of a code');
  return reshape(vectors, [dimAt(symbols.shape, 0), width]);
}

/** Each of `count` whole numbers with the same probability, from u in (0, 1); float32 may round u · count up to count. */
export const uniformIndex = (u: Tensor, count: number | Tensor): Tensor =>
  toInteger(minimum(mul(u, count), typeof count === 'number' ? count - 0.5 : sub(count, 0.5)));

/** How often each entry of each book is among symbols [1, B, N]: [B, books · K]. */
export function countEntries(codes: Codes, symbols: Tensor): Tensor {
  const [entries, stages] = [entriesOf(codes), codes.books.length];
  const each = oneHot(reshape(symbols, ['B', codes.positions, stages]), entries);
  return reshape(sum(each, [1]), ['B', stages * entries]);
}

/** A code holds what about two real dimensions do: log 128 is 4.9 nats. */
export const usualPositions = (real: number): number => Math.ceil(real / 2);

/** How many vectors of `length` make up `latent` dimensions. */
export function positionsOf(latent: number, length: number, option: string): number {
  if (latent % length === 0) return latent / length;
  const [below, above] = [latent - (latent % length), latent - (latent % length) + length];
  throw new UserError(
    `latent ${latent}: codes of length ${length} (${option}) fill ${below > 0 ? `${below} or ` : ''}${above} dimensions`,
  );
}
