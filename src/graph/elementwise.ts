/** Elementwise ops with their gradients. Binary ones broadcast as NumPy does; numbers are accepted as operands. */
import { broadcastShapes } from './shape.ts';
import {
  type Arg,
  type Attributes,
  describe,
  type Gradient,
  lift,
  node,
  type Tensor,
  withGradient,
} from './tensor.ts';

/** Reshapes are moved behind unary ops, so that an activation stays next to its matrix product and is fused with it. */
function unary(op: string, x: Arg, gradient: Gradient | null, attributes: Attributes = {}): Tensor {
  const t = lift(x);
  if (t.op === 'Reshape') {
    const [inner, shape] = t.inputs as [Tensor, Tensor];
    return { ...t, inputs: [unary(op, inner, gradient, attributes), shape] };
  }
  return node(op, [t], t.shape, gradient, { attributes, elementwise: true });
}

function binary(op: string, a: Arg, b: Arg, gradient: Gradient | null, dtype?: 'bool'): Tensor {
  const x = lift(a, b);
  const y = lift(b, a);
  const what = `${op} of ${describe(x)} and ${describe(y)}`;
  const shape = broadcastShapes(x.shape, y.shape, what);
  if (x.dtype !== y.dtype) throw new Error(`${what}: types ${x.dtype} and ${y.dtype} differ`);
  return node(op, [x, y], shape, gradient, { dtype: dtype ?? x.dtype, elementwise: true });
}

export const add = (a: Arg, b: Arg): Tensor => binary('Add', a, b, (dy) => [dy, dy]);
export const sub = (a: Arg, b: Arg): Tensor => binary('Sub', a, b, (dy) => [dy, neg(dy)]);
export const mul = (a: Arg, b: Arg): Tensor => binary('Mul', a, b, (dy) => [mul(dy, b), mul(dy, a)]);
export const div = (a: Arg, b: Arg): Tensor =>
  binary('Div', a, b, (dy, y) => [div(dy, b), neg(mul(dy, div(y, b)))]);
export const neg = (x: Arg): Tensor => unary('Neg', x, (dy) => [neg(dy)]);
/** Its gradient 2 dy · x doubles dy, which is often a single number, instead of adding dy · x to itself. */
export const square = (x: Tensor): Tensor => withGradient([x], mul(x, x), (dy) => [mul(mul(2, dy), x)], true);

export const exp = (x: Arg): Tensor => unary('Exp', x, (dy, y) => [mul(dy, y)]);
export const log = (x: Arg): Tensor => unary('Log', x, (dy, y) => [div(dy, y.inputs[0]!)]);
export const sqrt = (x: Arg): Tensor => unary('Sqrt', x, (dy, y) => [div(mul(0.5, dy), y)]);
export const abs = (x: Arg): Tensor => unary('Abs', x, (dy, y) => [mul(dy, sign(y.inputs[0]!))]);
export const sign = (x: Arg): Tensor => unary('Sign', x, null);
export const sin = (x: Arg): Tensor => unary('Sin', x, (dy, y) => [mul(dy, cos(y.inputs[0]!))]);
export const cos = (x: Arg): Tensor => unary('Cos', x, (dy, y) => [neg(mul(dy, sin(y.inputs[0]!)))]);
export const atan = (x: Arg): Tensor => unary('Atan', x, (dy, y) => [div(dy, add(1, square(y.inputs[0]!)))]);
export const tanh = (x: Arg): Tensor => unary('Tanh', x, (dy, y) => [mul(dy, sub(1, square(y)))]);
export const sigmoid = (x: Arg): Tensor => unary('Sigmoid', x, (dy, y) => [mul(dy, mul(y, sub(1, y)))]);
/** d erf(x) = 2/√π · exp(−x²) */
export const erf = (x: Arg): Tensor =>
  unary('Erf', x, (dy, y) => [mul(dy, mul(2 / Math.sqrt(Math.PI), exp(neg(square(y.inputs[0]!)))))]);

/** x^p. A tensor exponent needs x > 0 for its own gradient, yᵖ log x. */
export function pow(x: Tensor, p: Arg): Tensor {
  if (p === 0) return binary('Pow', x, p, null);
  if (typeof p === 'number') return binary('Pow', x, p, (dy) => [mul(dy, mul(p, pow(x, p - 1))), null]);
  return binary('Pow', x, p, (dy, y) => [mul(dy, mul(p, pow(x, sub(p, 1)))), mul(dy, mul(y, log(x)))]);
}

/** 1 where y > 0, else 0: HardSigmoid with a huge slope is the fastest such mask in ONNX Runtime. */
export const positive = (y: Tensor): Tensor =>
  unary('HardSigmoid', y, null, { alpha: { float: 3e38 }, beta: { float: 0 } });

export const relu = (x: Arg): Tensor => unary('Relu', x, (dy, y) => [mul(dy, positive(y))]);
/** x where x > 0, else slope · x (slope > 0). */
export const leakyRelu = (x: Arg, slope = 0.01): Tensor =>
  unary('LeakyRelu', x, (dy, y) => [mul(dy, add(mul(positive(y), 1 - slope), slope))], {
    alpha: { float: slope },
  });
/**
 * x where x > 0, else α(eˣ − 1) (Clevert et al. 2016, eq. 15). The gradient is given because that of the two
 * halves would be 0 at 0, where a layer without bias puts all that is blank.
 */
export function elu(x: Tensor, alpha = 1): Tensor {
  const above = relu(x);
  const e = exp(neg(relu(neg(x)))); // e^min(x, 0)
  const slope = alpha === 1 ? e : mul(e, add(mul(positive(above), 1 - alpha), alpha));
  return withGradient([x], add(above, mul(alpha, sub(e, 1))), (dy) => [mul(dy, slope)], true);
}
/** x · σ(x) (Hendrycks & Gimpel 2016; Ramachandran et al. 2017). */
export const silu = (x: Tensor): Tensor => mul(x, sigmoid(x));
/** x · Φ(x), exact (Hendrycks & Gimpel 2016). */
export const gelu = (x: Tensor): Tensor => mul(mul(0.5, x), add(1, erf(mul(x, Math.SQRT1_2))));

/**
 * log(1 + eˣ) = max(x, 0) − log max(σ(x), 1 − σ(x)): the argument of the log is in [½, 1], so nothing overflows, and
 * σ(x) is the gradient. Right to 6e-8 absolutely, but 0 below about −17 in float32: add a floor before taking its log.
 */
export function softplus(x: Tensor): Tensor {
  const p = sigmoid(x);
  return withGradient([x], sub(relu(x), log(maximum(p, sub(1, p)))), (dy) => [mul(dy, p)], true);
}
export const logSigmoid = (x: Tensor): Tensor => neg(softplus(neg(x)));

/** log(1 + x), exact for small x too: with u = fl(1 + x), log(u) · x / (u − 1) (Kahan; Higham 2002, problem 1.5). */
export function log1p(x: Tensor): Tensor {
  const u = add(1, x);
  const same = equal(u, 1);
  const quotient = div(x, where(same, 1, sub(u, 1)));
  return withGradient([x], where(same, x, mul(log(u), quotient)), (dy) => [div(dy, u)], true);
}

export const equal = (a: Arg, b: Arg): Tensor => binary('Equal', a, b, null, 'bool');
export const greater = (a: Arg, b: Arg): Tensor => binary('Greater', a, b, null, 'bool');
export const greaterOrEqual = (a: Arg, b: Arg): Tensor => binary('GreaterOrEqual', a, b, null, 'bool');
export const less = (a: Arg, b: Arg): Tensor => binary('Less', a, b, null, 'bool');
export const lessOrEqual = (a: Arg, b: Arg): Tensor => binary('LessOrEqual', a, b, null, 'bool');

/** bool or int64 → float32 (true is 1). No gradient passes. */
export const toFloat = (x: Tensor): Tensor =>
  node('Cast', [x], x.shape, null, { attributes: { to: 1 }, dtype: 'float32', elementwise: true });
/** float32 or bool → int64, cutting towards 0. No gradient passes. */
export const toInteger = (x: Tensor): Tensor =>
  node('Cast', [x], x.shape, null, { attributes: { to: 7 }, dtype: 'int64', elementwise: true });

/** a where the condition holds, else b. All three broadcast. */
export function where(condition: Tensor, a: Arg, b: Arg): Tensor {
  const x = lift(a, typeof b === 'number' ? condition : b);
  const y = lift(b, typeof a === 'number' ? condition : a);
  const what = `where of ${describe(condition)}, ${describe(x)} and ${describe(y)}`;
  const shape = broadcastShapes(broadcastShapes(condition.shape, x.shape, what), y.shape, what);
  return node(
    'Where',
    [condition, x, y],
    shape,
    (dy) => [null, where(condition, dy, 0), where(condition, 0, dy)],
    {
      elementwise: true,
      dtype: x.dtype,
    },
  );
}

/** The larger; where equal the gradient goes to a. */
export const maximum = (a: Arg, b: Arg): Tensor =>
  binary('Max', a, b, (dy) => [mul(dy, toFloat(greaterOrEqual(a, b))), mul(dy, toFloat(less(a, b)))]);
/** The smaller; where equal the gradient goes to a. */
export const minimum = (a: Arg, b: Arg): Tensor =>
  binary('Min', a, b, (dy) => [mul(dy, toFloat(lessOrEqual(a, b))), mul(dy, toFloat(greater(a, b)))]);

/** x held in [low, high]; no gradient where it is cut. */
export const clip = (x: Tensor, low: number, high: number): Tensor =>
  node('Clip', [x, lift(low), lift(high)], x.shape, (dy, y) => [mul(dy, toFloat(equal(x, y)))], {
    elementwise: true,
  });

/** The value of x, through which no gradient passes. */
export const stopGradient = (x: Tensor): Tensor => withGradient([x], x, null);
