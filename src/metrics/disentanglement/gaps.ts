/** Scores from how much one dimension says about one factor: MIG, SAP, modularity. */
import {
  binned,
  type Classes,
  type Coded,
  codeOf,
  informationTable,
  levelsOf,
  meanOf,
  topTwo,
  varianceOf,
} from './factors.ts';

const average = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** 1/K Σₖ (I(z₁; vₖ) − I(z₂; vₖ)) / H(vₖ) over the two dimensions that say most about vₖ (Chen et al. 2018, eq. 6). */
export function mutualInformationGap(data: Coded): number {
  const { information, entropies } = informationTable(data);
  return average(
    entropies.map((h, k) => {
      const [first, second] = topTwo(information.map((row) => row[k]!));
      return (first - second) / h;
    }),
  );
}

/**
 * 1/M Σⱼ 1 − Σ_{k≠k*} Iⱼₖ² / (θⱼ² (K − 1)) with θⱼ = Iⱼₖ* the largest of a dimension (Ridgeway & Mozer 2018).
 * A dimension whose largest is what chance gives says nothing and is left out; where all are, the score is 0.
 */
export function modularity(data: Coded): number {
  const { information } = informationTable(data);
  const sizes = data.factors.map((factor) => levelsOf(factor).size);
  const each = information.flatMap((row) => {
    const best = row.indexOf(Math.max(...row));
    const most = row[best]!;
    if (most <= chance(sizes[best]!, data.count)) return [];
    const rest = row.reduce((sum, v, k) => sum + (k === best ? 0 : v * v), 0);
    return [1 - rest / (most * most * Math.max(1, row.length - 1))];
  });
  return each.length > 0 ? average(each) : 0;
}

/** Information, its bias taken away, that independent classes pass once in ten thousand: 2nI is χ² with df degrees. */
function chance(size: number, count: number): number {
  const degrees = 19 * (size - 1); // twenty classes of the code
  return (4 * Math.sqrt(2 * degrees)) / (2 * count);
}

/**
 * 1/K Σₖ the difference of the two best scores of single dimensions (Kumar et al. 2018): R² of the linear fit for
 * amounts; for names the balanced accuracy above chance of the classes read off twenty intervals of the code, learned on one
 * half of the rows and judged on the other.
 */
export function separatedAttributes(data: Coded): number {
  const codes = Array.from({ length: data.width }, (_, j) => codeOf(data, j));
  return average(
    data.factors.map((factor) => {
      const score = factor.ordered
        ? (code: Float64Array) => linearFit(code, factor.values)
        : (code: Float64Array) => accuracy(binned(code), levelsOf(factor));
      const [first, second] = topTwo(codes.map(score));
      return first - second;
    }),
  );
}

/** Squared correlation. */
function linearFit(x: Float64Array, y: Float64Array): number {
  const [mx, my] = [meanOf(x), meanOf(y)];
  let covariance = 0;
  for (let i = 0; i < x.length; i++) covariance += (x[i]! - mx) * (y[i]! - my);
  const scale = varianceOf(x) * varianceOf(y);
  return scale > 0 ? (covariance / x.length) ** 2 / scale : 0;
}

/** Balanced accuracy of the likeliest class of each interval, 0 at chance and 1 at best. Even rows teach, odd ones judge. */
function accuracy(code: Classes, target: Classes): number {
  const tally = (odd: number) => {
    const counts = new Float64Array(code.size * target.size);
    const totals = new Float64Array(target.size);
    for (let i = odd; i < code.of.length; i += 2) {
      counts[code.of[i]! * target.size + target.of[i]!]!++;
      totals[target.of[i]!]!++;
    }
    return { counts, totals };
  };
  const [taught, judged] = [tally(0), tally(1)];
  const hits = new Float64Array(target.size);
  for (let bin = 0; bin < code.size; bin++) {
    let best = 0;
    const weight = (c: number) => taught.counts[bin * target.size + c]! / Math.max(1, taught.totals[c]!);
    for (let c = 1; c < target.size; c++) if (weight(c) > weight(best)) best = c;
    hits[best]! += judged.counts[bin * target.size + best]!;
  }
  const shares = Array.from(hits, (h, c) => h / Math.max(1, judged.totals[c]!));
  const level = 1 / target.size;
  return Math.max(0, (average(shares) - level) / (1 - level));
}
