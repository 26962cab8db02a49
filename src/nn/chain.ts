/** The bodies of a chain of latent variables, each level a vector that is made from the one below (Burda et al. 2016, section 5.1). */
import type { Tensor } from '../graph/index.ts';
import { type ActivationName, activations } from './activation.ts';
import { dropout, linear } from './layers.ts';
import type { Scope } from './parameters.ts';

export interface Chain {
  readonly inference: 'bottom up';
  /** Levels of latent variables. */
  readonly depth: number;
  /** x [N, n] → [N, size], by hidden layers of `width`. */
  readonly body: (scope: Scope, x: Tensor, width: number, size: number) => Tensor;
}

export interface ChainOptions {
  readonly depth: number;
  /** Hidden layers between two levels. */
  readonly layers: number;
  readonly activation: ActivationName;
  /** Share of the activations of hidden layers that training leaves out. */
  readonly dropout?: number;
}

export const chain = ({ depth, layers, activation, dropout: rate }: ChainOptions): Chain => ({
  inference: 'bottom up',
  depth,
  body: (scope, x, width, size) => {
    const act = activations[activation];
    let h = x;
    for (let i = 0; i < layers; i++) h = dropout(scope.at(i), act(linear(scope.at(i), h, width)), rate);
    return linear(scope.at('out'), h, size);
  },
});
