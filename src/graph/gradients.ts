/** Reverse-mode differentiation: the backward pass as new nodes of the same graph. */
import { add } from './elementwise.ts';
import { columnSums } from './matmul.ts';
import { concat, expand, reshape } from './move.ts';
import { sum } from './reduce.ts';
import { fixed, isSingle, type Shape, sameShape } from './shape.ts';
import { scalar, type Tensor, topological } from './tensor.ts';

/**
 * dL/dp for each of `parameters`, for a scalar loss. Nodes on no path from the parameters are not visited, and
 * what no output needs is never written to ONNX.
 */
export function gradients(loss: Tensor, parameters: readonly Tensor[]): Tensor[] {
  if (loss.shape.length > 0)
    throw new Error(`gradients: the loss must be a scalar, given shape [${loss.shape}]`);
  const order = topological([loss], (t) => t.inputs);
  const needed = dependents(order, parameters);
  const contributions = new Map<Tensor, Tensor[]>([[loss, [scalar(1)]]]);
  const total = (x: Tensor): Tensor | undefined => {
    const given = contributions.get(x);
    return given && accumulate(given, x);
  };
  for (const y of order.reverse()) {
    if (!needed.has(y) || y.gradient === null || y.inputs.length === 0) continue;
    const dy = total(y);
    if (dy) backward(y, broadcastsBack(y, dy) ? dy : expand(dy, y.shape, y), needed, contributions);
  }
  return parameters.map((p) => expand(total(p) ?? scalar(0, p.shape.length), p.shape, p));
}

/** Whether the gradient of y takes a dy that only broadcasts to y. */
const broadcastsBack = (y: Tensor, dy: Tensor): boolean =>
  y.elementwise || (y.op === 'Reshape' && isSingle(dy.shape));

/** The tensors of `order` that depend on one of the parameters. */
function dependents(order: readonly Tensor[], parameters: readonly Tensor[]): Set<Tensor> {
  const found = new Set(parameters);
  for (const t of order) if (t.inputs.some((i) => found.has(i))) found.add(t);
  return found;
}

function backward(y: Tensor, dy: Tensor, needed: Set<Tensor>, contributions: Map<Tensor, Tensor[]>): void {
  if (!y.gradient)
    throw new Error(`no gradient for ${y.op} yet: add it where the op is defined in src/graph`);
  y.gradient(dy, y).forEach((dx, i) => {
    const x = y.inputs[i]!;
    if (!dx || !needed.has(x)) return;
    const full = broadcasts(x, y) ? y.shape : dx.shape;
    const reduced = sumTo(dx, full, x.shape, y);
    contributions.set(x, [...(contributions.get(x) ?? []), reduced]);
  });
}

/** Whether x broadcasts to y: of a reduction it does not, which is elementwise in dy alone. */
const broadcasts = ({ shape }: Tensor, y: Tensor): boolean => {
  const lead = y.shape.length - shape.length;
  return y.elementwise && lead >= 0 && shape.every((d, i) => d === 1 || d === y.shape[lead + i]);
};

/** Sums dx, a gradient that broadcasts to `full`, over the axes that `target` lacks or has as 1. */
function sumTo(dx: Tensor, full: Shape, target: Shape, like: Tensor): Tensor {
  const lead = full.length - target.length;
  const axes = [...full.keys()].filter((i) => full[i] !== 1 && (i < lead || target[i - lead] === 1));
  if (axes.length === 0) return lead > 0 ? reshape(dx, dx.shape.slice(lead)) : dx;
  const whole = axes.every((i) => dx.shape[i] === full[i]) ? dx : expand(dx, full, like);
  if (axes.length === 1 && axes[0] === 0 && whole.shape.length === 2) {
    return reshape(columnSums(whole), [1, whole.shape[1]!].slice(lead));
  }
  const summed = sum(whole, axes, { keepDims: true });
  return lead > 0 ? reshape(summed, summed.shape.slice(lead)) : summed;
}

/** The sum of all contributions to one tensor; slices that tile it are joined instead of padded and added. */
function accumulate(given: readonly Tensor[], x: Tensor): Tensor {
  return (given.length > 1 && joinSlices(given, x)) || given.reduce((a, b) => add(a, b));
}

interface Piece {
  readonly axis: number;
  readonly start: number;
  readonly tensor: Tensor;
}

function joinSlices(given: readonly Tensor[], x: Tensor): Tensor | undefined {
  const pieces = given.map((t) => unpadded(t, x)).filter((p) => p !== undefined);
  const axis = pieces[0]?.axis;
  if (axis === undefined || pieces.length < given.length || pieces.some((p) => p.axis !== axis))
    return undefined;
  const sorted = pieces.toSorted((a, b) => a.start - b.start);
  let end = 0;
  for (const { start, tensor } of sorted) {
    if (start !== end) return undefined;
    end += fixed(tensor.shape[axis], 'slice');
  }
  return end === x.shape[axis]
    ? concat(
        sorted.map((p) => p.tensor),
        axis,
      )
    : undefined;
}

/** What a zero padding along one axis was put around: the gradient of a slice. */
function unpadded(t: Tensor, x: Tensor): Piece | undefined {
  if (t.op !== 'Pad' || t.inputs.length !== 2 || !sameShape(t.shape, x.shape)) return undefined;
  const [tensor, pads] = t.inputs as [Tensor, Tensor];
  const rank = x.shape.length;
  const before = [...pads.data!].slice(0, rank).map(Number);
  const axis = x.shape.findIndex((d, i) => d !== tensor.shape[i]);
  return { axis, start: before[axis]!, tensor };
}
