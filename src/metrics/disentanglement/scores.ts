/** All scores of codes against factors, each with its interval over the rows. */
import { stream } from '../../random/index.ts';
import { type Estimate, jackknife } from '../estimate.ts';
import { dci } from './dci.ts';
import { type Coded, levelsOf, select, varyingDimensions } from './factors.ts';
import { modularity, mutualInformationGap, separatedAttributes } from './gaps.ts';
import { betaVaeScore, factorVaeScore } from './votes.ts';

export interface Disentanglement {
  readonly mig: Estimate;
  readonly dciDisentanglement: Estimate;
  readonly dciCompleteness: Estimate;
  readonly dciInformativeness: Estimate;
  readonly sap: Estimate;
  readonly modularity: Estimate;
  readonly factorVae: Estimate;
  readonly betaVae: Estimate;
}

/** Factors with a single value and dimensions that hardly vary are left out; undefined where nothing is left. */
export function disentanglement(data: Coded): Disentanglement | undefined {
  const factors = data.factors.filter((factor) => levelsOf(factor).size > 1);
  const dimensions = varyingDimensions(data);
  if (factors.length === 0 || dimensions.length === 0) return undefined;
  const order = stream(0, 'order of rows').permutation(data.count);
  const mixed = select({ ...data, factors }, dimensions, Int32Array.from(order)); // halves must not follow the rows' order
  const every = Int32Array.from({ length: data.count }, (_, i) => i);
  const all = dimensions.map((_, j) => j);
  return jackknife(every, (rows) => scoresOf(select(mixed, all, rows))) as Record<
    keyof Disentanglement,
    Estimate
  >;
}

/** The scores themselves, of rows in no order. */
export function scoresOf(data: Coded): Record<keyof Disentanglement, number> {
  const importance = dci(data);
  return {
    mig: mutualInformationGap(data),
    dciDisentanglement: importance.disentanglement,
    dciCompleteness: importance.completeness,
    dciInformativeness: importance.informativeness,
    sap: separatedAttributes(data),
    modularity: modularity(data),
    factorVae: factorVaeScore(data),
    betaVae: betaVaeScore(data),
  };
}
