/** Feature spaces in which rows are compared. */
import type { Batch, ModelField, Rows } from '../../data/index.ts';
import { modelFields } from '../../data/index.ts';
import {
  centred,
  meanPoint,
  moments,
  type Points,
  principalComponents,
  project,
} from '../../metrics/index.ts';
import { encodeBatch } from '../encode.ts';
import type { Model } from '../model.ts';
import type { Subject } from './subject.ts';

/** What the data itself is, or what the model's own encoder makes of it. */
export type SpaceName = 'data' | 'encoder';
export const spaceNames: readonly SpaceName[] = ['data', 'encoder'];

export interface FeatureSpace {
  /** Named, for the protocol. */
  readonly words: string;
  readonly ofData: (subject: Subject) => Promise<Points>;
  readonly ofSamples: (rows: Rows) => Promise<Points>;
}

/** Principal components that many features are brought down to. */
const COMPONENTS = 64;
const MOST_COLUMNS = 256;
/** Largest side of a picture whose pixels are compared; larger ones are averaged over squares. */
const SIDE = 32;

/** The space is fitted to the held-out rows; one factor scales it so that they vary by 1 a dimension on average. */
export async function featureSpace(model: Model, held: Subject, name: SpaceName): Promise<FeatureSpace> {
  const picture = modelFields(model.schema).find((field) => field.type === 'image');
  const raw =
    name === 'encoder'
      ? encoderFeatures(model)
      : picture
        ? pixelFeatures(model, picture)
        : modelSpace(model, held);
  const fitted = await raw.ofData(held);
  const many = name === 'data' && fitted.width > (picture ? COMPONENTS : MOST_COLUMNS);
  const reduction = many ? principalComponents(fitted, COMPONENTS) : undefined;
  const reduce = (points: Points) => (reduction ? project(points, reduction) : points);
  const scale = standard(reduce(fitted));
  const of = (points: Points) => scale(reduce(points));
  const share = reduction?.shares.reduce((sum, v) => sum + v, 0) ?? 1;
  return {
    words: reduction
      ? `${reduction.components} principal components of ${raw.words} (${(100 * share).toFixed(0)} % of their variance)`
      : raw.words,
    ofData: async (subject) => of(await raw.ofData(subject)),
    ofSamples: async (rows) => of(await raw.ofSamples(rows)),
  };
}

/** Centres, and scales all dimensions by one factor. */
function standard(points: Points): (points: Points) => Points {
  const mean = meanPoint(points);
  const { data, width, count } = centred(points, mean);
  let squares = 0;
  for (const v of data) squares += v * v;
  const scale = 1 / Math.sqrt(squares / (count * width) || 1);
  return (other) => {
    const moved = centred(other, mean);
    return { ...moved, data: (moved.data as Float64Array).map((v) => v * scale) };
  };
}

const whole = (rows: Rows): Batch => {
  const index = Int32Array.from({ length: rows.count }, (_, i) => i);
  return { rows, index, ids: index };
};
const batchOf = ({ rows, ids }: Subject): Batch => ({ ...whole(rows), ids });

/**
 * A table as the model sees it, repeated values in the middle of their interval: numbers in units of the held-out rows' standard
 * deviation, so that no law's scale decides what is near; angles as points of the circle; categories one-hot.
 */
function modelSpace({ codec, vae }: Model, held: Subject): FeatureSpace {
  const stride = codec.shape[0]!;
  const encode = (batch: Batch): Float32Array => {
    const x = new Float32Array(batch.index.length * stride);
    const mask = new Float32Array(batch.index.length * codec.parts.length);
    codec.encode(batch, codec.masked ? { x, mask } : { x });
    return x;
  };
  const known = encode(batchOf(held));
  const features = vae.spec.parts.flatMap(({ law, start, size }): Feature[] => {
    const places = Array.from({ length: size }, (_, j) => start + j);
    if (law.support === 'angle')
      return places.flatMap((at) => [
        { at, of: Math.cos },
        { at, of: Math.sin },
      ]);
    if (size > 1) return places.map((at) => ({ at, of: (v) => v }));
    const own = moments(Float64Array.from({ length: held.count }, (_, i) => known[i * stride + start]!));
    const scale = 1 / (Math.sqrt(own.variance()) || 1);
    return [{ at: start, of: (v) => (v - own.mean()) * scale }];
  });
  const width = features.length;
  const points = (x: Float32Array): Points => {
    const data = new Float64Array((x.length / stride) * width);
    for (let i = 0; i < data.length; i++) {
      const { at, of } = features[i % width]!;
      data[i] = of(x[Math.floor(i / width) * stride + at]!);
    }
    return { count: data.length / width, width, data };
  };
  return {
    words: `model space (${width} dimensions: numbers in standard deviations of what the model sees, categories one-hot)`,
    ofData: async (subject) => points(encode(batchOf(subject))),
    ofSamples: async (rows) => points(encode(whole(rows))),
  };
}

/** One dimension, from one of the model's features. */
interface Feature {
  readonly at: number;
  readonly of: (value: number) => number;
}

/** Pixels in [0, 1]; of the data as they are evaluated, black and white where the model is of these. */
function pixelFeatures({ codec }: Model, field: Extract<ModelField, { type: 'image' }>): FeatureSpace {
  const { height, width, channels } = field;
  const side = Math.ceil(Math.max(height, width) / SIDE);
  const [high, wide] = [Math.ceil(height / side), Math.ceil(width / side)];
  const small = (x: Float32Array, count: number): Points => ({
    count,
    width: high * wide * channels,
    data: side === 1 ? x : averaged(x, count, field, side),
  });
  const words = side === 1 ? 'the pixels' : `the pixels averaged to ${high} × ${wide}`;
  return {
    words: field.binarize === 'none' ? words : `${words} as they are binarised`,
    ofData: async (subject) => {
      const x = new Float32Array(subject.count * height * width * channels);
      codec.encode(batchOf(subject), { x }, { kind: 'row', seed: 0 });
      return small(x, subject.count);
    },
    ofSamples: async ({ columns, count }) =>
      small(
        Float32Array.from(columns[0]!, (v) => v / 255),
        count,
      ),
  };
}

/** Means over squares of `side` pixels. */
function averaged(
  x: Float32Array,
  count: number,
  { height, width, channels }: { height: number; width: number; channels: number },
  side: number,
): Float32Array {
  const [high, wide] = [Math.ceil(height / side), Math.ceil(width / side)];
  const out = new Float32Array(count * high * wide * channels);
  for (let i = 0, at = 0; i < count; i++)
    for (let v = 0; v < height; v++)
      for (let h = 0; h < width; h++)
        for (let c = 0; c < channels; c++, at++) {
          const to = ((i * high + Math.floor(v / side)) * wide + Math.floor(h / side)) * channels + c;
          out[to]! += x[at]! / side ** 2;
        }
  return out;
}

const READ = 500;

function encoderFeatures(model: Model): FeatureSpace {
  const { latent } = model.vae.spec;
  const encode = async ({ rows, index, ids }: Batch): Promise<Points> => {
    const data = new Float32Array(index.length * latent);
    for (let at = 0; at < index.length; at += READ) {
      const some = { rows, index: index.subarray(at, at + READ), ids: ids.subarray(at, at + READ) };
      data.set((await encodeBatch(model, some, 0)).mean, at * latent);
    }
    return { count: index.length, width: latent, data };
  };
  return {
    words: `the ${latent} codes of this very model’s encoder (it knows what it was trained on: not for comparing models)`,
    ofData: (subject) => encode(batchOf(subject)),
    ofSamples: (rows) => encode(whole(rows)),
  };
}
