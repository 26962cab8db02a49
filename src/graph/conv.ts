/**
 * Convolution in one, two or three dimensions as gather + matrix product, channels last. ONNX Runtime's own Conv
 * cannot pack weights that change at every step; this form uses its fastest product for the forward pass and for
 * both gradients, and one matrix of patches serves the forward pass and the weight gradient. Patches are gathered by example
 * (`dense`), with few channels by rows of all examples (`byRows`), or apart for groups (`grouped`). With many channels there
 * are no patches, where tiles ask for fewer products (`winograd.ts`).
 */
import { gatherKnown } from './gather.ts';
import { columnSums, gemm, matmul, transposedProduct } from './matmul.ts';
import { concat, reshape, slice, transpose } from './move.ts';
import {
  type ConvOptions,
  channelsOf,
  type Expected,
  expectFit,
  flat,
  framed,
  type Geometry,
  patches,
  patchIndices,
  product,
  rows,
  spaceOf,
  tuples,
  withBias,
} from './patches.ts';
import { dimAt, fixed, multiply } from './shape.ts';
import { type Tensor, withGradient } from './tensor.ts';
import { spread, transposed } from './transposed-conv.ts';
import { coarsePays, toCoarse, toWeight } from './winograd.ts';

/**
 * x [B, …space, C] and weight [k₁⋯kₙ·C/groups, O], rows ordered (k₁, …, kₙ, c), bias [O] → [B, …space′, O] with
 * space′ = ⌊(space + 2·padding − dilation·(k − 1) − 1) / stride⌋ + 1. `kernel` is one k an axis.
 */
export function conv(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  kernel: readonly number[],
  { stride = 1, padding = 0, dilation = 1, groups = 1 }: ConvOptions = {},
): Tensor {
  const fine = spaceOf(x);
  const reach = kernel.map((k) => dilation * (k - 1) + 1);
  const coarse = fine.map((n, i) => Math.floor((n + 2 * padding - reach[i]!) / stride) + 1);
  const channels = channelsOf(x);
  const outputs = fixed(dimAt(weight.shape, 1), 'conv weight');
  const expected: Expected['weight'] = [(product(kernel) * channels) / groups, outputs];
  expectFit('conv', x, weight, bias, { kernel, groups, weight: expected, outputs, result: coarse });
  const geometry = { coarse, fine, kernel, stride, padding, dilation };
  const form = groups > 1 ? grouped : rowsMove(x, geometry) ? byRows : dense;
  const y = form(x, weight, bias, geometry, groups);
  return reshape(y, [dimAt(x.shape, 0), ...coarse, outputs]);
}

/** y = patches(x) · W + b, [B·coarse, O], or by tiles. */
function dense(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry): Tensor {
  const [batch, outputs] = [dimAt(x.shape, 0), fixed(dimAt(weight.shape, 1), 'conv weight')];
  const isTiled = coarsePays(g, channelsOf(x), outputs);
  const p = patches(x, g);
  const y = isTiled ? withBias(rows(toCoarse(x, weight, g)), bias) : gemm(p.matrix, p.arrange(weight), bias);
  const toInput = (dy: Tensor) =>
    g.dilation === 1 ? transposed(dy, weight, undefined, g) : spread(dy, weight, undefined, g, 1);
  return withGradient(bias ? [x, weight, bias] : [x, weight], y, (dy) => {
    const picture = reshape(dy, [batch, ...g.coarse, outputs]);
    return [
      reshape(toInput(picture), x.shape),
      isTiled ? toWeight(x, picture, g) : p.restore(transposedProduct(p.matrix, dy)),
      ...(bias ? [columnSums(dy)] : []),
    ];
  });
}

const MOST_SLICES = 16;

/**
 * Gathering a few floats at a time is slow, and at stride 1 no blocks can be moved, but rows of all examples can. With eight channels
 * a first layer is slower so (28 and 32 ms); along one axis there are no rows.
 */
const rowsMove = (x: Tensor, { kernel, stride }: Geometry): boolean =>
  stride === 1 &&
  channelsOf(x) <= 4 &&
  kernel[0]! > 1 &&
  product(kernel.slice(1)) <= MOST_SLICES &&
  kernel.length > 1;

/**
 * As `dense`, with patches tap by tap, [taps·C, cells]: what a tap sees is the picture, moved. Along the first axis of space, the
 * outermost here, that is a gather of whole rows; along the others, slices. Cells are ordered (first axis, example, other axes),
 * the weight's rows (other taps, channel, first tap). Gradients follow from the ops.
 */
function byRows(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry): Tensor {
  const [batch, channels, outputs] = [dimAt(x.shape, 0), channelsOf(x), dimAt(weight.shape, 1)];
  const [firstTaps = 1, ...otherTaps] = g.kernel;
  const [height = 1, ...widths] = g.coarse;
  const otherAxes = widths.map((_, i) => i + 2);
  const lastAxis = widths.length + 2;
  const picture = transpose(framed(x, g), [lastAxis, 1, 0, ...otherAxes]); // [C, first, B, …others]
  const moved = tuples(otherTaps).map((tap) =>
    tap.reduce((t, k, i) => slice(t, i + 3, k * g.dilation, k * g.dilation + widths[i]!), picture),
  );
  const images = moved.length * channels;
  const lines = reshape(concat(moved, 0), [images, dimAt(picture.shape, 1), multiply(batch, ...widths)]);
  const from = tuples([firstTaps, height]).map(([k, row]) => row! + k! * g.dilation);
  const seen = reshape(gatherKnown(lines, from), [images * firstTaps, multiply(batch, height, ...widths)]);
  const apart = reshape(weight, [firstTaps, moved.length, channels, outputs]);
  const arranged = reshape(transpose(apart, [1, 2, 0, 3]), weight.shape);
  const y = reshape(gemm(seen, arranged, bias, { transA: true }), [height, batch, ...widths, outputs]);
  return transpose(y, [1, 0, ...otherAxes, lastAxis]);
}

/** Channels in groups that do not see each other: one batched product. Gradients follow from the ops. */
function grouped(x: Tensor, weight: Tensor, bias: Tensor | undefined, g: Geometry, groups: number): Tensor {
  const cells = multiply(dimAt(x.shape, 0), product(g.coarse));
  const taps = product(g.kernel);
  const [inner, outputs] = [channelsOf(x) / groups, fixed(dimAt(weight.shape, 1), 'conv weight')];
  const at = reshape(gatherKnown(flat(x), patchIndices(g)), [cells, taps, groups, inner]);
  const left = reshape(transpose(at, [2, 0, 1, 3]), [groups, cells, taps * inner]);
  const right = transpose(reshape(weight, [taps * inner, groups, outputs / groups]), [1, 0, 2]);
  const y = reshape(transpose(matmul(left, right), [1, 0, 2]), [cells, outputs]);
  return withBias(y, bias);
}
