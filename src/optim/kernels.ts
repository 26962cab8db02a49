/** The optimisers' inner loops: a SIMD WebAssembly module opened over the memory that holds parameters and gradients. */
import { WASM } from './kernels.wasm.ts';

/** Addresses are byte offsets into the memory, `n` counts floats in multiples of 16. Formulas in kernels.as. */
export interface Kernels {
  descend(p: number, g: number, n: number, rate: number): void;
  momentum(p: number, g: number, u: number, n: number, rate: number, mu: number, nesterov: number): void;
  adam(
    p: number,
    g: number,
    m: number,
    v: number,
    n: number,
    rate: number,
    c1: number,
    c2: number,
    epsilon: number,
  ): number;
  sumOfSquares(x: number, n: number): number;
  scale(x: number, n: number, factor: number): void;
  approach(y: number, x: number, n: number, weight: number): void;
}

/** The kernels over `memory`, an arena's. */
export function openKernels(memory: WebAssembly.Memory): Kernels {
  const bytes = Uint8Array.from(atob(WASM), (c) => c.charCodeAt(0));
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { env: { memory } });
  return instance.exports as unknown as Kernels;
}
