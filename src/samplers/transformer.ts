/** What is known of each symbol of a row, by a transformer. */
import { add, constant, gather, matmul, reshape, toInteger } from '../graph/index.ts';
import { contextual, layerNorm, leCunUniform, linear, transformerBlock } from '../nn/index.ts';
import { givenInput } from './learning.ts';
import { KNOWN, type Known, type SymbolForm } from './symbols.ts';

export interface TransformerOptions {
  /** Features of a position. */
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
}

/** Moves features to the next position, [N, N]; the first then has none. */
const shiftRight = (length: number) =>
  constant(
    Array.from({ length: length ** 2 }, (_, i) => Number(Math.floor(i / length) === (i % length) + 1)),
    [length, length],
  );

/** Of the attention weights of one layer, for one row. */
export const attentionSize = ({ heads }: TransformerOptions, { length }: SymbolForm): number =>
  heads * length ** 2;

/**
 * A decoder-only transformer (Vaswani et al. 2017; Radford et al. 2019, section 2.3): position n has the features of
 * the symbol before it, of its own number and of what is given, and sees no later one.
 */
export const transformer =
  ({ width, layers, heads }: TransformerOptions): Known =>
  (scope, x, { length, entries, given }) => {
    const initial = leCunUniform(width);
    const symbols = gather(scope.parameter('symbols', [entries, width], initial), toInteger(x)); // [B, N, D]
    const positions = scope.parameter('positions', [length, width], initial);
    const context = givenInput({ given });
    const begun = add(matmul(shiftRight(length), symbols), positions);
    let h = context
      ? add(begun, reshape(contextual(scope.at('context'), context, width), ['B', 1, width]))
      : begun;
    for (let i = 0; i < layers; i++) h = transformerBlock(scope.at(i), h, heads);
    return linear(scope.at('known'), layerNorm(scope.at('norm'), h), KNOWN);
  };
