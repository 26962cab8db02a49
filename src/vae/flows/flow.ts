/** Invertible maps of z with the log-determinant of their Jacobian, and chains of them. */
import { add, type Tensor } from '../../graph/index.ts';

export interface Mapped {
  readonly z: Tensor; // [K, B, Z]
  /** log |det dz′/dz|. */
  readonly logDet: Tensor; // [K, B]
}

export type Flow = (z: Tensor) => Mapped;

/** A map from z to u, whose density is known, and its inverse. */
export interface Bijection {
  readonly toBase: Flow;
  readonly fromBase: (u: Tensor) => Tensor;
}

/** One flow after another: their log-determinants add up. */
export const chain =
  (flows: readonly Flow[]): Flow =>
  (start) =>
    flows.slice(1).reduce((before, flow) => {
      const { z, logDet } = flow(before.z);
      return { z, logDet: add(before.logDet, logDet) };
    }, flows[0]!(start));

export const chainBijections = (all: readonly Bijection[]): Bijection => ({
  toBase: chain(all.map(({ toBase }) => toBase)),
  fromBase: (u) => all.reduceRight((z, { fromBase }) => fromBase(z), u),
});
