/** Numbers, integers and dates ↔ one column of model space that is about N(0, 1). */
import { UserError } from '../errors.ts';
import type { FieldCodec } from './codec.ts';
import { accepts, asChoice } from './laws.ts';
import { quantileCodec } from './quantile.ts';
import { decimalsOf, type NumericField, refuseMissing } from './schema.ts';

/** Rounds to the column's decimal grid as its text would be read. */
export function rounder(decimals: number | null): (v: number) => number {
  if (decimals === null) return (v) => v;
  if (decimals === 0) return (v) => Math.round(v) + 0;
  const scale = 10 ** decimals;
  return (v) => Math.round(v * scale) / scale + 0; // + 0: never −0
}

export function numberCodec(field: NumericField): FieldCodec {
  const { toModel, fromModel, draws } = numberScale(field);
  const round = rounder(decimalsOf(field));
  const isIn = accepts(field);
  const within =
    field.transform.kind === 'turn' ? nearestInTurn(field, field.transform.period) : nearest(field);
  return {
    size: 1,
    draws,
    encode: (
      column,
      { index, ids },
      { x, mask, part, parts },
      { start, stride },
      { u, at, stride: step },
    ) => {
      const values = column as Float64Array;
      for (let i = 0; i < index.length; i++) {
        const v = values[index[i]!]!;
        const there = !Number.isNaN(v);
        if (there && isIn && !isIn(v)) refuseOutside(field, v, ids[i]);
        if (there) x[i * stride + start] = toModel(v, u && draws ? u[i * step + at]! : 0.5);
        else if (!field.missing) refuseMissing(field, ids[i]);
        if (mask) mask[i * parts + part] = there ? 1 : 0;
      }
    },
    decode: (x, count, { start, stride }, clip) => {
      const out = new Float64Array(count);
      for (let i = 0; i < count; i++) {
        const v = round(fromModel(x[i * stride + start]!));
        out[i] = clip ? within(v) : v;
      }
      return out;
    },
  };
}

/** Refuses a column with a value that has no likelihood: none could be told from that of a usual one. `path` is its file. */
export function checkColumn(field: NumericField, column: Float64Array, path: string): void {
  const isIn = accepts(field);
  const at = isIn ? column.findIndex((v) => !Number.isNaN(v) && !isIn(v)) : -1;
  if (at >= 0) refuseOutside(field, column[at]!, at, `${path}, `);
}

function refuseOutside({ name, likelihood }: NumericField, v: number, row = 0, where = ''): never {
  throw new UserError(
    `${where}column "${name}", row ${row + 1}: ${v} cannot be by the law that the model has for this column (${asChoice(likelihood).kind}). ` +
      'Leave the row out, or train again with another likelihood for the column (--likelihood, or a --schema file)',
  );
}

type Range = Pick<NumericField, 'min' | 'max'>;

const nearest =
  ({ min, max }: Range) =>
  (v: number): number =>
    Math.min(max, Math.max(min, v));

/** Outside the range, the end that is less of a turn away. */
const nearestInTurn =
  ({ min, max }: Range, period: number) =>
  (v: number): number => {
    if (v >= min && v <= max) return v;
    return turned(min - v, period) < turned(v - max, period) ? min : max;
  };

/** How far to turn on from 0, below a whole turn. */
const turned = (v: number, period: number): number => v - period * Math.floor(v / period);

/** The same direction as the values of a field have it: a turn from 0 on, or from half a turn before it, or from the least of them. */
export function directionIn({ min, max }: Range, period: number, v: number): number {
  const isBelow = min >= 0 && max <= period;
  const isAround = min >= -period / 2 && max <= period / 2;
  const start = isBelow ? 0 : isAround ? -period / 2 : min;
  return start + turned(v - start, period);
}

interface Scale {
  toModel(v: number, u: number): number;
  fromModel(z: number): number;
  readonly draws: 0 | 1;
}

/** Values ↔ model space, unrounded. */
export function numberScale(field: Pick<NumericField, 'transform' | 'min' | 'max'>): Scale {
  const { transform } = field;
  if (transform.kind === 'quantile') {
    const { encode, decode } = quantileCodec(transform);
    return { toModel: encode, fromModel: decode, draws: 1 };
  }
  return { ...plain(transform, field), draws: 0 };
}

const TURN = 2 * Math.PI;

function plain(
  transform: Exclude<NumericField['transform'], { kind: 'quantile' }>,
  range: Range,
): Omit<Scale, 'draws'> {
  switch (transform.kind) {
    case 'standard':
      return linear(transform.mean, transform.sd);
    case 'scale':
      return linear(0, transform.scale);
    case 'count':
      return linear(0, 1);
    case 'range': {
      const { toModel, fromModel } = linear(transform.low, transform.high - transform.low);
      return { toModel: (v, u) => Math.min(1, Math.max(0, toModel(v, u))), fromModel };
    }
    case 'turn': {
      const { period } = transform;
      return {
        toModel: (v) => TURN * (v / period - Math.round(v / period)), // in [−π, π]
        fromModel: (angle) => directionIn(range, period, (period * angle) / TURN),
      };
    }
  }
}

const linear = (zero: number, unit: number): Omit<Scale, 'draws'> => ({
  toModel: (v) => (v - zero) / unit,
  fromModel: (z) => zero + unit * z,
});
