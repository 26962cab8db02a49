/** The models of the benchmarks. */
import { convNetwork, mlp } from '../src/nn/index.ts';
import { createVae, type Vae } from '../src/vae/index.ts';

const networks = {
  /** 784-400-20 (Kingma & Welling 2014 with ReLU). */
  mlp: { latent: 20, network: mlp({ hidden: [400], activation: 'relu', norm: false }) },
  /** 1-32-64 by k4 s2 p1, dense 3136-256-32, and back: the product's default for pictures of this size. */
  conv: {
    latent: 32,
    network: convNetwork({ channels: [32, 64], hidden: 256, activation: 'relu', norm: false, blocks: 0 }),
  },
};

export type ModelName = keyof typeof networks;
export const modelNames = Object.keys(networks) as ModelName[];

export const vaeNamed = (name: ModelName): Vae =>
  createVae({
    ...networks[name],
    shape: [28, 28, 1],
    parts: [{ field: 'image', likelihood: 'bernoulli', start: 0, size: 1 }],
    masked: false,
    posterior: 'gaussian',
    prior: 'normal',
  });
