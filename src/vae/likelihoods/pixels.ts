/** Laws of a finite number of levels, evenly spaced from 0 to 1: pixels of so many bits. */
import { z } from 'zod';
import { choice } from '../../choice.ts';
import {
  add,
  affine,
  concat,
  constant,
  cumulativeSum,
  exp,
  greater,
  less,
  log1mExp,
  logSigmoid,
  logSoftmax,
  mul,
  neg,
  pad,
  slice,
  softmax,
  softplus,
  sub,
  sum,
  type Tensor,
  tanh,
  transpose,
  where,
} from '../../graph/index.ts';
import { each, type FieldValues, type Law, type Likelihood, type LikelihoodField } from '../likelihood.ts';
import {
  COMPONENTS,
  componentsOption,
  drawComponent,
  evenly,
  flat,
  layered,
  logMixture,
  placesOf,
} from './mixture.ts';
import { between, spreadOption, withSpread } from './spread.ts';

const levelsOption = z
  .int()
  .min(2)
  .max(65_536)
  .default(256)
  .describe('number of values from 0 to 1, both among them');

/**
 * log of what a logistic law puts nearest to the level x, its tails on the outermost levels (Kingma et al. 2016,
 * appendix; Salimans et al. 2017, eq. 2). For the ends a > b of the interval in scales it is
 * log σ(a) + log σ(−b) + log(1 − e^(b − a)), exact where σ(a) and σ(b) are alike.
 */
function logLevel(x: Tensor, location: Tensor, logScale: Tensor, levels: number): Tensor {
  const half = 0.5 / (levels - 1);
  const rate = exp(neg(logScale));
  const centred = sub(x, location);
  const [lowest, highest] = [less(x, half), greater(x, 1 - half)];
  const below = where(highest, 0, logSigmoid(mul(add(centred, half), rate)));
  const above = where(lowest, 0, logSigmoid(mul(sub(half, centred), rate)));
  const width = where(highest, 0, where(lowest, 0, log1mExp(mul(2 * half, rate))));
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

/** [channel, earlier channel] of each coefficient. */
const pairsOf = (channels: number): [number, number][] =>
  Array.from({ length: channels }, (_, c) =>
    Array.from({ length: c }, (_, j): [number, number] => [c, j]),
  ).flat();

/** Σⱼ coefficient · (xⱼ − ½) of the channels before each: [..., pairs] and [..., C] → [..., C]. */
function fromEarlier(coefficients: Tensor, x: Tensor, channels: number): Tensor {
  const pairs = pairsOf(channels);
  const mark = (i: number) =>
    constant(
      pairs.flatMap((pair) => Array.from({ length: channels }, (_, c) => Number(pair[i] === c))),
      [pairs.length, channels],
    );
  return affine(mul(coefficients, affine(sub(x, 0.5), transpose(mark(1)))), mark(0));
}

interface Mixture {
  readonly logits: Tensor;
  readonly mean: Tensor;
  readonly logScale: Tensor;
  /** Of earlier channels, where channels are coupled. */
  readonly coefficient?: Tensor | undefined;
}

/** E of each channel within a component, with the means of earlier channels in their place. */
function meansOf({ mean, logScale, coefficient }: Mixture, channels: number): Tensor {
  if (!coefficient) return meanLevel(mean, logScale);
  const known: Tensor[] = [];
  const pairs = pairsOf(channels);
  for (let c = 0; c < channels; c++) {
    const own = (t: Tensor, i = c) => slice(t, -1, i, i + 1);
    const location = pairs.reduce(
      (sum, [of, j], i) => (of === c ? add(sum, mul(own(coefficient, i), sub(known[j]!, 0.5))) : sum),
      own(mean),
    );
    known.push(meanLevel(location, own(logScale)));
  }
  return concat(known, -1);
}

/**
 * A mixture of discretised logistics for each pixel, whose channels after the first have means that depend linearly on
 * those before (Salimans et al. 2017, section 2.2). log p of a channel is that given the earlier ones. The mean takes
 * earlier channels at their means, and is exact where no component reaches the ends of [0, 1].
 */
function logisticMixture(
  fields: readonly LikelihoodField[],
  values: readonly Tensor[],
  components: number,
  levels: number,
): Likelihood {
  const places = placesOf(fields);
  const { channels } = fields[0]!;
  const [logits, centre, raw, factor] = values.map((t) => layered(t, places, components));
  const mean = add(centre!, add(0.5, evenly(components, 1)));
  const logScale = logLevelScale(add(raw!, FIRST_LOG_SCALE), levels);
  const mixture: Mixture = { logits: logits!, mean, logScale, coefficient: factor && tanh(factor) };
  return {
    mean: flat(sum(mul(softmax(logits!, COMPONENTS), meansOf(mixture, channels)), [COMPONENTS])),
    values: Object.fromEntries(Object.entries(mixture).flatMap(([name, t]) => (t ? [[name, flat(t)]] : []))),
    logProbs: (x) => flat(logMixtureLevels(mixture, layered(x, places, 1), channels, levels)),
  };
}

function logMixtureLevels(mixture: Mixture, x: Tensor, channels: number, levels: number): Tensor {
  const { logits, mean, logScale, coefficient } = mixture;
  const logWeights = logSoftmax(logits, COMPONENTS);
  if (!coefficient) return logMixture(logWeights, logLevel(x, mean, logScale, levels));
  const location = add(mean, fromEarlier(coefficient, x, channels));
  const each = logLevel(x, location, logScale, levels);
  const upTo = logMixture(logWeights, cumulativeSum(each, -1)); // of a channel and those before
  return sub(upTo, pad(slice(upTo, -1, 0, channels - 1), -1, 1, 0));
}

const drawLogisticMixture =
  (components: number, levels: number): Law['draw'] =>
  (values, random, out, channels) => {
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
