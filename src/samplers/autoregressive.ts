/** A prior over codes, symbol after symbol: p(s) = Π p(sₙ | s₁ … sₙ₋₁), learned once the codes are (van den Oord et al. 2017, section 3.3). */
import * as z from 'zod';
import { choice } from '../choice.ts';
import { UserError } from '../errors.ts';
import { type Variates, variates } from '../random/index.ts';
import { type GraphSession, openGraphs } from '../train/index.ts';
import {
  epochsOption,
  layersOption,
  learn,
  logProbsBy,
  shapesOf,
  weightsOf,
  widthOption,
} from './learning.ts';
import { maskedNetwork, maskedSize } from './masked.ts';
import type { RowForm, SamplerFamily } from './sampler.ts';
import { type Known, nextSymbol, type SymbolForm, symbolDensity, symbolTraining } from './symbols.ts';
import { attentionSize, transformer } from './transformer.ts';

const formOf = ({ width: length, entries, given }: RowForm): SymbolForm => ({
  length,
  entries: entries!,
  ...(given !== undefined && { given }),
});

const COLD = 1e-6; // the least temperature, at which the likeliest symbol is as good as sure

/** Rows of symbols, one place after the other; each place is a run of the whole row. */
async function drawRows(
  session: GraphSession,
  { length, entries, given = 0 }: SymbolForm,
  count: number,
  { categorical }: Variates,
  { temperature, condition }: { readonly temperature: number; readonly condition: Float32Array | undefined },
): Promise<Float32Array> {
  const x = new Float32Array(count * length);
  for (let n = 0; n < length; n++) {
    const at = new Float32Array(length);
    at[n] = 1;
    const { logits } = await session.run({
      x: { data: x, dims: [count, length] },
      at: { data: at, dims: [1, length] },
      ...(condition && { condition: { data: condition, dims: [count, given] } }),
    });
    const all = (logits!.data as Float32Array).map((v) => v / Math.max(temperature, COLD));
    for (let row = 0; row < count; row++)
      x[row * length + n] = categorical(all.subarray(row * entries, (row + 1) * entries));
  }
  return x;
}

const MOST_SYMBOLS = 2 ** 20; // at all places
const MOST_WEIGHTS = 2 ** 26; // of a masked network: each is kept four times, and a mask beside it
const MOST_ATTENTION = 2 ** 21; // numbers a row and layer: there are 128 rows in a batch

/** What is too large for a network, as a sentence. */
type Limit = (form: SymbolForm) => string | undefined;

/** The sampler whose network is `known`. */
const symbolBySymbol = (known: Known, limit: Limit, epochs: number | undefined): SamplerFamily => ({
  space: 'codes',
  conditional: true,
  refuses: (form) => {
    const { length, entries } = formOf(form);
    return length * entries > MOST_SYMBOLS
      ? `${length} places of ${entries} symbols are too many to learn one by one: a smaller codebook or fewer latent dimensions help`
      : limit(formOf(form));
  },
  shapes: (form) => shapesOf(symbolTraining(known, formOf(form)).parameters),
  fit: (fitting) => {
    const form = formOf(fitting.form);
    return learn(
      { training: symbolTraining(known, form), judge: symbolDensity(known, form) },
      fitting,
      epochs,
    );
  },
  open: async (tensors, form, runtime) => {
    const graphs = { density: symbolDensity(known, formOf(form)), next: nextSymbol(known, formOf(form)) };
    const { density, next } = await openGraphs(runtime, graphs, { weights: weightsOf(tensors) });
    return {
      draw: (count, random, temperature, condition) =>
        drawRows(next, formOf(form), count, variates(random), { temperature, condition }),
      logProbs: (rows) => logProbsBy(density, rows, form),
      dispose: async () => void (await Promise.all([density.dispose(), next.dispose()])),
    };
  },
});

export const autoregressives = {
  autoregressive: choice({
    doc: 'Symbol after symbol, by a masked network, for codes.',
    options: { width: widthOption(512), layers: layersOption(2), epochs: epochsOption },
    build: ({ width, layers, epochs }) =>
      symbolBySymbol(
        maskedNetwork({ width, layers }),
        (form) =>
          maskedSize({ width, layers }, form) > MOST_WEIGHTS
            ? `${form.length} places are too many for a masked network of this size: the sampler "transformer" has the same weights at every place`
            : undefined,
        epochs,
      ),
  }),
  transformer: choice({
    doc: 'Symbol after symbol, by a transformer, for codes: for many places and enough rows.',
    options: {
      width: widthOption(128).describe('features of a position'),
      layers: layersOption(3).describe('blocks of attention'),
      heads: z.int().min(1).max(256).default(4).describe('heads of attention; the width is a multiple of it'),
      epochs: epochsOption,
    },
    build: ({ width, layers, heads, epochs }) => {
      if (width % heads !== 0)
        throw new UserError(
          `width ${width} does not part into ${heads} heads: expected a multiple of ${heads}`,
        );
      return symbolBySymbol(
        transformer({ width, layers, heads }),
        (form) =>
          attentionSize({ width, layers, heads }, form) > MOST_ATTENTION
            ? `${form.length} places are too many for ${heads} heads that each weigh all pairs of them: fewer heads or fewer latent dimensions help`
            : undefined,
        epochs,
      );
    },
  }),
};
