/** What is given, as features that a model sees beside x and z: each field as in x but with nothing drawn. */
import type { FieldCodec } from './codec.ts';
import type { Batch } from './rows.ts';
import { isOneHot, isPredicted, type ModelField } from './schema.ts';

/** Features start … start + size − 1 of the condition; where the field may be missing the next one is 1 if it is there. */
export interface ConditionPart {
  readonly field: string;
  readonly start: number;
  readonly size: number;
  readonly missing: boolean;
  /** Of a field that is predicted: how often each class was seen, and the share of the rows that have one. */
  readonly label?: { readonly counts: readonly number[]; readonly known: number };
}

export interface ConditionCodec {
  readonly parts: readonly ConditionPart[];
  /** C: features in all. */
  readonly size: number;
  /** Fills out [n, C]; the columns of the batch are those of the given fields. */
  encode(batch: Batch, out: Float32Array): void;
}

export function conditionCodec(fields: readonly ModelField[], codecs: readonly FieldCodec[]): ConditionCodec {
  let size = 0;
  const parts = fields.map((field, j): ConditionPart => {
    const { name, missing } = field;
    const part = { field: name, start: size, size: codecs[j]!.size, missing, ...labelOf(field) };
    size += part.size + Number(missing);
    return part;
  });
  return {
    parts,
    size,
    encode: (batch, out) => {
      const { columns } = batch.rows;
      out.fill(0, 0, batch.index.length * size);
      parts.forEach(({ start, size: own, missing }, j) => {
        // the feature that says whether it is there is this field's mask
        const to = { x: out, mask: missing ? out : undefined, part: start + own, parts: size };
        codecs[j]!.encode(columns[j]!, batch, to, { start, stride: size }, NOTHING_DRAWN);
      });
    },
  };
}

const labelOf = (field: ModelField): Pick<ConditionPart, 'label'> =>
  isPredicted(field) && isOneHot(field)
    ? { label: { counts: field.counts, known: 1 - field.missingShare } }
    : {};

const NOTHING_DRAWN = { u: undefined, at: 0, stride: 0, draw: undefined };
