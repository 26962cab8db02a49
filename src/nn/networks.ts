/** Encoder and decoder bodies: multi-layer perceptrons and strided convolutions, with optional norms and residual blocks. */
import { UserError } from '../errors.ts';
import { add, concat, dimAt, fixed, flatten, reshape, slice, type Tensor } from '../graph/index.ts';
import { type ActivationName, activations } from './activation.ts';
import { constantly } from './initialise.ts';
import { conv, convTranspose, dropout, groupNorm, layerNorm, linear } from './layers.ts';
import type { Scope } from './parameters.ts';

/** A pair of bodies: data to features, latent values to what a likelihood needs. */
export interface Network {
  /** x [B, …shape], and beside it [B, C] where more is known of an example → features [B, H]. */
  readonly encode: (scope: Scope, x: Tensor, beside?: Tensor) => Tensor;
  /** z [B, Z] → [B, …outputs]. */
  readonly decode: (scope: Scope, z: Tensor, outputs: readonly number[]) => Tensor;
}

export interface MlpOptions {
  /** Widths of the hidden layers of the encoder; the decoder has them in reverse. */
  readonly hidden: readonly number[];
  readonly activation: ActivationName;
  readonly norm: boolean;
  /** Share of the activations of hidden layers that training leaves out. */
  readonly dropout?: number;
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** x [B, …] as [B, D], with what is known besides. */
const joined = (x: Tensor, beside?: Tensor): Tensor =>
  beside ? concat([flatten(x), beside], -1) : flatten(x);

function dense(
  scope: Scope,
  x: Tensor,
  widths: readonly number[],
  { activation, norm, dropout: rate }: MlpOptions,
): Tensor {
  return widths.reduce((h, width, i) => {
    const at = scope.at(i);
    const y = linear(at, h, width);
    return dropout(at, activations[activation](norm ? layerNorm(at.at('norm'), y) : y), rate);
  }, x);
}

/** The last layer of a decoder: linear. */
function output(scope: Scope, x: Tensor, outputs: readonly number[]): Tensor {
  return reshape(linear(scope, x, size(outputs)), [dimAt(x.shape, 0), ...outputs]);
}

export const mlp = (options: MlpOptions): Network => ({
  encode: (scope, x, beside) => dense(scope, joined(x, beside), options.hidden, options),
  decode: (scope, z, outputs) => {
    const h = dense(scope, z, options.hidden.toReversed(), options);
    return output(scope.at('output'), h, outputs);
  },
});

export interface ConvNetworkOptions {
  /** Channels after each halving of the picture. */
  readonly channels: readonly number[];
  /** Width of the dense layer between pictures and features. */
  readonly hidden: number;
  readonly activation: ActivationName;
  /** Group norm after every convolution. */
  readonly norm: boolean;
  /** Residual blocks after each halving, and before each doubling. */
  readonly blocks: number;
  /** Share of the activations of dense layers, and within residual blocks, that training leaves out. */
  readonly dropout?: number;
}

const KERNEL = 4;
const HALVING = { kernel: KERNEL, stride: 2, padding: 1 };

/** Sizes of one space axis before each halving, and after the last. */
export function halvings(n: number, times: number): number[] {
  const sizes = [n];
  for (let i = 0; i < times; i++) sizes.push(Math.floor(sizes.at(-1)! / 2));
  return sizes;
}

/** x + f(x) with two 3×3 convolutions, the second starting at zero (He et al. 2016; Zhang et al. 2019 for the zero). */
function residualBlock(
  scope: Scope,
  x: Tensor,
  { activation, norm, dropout: rate }: ConvNetworkOptions,
): Tensor {
  const channels = fixed(dimAt(x.shape, -1), scope.path);
  const act = activations[activation];
  const inner = norm ? groupNorm(scope.at('norm'), x) : x;
  const h = conv(scope.at('in'), act(inner), channels, { kernel: 3, padding: 1 });
  const kept = dropout(scope, act(h), rate);
  return add(x, conv(scope.at('out'), kept, channels, { kernel: 3, padding: 1, weight: constantly(0) }));
}

const residualBlocks = (scope: Scope, x: Tensor, options: ConvNetworkOptions): Tensor =>
  Array.from({ length: options.blocks }).reduce<Tensor>(
    (h, _, i) => residualBlock(scope.at('blocks').at(i), h, options),
    x,
  );

/** Strided convolutions down, transposed ones up (Radford et al. 2016, without their batch norm). */
export const convNetwork = (options: ConvNetworkOptions): Network => ({
  encode: (scope, x, beside) => {
    checkPicture(x.shape.slice(1).map(Number), options);
    const act = activations[options.activation];
    const normed = (at: Scope, y: Tensor) => (options.norm ? groupNorm(at.at('norm'), y) : y);
    const top = options.channels.reduce((h, channels, i) => {
      const at = scope.at(i);
      return residualBlocks(at, act(normed(at, conv(at, h, channels, HALVING))), options);
    }, x);
    const own = scope.at('dense');
    return dropout(own, act(linear(own, joined(top, beside), options.hidden)), options.dropout);
  },
  decode: (scope, z, outputs) => decodePicture(scope, z, outputs, options),
});

function checkPicture(shape: readonly number[], { channels }: ConvNetworkOptions): void {
  if (shape.length !== 3)
    throw new UserError('network "conv": it is for pictures, and these are rows; choose --network mlp');
  const [height, width] = shape as [number, number, number];
  if (halvings(Math.min(height, width), channels.length).at(-1)! < 1)
    throw new UserError(
      `channels: a picture of ${height} × ${width} cannot be halved ${channels.length} times; give fewer channels`,
    );
}

function decodePicture(
  scope: Scope,
  z: Tensor,
  outputs: readonly number[],
  options: ConvNetworkOptions,
): Tensor {
  const [height, width, last] = outputs as [number, number, number];
  const act = activations[options.activation];
  const steps = options.channels.length;
  const [rows, columns] = [halvings(height, steps), halvings(width, steps)];
  const top = [rows[steps]!, columns[steps]!, options.channels[steps - 1]!];
  const hidden = (own: Scope, x: Tensor, width: number) =>
    dropout(own, act(linear(own, x, width)), options.dropout);
  const features = hidden(scope.at('dense'), z, options.hidden);
  let h = reshape(hidden(scope.at('spread'), features, size(top)), [dimAt(z.shape, 0), ...top]);
  for (let i = steps - 1; i >= 0; i--) {
    const at = scope.at(i);
    h = residualBlocks(at, h, options);
    h = double(at, h, i === 0 ? last : options.channels[i - 1]!, rows[i]!, columns[i]!);
    if (i > 0) h = act(options.norm ? groupNorm(at.at('norm'), h) : h);
  }
  return h;
}

/** Doubles a picture to rows × columns, either of which may be odd. */
function double(at: Scope, x: Tensor, channels: number, rows: number, columns: number): Tensor {
  const extra = rows % 2 || columns % 2 ? 1 : 0;
  return slice(slice(convTranspose(at, x, channels, { ...HALVING, extra }), 1, 0, rows), 2, 0, columns);
}
