/** Initial values of parameters, each with its source. */
import type { Stream } from '../random/index.ts';

/** Fills `out` with initial values. */
export type Initialiser = (out: Float32Array, random: Stream) => void;

export const constantly =
  (value: number): Initialiser =>
  (out) => {
    out.fill(value);
  };

/** N(0, 1), for what is to differ from the start: components, pseudo-examples. */
export const normally: Initialiser = (out, random) => random.normal(out);

const uniformWithin =
  (bound: number): Initialiser =>
  (out, random) => {
    random.uniform(out);
    for (let i = 0; i < out.length; i++) out[i] = (2 * out[i]! - 1) * bound;
  };

/** U(±√(6 / fan in)): variance 2 / fan in, for ReLU-like activations (He et al. 2015, eq. 10). */
export const heUniform = (fanIn: number): Initialiser => uniformWithin(Math.sqrt(6 / fanIn));

/** U(±√(6 / (fan in + fan out))), for tanh-like activations and linear outputs (Glorot & Bengio 2010, eq. 16). */
export const glorotUniform = (fanIn: number, fanOut: number): Initialiser =>
  uniformWithin(Math.sqrt(6 / (fanIn + fanOut)));

/** U(±1/√(fan in)): variance 1 / (3 fan in) (LeCun et al. 1998, section 4.6, with a uniform law a third as wide). */
export const leCunUniform = (fanIn: number): Initialiser => uniformWithin(1 / Math.sqrt(fanIn));
