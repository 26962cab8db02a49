/** Laws of a finite number of levels, evenly spaced from 0 to 1: pixels of so many bits. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  concat,
  exp,
  greater,
  less,
  log1mExp,
  logSigmoid,
  mul,
  neg,
  slice,
  softplus,
  sub,
  type Tensor,
  tanh,
  toFloat,
} from '../../graph/index.ts';
import { each, type FieldValues, type Law, type Likelihood, type LikelihoodField } from '../likelihood.ts';
import {
  CHANNELS,
  componentsOption,
  drawComponent,
  evenly,
  layoutOf,
  logMixture,
  logWeightsOf,
  meanOf,
} from './mixture.ts';
import { between, spreadOption, withSpread } from './spread.ts';

const levelsOption = z
  .int()
  .min(2)
  .max(65_536)
  .default(256)
  .describe('number of values from 0 to 1, both among them');

/**
 * log of what a logistic law puts nearest to the level x, its tails on the outermost levels (Kingma et al. 2016;
 * Salimans et al. 2017, section 2.1). For the ends a > b of the interval in scales it is
 * log σ(a) + log σ(−b) + log(1 − e^(b − a)), exact where σ(a) and σ(b) are alike. What a tail has no end for is
 * multiplied away: ONNX Runtime is slow to choose.
 */
function logLevel(x: Tensor, location: Tensor, logScale: Tensor, levels: number): Tensor {
  const half = 0.5 / (levels - 1);
  const rate = exp(neg(logScale));
  const centred = sub(x, location);
  const notHighest = toFloat(less(x, 1 - half));
  const notLowest = toFloat(greater(x, half));
  const below = mul(notHighest, logSigmoid(mul(add(centred, half), rate)));
  const above = mul(notLowest, logSigmoid(mul(sub(half, centred), rate)));
  const width = mul(mul(notHighest, notLowest), log1mExp(mul(2 * half, rate)));
  return add(add(below, above), width);
}

/**
 * The mean of a logistic law held in [0, 1], s log (1 + e^(μ/s))/(1 + e^((μ − 1)/s)): that of its levels to within half
 * a level, and much closer where s is larger than one.
 */
function meanLevel(location: Tensor, logScale: Tensor): Tensor {
  const [scale, rate] = [exp(logScale), exp(neg(logScale))];
  const end = (t: Tensor) => softplus(mul(t, rate));
  return mul(scale, sub(end(location), end(sub(location, 1))));
}

function drawLevel(location: number, logScale: number, levels: number, u: number): number {
  const x = location + Math.exp(logScale) * Math.log(u / (1 - u));
  return Math.round(Math.max(0, Math.min(1, x)) * (levels - 1)) / (levels - 1);
}

/** A scale from a tenth of a level up; at first an eighth of the whole range. */
const logLevelScale = (raw: Tensor, levels: number): Tensor => between(raw, -Math.log(levels - 1) - 2.5, 4);
const FIRST_LOG_SCALE = -2;

export const discretisedLogistic = (mean: Tensor, logScale: Tensor, levels: number): Likelihood => ({
  mean: meanLevel(mean, logScale),
  values: { mean, logScale },
  logProbs: (x) => logLevel(x, mean, logScale, levels),
});

/** Whether the channels of a pixel are drawn one after the other; the features of a row are not. */
const coupled = (size: number, channels: number): boolean => channels > 1 && size > channels;

/** The values of a mixture, as `Layout` has them inside. */
interface Mixture {
  readonly logits: Tensor;
  readonly mean: Tensor;
  readonly logScale: Tensor;
  /** Of earlier channels, where channels are coupled: (1, 0), (2, 0), (2, 1), … */
  readonly coefficient?: Tensor;
}

const at = (t: Tensor, channel: number): Tensor => slice(t, CHANNELS, channel, channel + 1);

/** For each channel in turn its location, μ + Σ coefficient · (x − ½) over earlier channels, and what `taken` takes it as. */
function inTurn(
  { mean, coefficient }: Mixture,
  channels: number,
  taken: (location: Tensor, channel: number) => Tensor,
): { locations: Tensor[]; xs: Tensor[] } {
  const locations: Tensor[] = [];
  const xs: Tensor[] = [];
  for (let c = 0, pair = 0; c < channels; c++) {
    const shifts = xs.map((x) => mul(at(coefficient!, pair++), sub(x, 0.5)));
    locations.push(shifts.reduce((a, b) => add(a, b), at(mean, c)));
    xs.push(taken(locations[c]!, c));
  }
  return { locations, xs };
}

/** log p of each channel given those before: log of what they are together, less that of those before. */
function logLevels(mixture: Mixture, x: Tensor, channels: number, levels: number): Tensor {
  const { locations, xs } = inTurn(mixture, channels, (_, c) => at(x, c));
  const logWeights = logWeightsOf(mixture.logits);
  let together: Tensor | undefined;
  let before: Tensor | undefined;
  const each = locations.map((location, c) => {
    const own = logLevel(xs[c]!, location, at(mixture.logScale, c), levels);
    together = together ? add(together, own) : own;
    const upTo = logMixture(logWeights, together);
    const given = before ? sub(upTo, before) : upTo;
    before = upTo;
    return given;
  });
  return concat(each, CHANNELS);
}

/**
 * A mixture of discretised logistics for each pixel, whose channels after the first have means that depend linearly on
 * those before (Salimans et al. 2017, section 2.2). The mean takes earlier channels at their means, and is exact where no
 * component reaches the ends of [0, 1].
 */
function logisticMixture(
  fields: readonly LikelihoodField[],
  values: readonly Tensor[],
  components: number,
  levels: number,
): Likelihood {
  const together = values.length === 4;
  const channels = together ? fields[0]!.channels : 1;
  const { inside, outside } = layoutOf(fields, together);
  const [logits, centre, raw, factor] = values.map((t) => inside(t, components));
  const mixture: Mixture = {
    logits: logits!,
    mean: add(centre!, add(0.5, evenly(components, 1))),
    logScale: logLevelScale(add(raw!, FIRST_LOG_SCALE), levels),
    ...(factor && { coefficient: tanh(factor) }),
  };
  const { xs } = inTurn(mixture, channels, (location, c) => meanLevel(location, at(mixture.logScale, c)));
  return {
    mean: outside(meanOf(mixture.logits, concat(xs, CHANNELS))),
    values: Object.fromEntries(Object.entries(mixture).map(([name, t]) => [name, outside(t)])),
    logProbs: (x) => outside(logLevels(mixture, inside(x, 1), channels, levels)),
  };
}

const drawLogisticMixture =
  (components: number, levels: number): Law['draw'] =>
  (values, random, out, { channels }) => {
    const together = coupled(out.length, channels);
    let row = 0; // a component of a place
    for (let i = 0; i < out.length; i++) {
      const [place, c] = [Math.floor(i / channels), i % channels];
      if (!together || c === 0) {
        const at = (k: number) => place * components + k;
        const logit = (k: number) => (together ? at(k) : at(k) * channels + c);
        row = at(drawComponent(values, components, logit, random));
      }
      const location = values['mean']![row * channels + c]! + (together ? shift(values, row, c, out, i) : 0);
      out[i] = drawLevel(location, values['logScale']![row * channels + c]!, levels, random.uniform());
    }
  };

/** What the earlier channels of a pixel add to the location of channel c, which is out[i]. */
function shift(
  { coefficient, mean, logits }: FieldValues,
  row: number,
  c: number,
  out: Float32Array,
  i: number,
): number {
  const channels = mean!.length / logits!.length; // one logit for each component of a pixel
  const first = row * ((channels * (channels - 1)) / 2) + (c * (c - 1)) / 2;
  let total = 0;
  for (let j = 0; j < c; j++) total += coefficient![first + j]! * (out[i - c + j]! - 0.5);
  return total;
}

export const pixels = {
  discretisedLogistic: choice({
    doc: 'Logistic rounded to levels, for 8-bit pixels and a lossless code (Kingma et al. 2016).',
    options: { levels: levelsOption, spread: spreadOption },
    build: ({ levels, spread }): Law => ({
      support: 'unit',
      discrete: true,
      levels,
      ...withSpread(
        spread,
        ['mean'],
        'logScale',
        ([mean], raw) => discretisedLogistic(add(mean!, 0.5), logLevelScale(raw, levels), levels),
        FIRST_LOG_SCALE,
      ),
      draw: each((value, { uniform }) => drawLevel(value('mean'), value('logScale'), levels, uniform())),
    }),
  }),
  logisticMixture: choice({
    doc: 'Mixture of discretised logistics, each channel given the ones before (PixelCNN++, Salimans et al. 2017).',
    options: { levels: levelsOption, components: componentsOption(10) },
    build: ({ levels, components }): Law => ({
      support: 'unit',
      discrete: true,
      levels,
      parameters: ['logits', 'mean', 'logScale', 'coefficient'],
      width: (parameter, { size, channels }) => {
        const together = coupled(size, channels);
        if (parameter === 'coefficient') return together ? (components * channels * (channels - 1)) / 2 : 0;
        return parameter === 'logits' && together ? components : components * channels;
      },
      build: (fields, values) => logisticMixture(fields, values, components, levels),
      draw: drawLogisticMixture(components, levels),
    }),
  }),
};
