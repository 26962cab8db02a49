/** What is known of each symbol of a row, by a masked network. */
import { add, gather, gelu, integers, reshape, type Tensor, toInteger } from '../graph/index.ts';
import { contextual, leCunUniform, masked } from '../nn/index.ts';
import { givenInput } from './learning.ts';
import { KNOWN, type Known, type SymbolForm } from './symbols.ts';

export interface MaskedOptions {
  /** Of the hidden layers; made N where it is less, so that every dependence has a unit to go through. */
  readonly width: number;
  readonly layers: number;
}

const SEEN = 32; // features of a symbol at its place

/** Each place's number, as often as it has features. */
const placesOf = (length: number, features: number): number[] =>
  Array.from({ length: length * features }, (_, i) => Math.floor(i / features));

/** Of all weights between places, masked or not. */
export const maskedSize = ({ width, layers }: MaskedOptions, { length }: SymbolForm): number => {
  const size = Math.max(width, length);
  return size * (length * (SEEN + KNOWN) + (layers - 1) * size);
};

/**
 * A masked network (Germain et al. 2015, section 4) over features of each symbol at its place. A unit of degree d is connected
 * to places before d, and to results from d on; all see what is given.
 */
export const maskedNetwork =
  ({ width, layers }: MaskedOptions): Known =>
  (scope, x, { length, entries, given }) => {
    const table = scope.parameter('symbols', [length * entries, SEEN], leCunUniform(SEEN));
    const starts = integers(
      Array.from({ length }, (_, n) => n * entries),
      [1, length],
    );
    let h: Tensor = reshape(gather(table, add(toInteger(x), starts)), ['B', length * SEEN]);
    const size = Math.max(width, length);
    const degrees = Array.from({ length: size }, (_, k) => Math.floor((k * length) / size));
    for (let i = 0; i < layers; i++) {
      const [from, connected] =
        i === 0
          ? [placesOf(length, SEEN), (a: number, b: number) => a < b]
          : [degrees, (a: number, b: number) => a <= b];
      const next = masked(scope.at(i), h, from, degrees, connected);
      const context = i === 0 ? givenInput({ given }) : undefined;
      const seen = context ? add(next, contextual(scope.at('context'), context, size)) : next;
      h = i === 0 ? gelu(seen) : add(h, gelu(seen));
    }
    const last = masked(scope.at('known'), h, degrees, placesOf(length, KNOWN), (a, b) => a <= b);
    return reshape(last, ['B', length, KNOWN]);
  };
