/**
 * Groups of fields, each with an encoder of its own whose finding is an expert on z (Wu & Goodman 2018; Shi et al. 2019).
 * A group that an example lacks is no expert on it.
 */
import {
  add,
  concat,
  constant,
  dimAt,
  divide,
  fixed,
  max,
  mul,
  reshape,
  slice,
  split,
  type Tensor,
} from '../graph/index.ts';
import type { ModelSpec, Observation, Part } from './model.ts';
import { tiled } from './moments.ts';
import type { Copies, Experts } from './posterior.ts';

/** Fields that come and go together. */
export interface Modality {
  readonly name: string;
  readonly fields: readonly string[];
}

/** Those of a model: each field is one where nothing was said. */
export const modalitiesOf = ({
  modalities,
  parts,
}: Pick<ModelSpec, 'modalities' | 'parts'>): readonly Modality[] =>
  modalities ?? parts.map(({ field }) => ({ name: field, fields: [field] }));

const partsOf = ({ parts }: ModelSpec, { fields }: Modality): readonly Part[] =>
  parts.filter(({ field }) => fields.includes(field));

const beside = (tensors: readonly Tensor[]): Tensor => concat(tensors, -1);

export interface Encoding {
  /** Of all modalities side by side, [B, M·H]. */
  readonly features: Tensor;
  readonly experts: Experts;
}

/** What `encode` makes of each modality of rows x [B, D], or of pictures, which are the only one of theirs. */
export function encodeEach(
  spec: ModelSpec,
  { x, mask }: Observation,
  corrupt: (seen: Tensor) => Tensor,
  encode: (name: string, seen: Tensor) => Tensor,
): Encoding {
  const all = modalitiesOf(spec);
  const ofEach = (one: (part: Part) => Tensor) =>
    all.map((modality) => beside(partsOf(spec, modality).map(one)));
  const views = ofEach(({ law, start, size }) => {
    const own = slice(x, -1, start, start + size);
    return law.view?.(own) ?? own;
  });
  const seen = split(
    corrupt(beside(views)),
    -1,
    views.map((view) => fixed(dimAt(view.shape, -1), 'features')),
  );
  const masks =
    mask &&
    ofEach((part) => {
      const at = spec.parts.indexOf(part);
      return slice(mask, -1, at, at + 1);
    });
  const features = all.map(({ name }, m) => encode(name, masks ? beside([seen[m]!, masks[m]!]) : seen[m]!));
  const there = masks && beside(masks.map((own) => max(own, [-1], { keepDims: true })));
  return { features: beside(features), experts: { count: all.length, ...(there && { there }) } };
}

/** What the copies of a batch [n·B, …] stand for: of each what it was shown, where that is not all. */
export function copiesOf(
  spec: ModelSpec,
  { x, mask, condition }: Observation,
  { count, shown }: Copies,
): Observation {
  const whole = {
    x: tiled(x, count),
    ...(mask && { mask: tiled(mask, count) }),
    ...(condition && { condition: tiled(condition, count) }),
  };
  if (!shown) return whole;
  const all = modalitiesOf(spec);
  const owners = spec.parts.map(({ field }) => all.findIndex(({ fields }) => fields.includes(field)));
  const kept = (t: Tensor, columns: readonly number[]) => {
    const pattern = shown.flatMap((subset) => columns.map((m) => Number(subset[m])));
    const each = mul(
      reshape(t, [count, divide(dimAt(t.shape, 0), count)!, dimAt(t.shape, 1)]),
      constant(pattern, [count, 1, columns.length]),
    );
    return reshape(each, [dimAt(t.shape, 0), columns.length]);
  };
  const features = spec.parts.flatMap(({ size }, i) => Array<number>(size).fill(owners[i]!));
  const ones = add(mul(slice(whole.x, 1, 0, 1), 0), 1);
  return { ...whole, x: kept(whole.x, features), mask: kept(whole.mask ?? ones, owners) };
}
