/** Parameters are declared by the layers that use them: a flat, ordered list of named inputs of the graph. */
import { input, type Tensor } from '../graph/index.ts';
import { stream } from '../random/index.ts';
import type { Initialiser } from './initialise.ts';

export interface Parameter {
  /** Dotted path: `encoder.0.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly tensor: Tensor;
  readonly initialise: Initialiser;
  /** Whether weight decay applies: to matrices, not to biases, norms or scales. */
  readonly decay: boolean;
}

/** A place in the tree of names at which a layer declares its parameters. */
export interface Scope {
  readonly path: string;
  /** Whether what is built here is to be trained: `dropout` then drops. */
  readonly training: boolean;
  readonly at: (name: string | number) => Scope;
  /** Declares a parameter, or gives the one declared before under this name (shared weights). */
  readonly parameter: (name: string, shape: readonly number[], initialise: Initialiser) => Tensor;
}

export interface Parameters {
  readonly root: Scope;
  /** The same names and parameters, for what is to be trained. */
  readonly training: Scope;
  readonly all: () => readonly Parameter[];
}

export function parameters(): Parameters {
  const declared = new Map<string, Parameter>();
  const scope = (path: string, training: boolean): Scope => ({
    path,
    training,
    at: (name) => scope(path ? `${path}.${name}` : String(name), training),
    parameter: (name, shape, initialise) => {
      const full = path ? `${path}.${name}` : name;
      const known = declared.get(full);
      if (known && known.shape.join() !== shape.join()) {
        throw new Error(`${full}: declared as [${known.shape}] and again as [${shape}]`);
      }
      if (known) return known.tensor;
      const tensor = input(full, shape);
      declared.set(full, { name: full, shape, tensor, initialise, decay: shape.length > 1 });
      return tensor;
    },
  });
  return { root: scope('', false), training: scope('', true), all: () => [...declared.values()] };
}

/** Fills one parameter with its initial values; each has a random stream of its own, whatever the order. */
export function initialise(parameter: Parameter, out: Float32Array, seed: number): void {
  parameter.initialise(out, stream(seed, `initialise ${parameter.name}`));
}
