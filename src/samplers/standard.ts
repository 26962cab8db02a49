/** Rows moved and scaled to mean 0 and variance 1 in every dimension, for samplers that are networks. */
import type { FitProgress, LatentRows, SamplerFamily, Tensors } from './sampler.ts';

/** Standard = (row − shift) / size, in each dimension. */
interface Scale {
  readonly shift: Float32Array;
  readonly size: Float32Array;
}

/** A dimension that never changes is not scaled. */
function scaleOf(rows: Float32Array, width: number): Scale {
  const count = rows.length / width;
  const mean = new Float64Array(width);
  const square = new Float64Array(width);
  rows.forEach((v, i) => {
    mean[i % width]! += v / count;
  });
  rows.forEach((v, i) => {
    square[i % width]! += (v - mean[i % width]!) ** 2 / count;
  });
  return {
    shift: Float32Array.from(mean),
    size: Float32Array.from(square, (v) => (v > 0 ? Math.sqrt(v) : 1)),
  };
}

const standard = (all: LatentRows, { shift, size }: Scale): LatentRows => ({
  ...all,
  rows: all.rows.map((v, i) => (v - shift[i % shift.length]!) / size[i % size.length]!),
});

/** log |det| of the way back. */
const logVolume = ({ size }: Scale): number => size.reduce((sum, v) => sum + Math.log(v), 0);

const [SHIFT, SIZE] = ['standard.shift', 'standard.size'];

/** A family as it is of standard rows, for any rows; its densities are those of the rows themselves. */
export const standardised = (family: SamplerFamily): SamplerFamily => ({
  ...family,
  shapes: (form) => ({ ...family.shapes(form), [SHIFT]: [form.width], [SIZE]: [form.width] }),
  fit: async function* (fitting): AsyncGenerator<FitProgress, Tensors> {
    const { train, validation, form } = fitting;
    const scale = scaleOf(train.rows, form.width);
    const volume = logVolume(scale);
    const rounds = family.fit({
      ...fitting,
      train: standard(train, scale),
      validation: standard(validation, scale),
    });
    for (;;) {
      const { done, value } = await rounds.next();
      if (!done) {
        const judged = value.validation === undefined ? {} : { validation: value.validation - volume };
        yield { ...value, train: value.train - volume, ...judged };
        continue;
      }
      const shape = [form.width];
      return { ...value, [SHIFT]: { shape, data: scale.shift }, [SIZE]: { shape, data: scale.size } };
    }
  },
  open: async ({ [SHIFT]: shift, [SIZE]: size, ...tensors }, form, runtime) => {
    const scale = { shift: shift!.data, size: size!.data };
    const volume = logVolume(scale);
    const inner = await family.open(tensors, form, runtime);
    return {
      ...inner,
      draw: async (...asked) =>
        (await inner.draw(...asked)).map(
          (v, i) => v * scale.size[i % form.width]! + scale.shift[i % form.width]!,
        ),
      logProbs: async (rows) => (await inner.logProbs(standard(rows, scale))).map((v) => v - volume),
    };
  },
});
