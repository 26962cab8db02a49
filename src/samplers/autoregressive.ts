/** A prior over codes, symbol after symbol: p(s) = Π p(sₙ | s₁ … sₙ₋₁), learned once the codes are (van den Oord et al. 2017, section 3.3). */
import { choice } from '../choice.ts';
import { type Variates, variates } from '../random/index.ts';
import { type GraphSession, openGraph } from '../train/index.ts';
import {
  epochsOption,
  layersOption,
  learn,
  logProbsBy,
  shapesOf,
  weightsOf,
  widthOption,
} from './learning.ts';
import { type MaskedOptions, maskedDensity, maskedNext, maskedTraining } from './masked.ts';
import type { RowForm, SamplerFamily } from './sampler.ts';

interface Options {
  readonly width: number;
  readonly layers: number;
  readonly epochs?: number | undefined;
}

const optionsFor = (
  { width, layers }: Options,
  { width: length, entries, given }: RowForm,
): MaskedOptions => ({
  width,
  layers,
  length,
  entries: entries!,
  ...(given !== undefined && { given }),
});

const COLD = 1e-6; // the least temperature, at which the likeliest symbol is as good as sure

/** Rows of symbols, one place after the other; each place is a run of the whole row. */
async function drawRows(
  session: GraphSession,
  { length, entries, given = 0 }: MaskedOptions,
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

const autoregressive = (o: Options): SamplerFamily => ({
  space: 'codes',
  conditional: true,
  refuses: ({ width, entries = 0 }) =>
    width * entries > MOST_SYMBOLS
      ? `${width} places of ${entries} symbols are too many to learn one by one: a smaller codebook or fewer latent dimensions help`
      : undefined,
  shapes: (form) => shapesOf(maskedTraining(optionsFor(o, form)).parameters),
  fit: (fitting) => {
    const options = optionsFor(o, fitting.form);
    return learn({ training: maskedTraining(options), judge: maskedDensity(options) }, fitting, o.epochs);
  },
  open: async (tensors, form, runtime) => {
    const options = optionsFor(o, form);
    const weights = weightsOf(tensors);
    const [density, next] = await Promise.all([
      openGraph(runtime, maskedDensity(options), { weights }),
      openGraph(runtime, maskedNext(options), { weights }),
    ]);
    return {
      draw: (count, random, temperature, condition) =>
        drawRows(next, options, count, variates(random), { temperature, condition }),
      logProbs: (rows) => logProbsBy(density, rows, form),
      dispose: async () => void (await Promise.all([density.dispose(), next.dispose()])),
    };
  },
});

export const autoregressives = {
  autoregressive: choice({
    doc: 'Symbol after symbol, by a masked network, for codes.',
    options: { width: widthOption(512), layers: layersOption(2), epochs: epochsOption },
    build: autoregressive,
  }),
};
