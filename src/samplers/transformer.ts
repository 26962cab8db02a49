/** What is known of each symbol of a row, by a transformer. */
import { add, constant, gather, matmul, reshape, toInteger } from '../graph/index.ts';
import { contextual, layerNorm, leCunUniform, linear, transformerBlock } from '../nn/index.ts';
import { givenInput } from './learning.ts';
import { KNOWN, type Known } from './symbols.ts';

export interface TransformerOptions {
  /** Features of a place. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

/** Moves features to the next place, [N, N]; the first then has none. */
const nextPlace = (length: number) =>
  constant(
    Array.from({ length: length ** 2 }, (_, i) => Number(Math.floor(i / length) === (i % length) + 1)),
    [length, length],
  );

/**
 * A decoder-only transformer (Vaswani et al. 2017; Radford et al. 2019, section 2.3): place n has the features of the symbol
 * before it, of its own number and of what is given, and looks at the places before.
 */
export const transformer =
  ({ width, layers, heads }: TransformerOptions): Known =>
  (scope, x, { length, entries, given }) => {
    const initial = leCunUniform(width);
    const symbols = gather(scope.parameter('symbols', [entries, width], initial), toInteger(x)); // [B, N, D]
    const places = scope.parameter('places', [length, width], initial);
    const context = givenInput({ given });
    const begun = add(matmul(nextPlace(length), symbols), places);
    let h = context
      ? add(begun, reshape(contextual(scope.at('context'), context, width), ['B', 1, width]))
      : begun;
    for (let i = 0; i < layers; i++) h = transformerBlock(scope.at(i), h, heads);
    return linear(scope.at('known'), layerNorm(scope.at('norm'), h), KNOWN);
  };
