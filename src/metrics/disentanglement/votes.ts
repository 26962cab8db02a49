/** Scores from rows that share one factor: which dimension stands still, and can one tell the factor from it? */
import { stream, type Variates, variates } from '../../random/index.ts';
import { type Coded, codeOf, levelsOf, varianceOf } from './factors.ts';
import { learnClasses } from './softmax.ts';

const SHARED = 64; // rows or pairs that share a factor's value, as in Locatello et al. 2019
const VOTES = 2000; // half to learn from, half to judge by

/** Rows by factor and value; values of a single row cannot be shared. */
interface Shared {
  /** A factor at random, and rows that share a value of it, drawn with replacement. */
  readonly draw: (rows: number) => { readonly factor: number; readonly rows: Int32Array };
}

function sharing({ factors, count }: Coded, { uniform }: Variates): Shared {
  const below = (n: number) => Math.floor(n * uniform());
  const groups = factors.map((factor) => {
    const levels = levelsOf(factor);
    const rows = Array.from({ length: levels.size }, () => [] as number[]);
    for (let i = 0; i < count; i++) rows[levels.of[i]!]!.push(i);
    return rows.filter((some) => some.length > 1);
  });
  return {
    draw: (wanted) => {
      const factor = below(factors.length);
      const values = groups[factor]!;
      const some = values[below(values.length)]!;
      const drawn = new Int32Array(wanted);
      for (let i = 0; i < wanted; i++) drawn[i] = some[below(some.length)]!;
      return { factor, rows: drawn };
    },
  };
}

/**
 * The FactorVAE score (Kim & Mnih 2018, section 4): among rows that share one factor's value, the dimension whose variance,
 * in units of its own, is least votes for the factor; the accuracy of the majority of votes. Chance is 1/K.
 */
export function factorVaeScore(data: Coded, seed = 0): number {
  const shared = sharing(data, variates(stream(seed, 'factor votes')));
  const scale = Array.from({ length: data.width }, (_, j) => varianceOf(codeOf(data, j)));
  const votes = Array.from({ length: VOTES }, () => {
    const { factor, rows } = shared.draw(SHARED);
    return { factor, dimension: stillest(data, rows, scale) };
  });
  const table = Array.from({ length: data.width }, () => new Float64Array(data.factors.length));
  for (const { factor, dimension } of votes.slice(0, VOTES / 2)) table[dimension]![factor]!++;
  const answers = table.map((row) => row.indexOf(Math.max(...row)));
  const judged = votes.slice(VOTES / 2);
  return judged.filter(({ factor, dimension }) => answers[dimension] === factor).length / judged.length;
}

function stillest({ codes, width }: Coded, rows: Int32Array, scale: readonly number[]): number {
  const own = new Float64Array(rows.length);
  let [best, least] = [0, Number.POSITIVE_INFINITY];
  for (let j = 0; j < width; j++) {
    for (let i = 0; i < own.length; i++) own[i] = codes[rows[i]! * width + j]!;
    const spread = varianceOf(own) / scale[j]!;
    if (spread < least) [best, least] = [j, spread];
  }
  return best;
}

/**
 * The β-VAE score (Higgins et al. 2017, section 3): the mean absolute difference of the codes of pairs that share one factor's
 * value, and the accuracy of a linear classifier that tells the factor from it. Chance is 1/K.
 */
export function betaVaeScore(data: Coded, seed = 0): number {
  const shared = sharing(data, variates(stream(seed, 'factor pairs')));
  const { width, codes } = data;
  const inputs = new Float64Array(VOTES * width);
  const answers = new Int32Array(VOTES);
  for (let v = 0; v < VOTES; v++) {
    const { factor, rows } = shared.draw(2 * SHARED);
    answers[v] = factor;
    for (let j = 0; j < width; j++) {
      let sum = 0;
      for (let p = 0; p < SHARED; p++)
        sum += Math.abs(codes[rows[2 * p]! * width + j]! - codes[rows[2 * p + 1]! * width + j]!);
      inputs[v * width + j] = sum / SHARED;
    }
  }
  const half = VOTES / 2;
  const tell = learnClasses(inputs.subarray(0, half * width), answers.subarray(0, half), {
    width,
    classes: data.factors.length,
  });
  let right = 0;
  for (let v = half; v < VOTES; v++)
    right += Number(tell(inputs.subarray(v * width, (v + 1) * width)) === answers[v]);
  return right / (VOTES - half);
}
