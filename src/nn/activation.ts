/** Activations by name. */
import { elu, gelu, leakyRelu, relu, silu, softplus, type Tensor, tanh } from '../graph/index.ts';

export const activations = {
  relu: (x: Tensor): Tensor => relu(x),
  leakyRelu: (x: Tensor): Tensor => leakyRelu(x),
  elu: (x: Tensor): Tensor => elu(x),
  silu: (x: Tensor): Tensor => silu(x),
  gelu: (x: Tensor): Tensor => gelu(x),
  softplus: (x: Tensor): Tensor => softplus(x),
  tanh: (x: Tensor): Tensor => tanh(x),
};

export type ActivationName = keyof typeof activations;
export const activationNames = Object.keys(activations) as [ActivationName, ...ActivationName[]];
