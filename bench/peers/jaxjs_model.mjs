/** The models and the training step (gradients, Adam) compiled as one by jax-js, for Node and pages alike. */
import { batches, examples, floats, LEAST_LOG_VAR, LOG_2PI, LOG_VAR_SPEED, norm } from './steps.mjs';

let jit, nn, np, tree, valueAndGrad; // of the library

/** Columns of zeros up to a multiple of four, without which kernels have no SIMD. */
function padded(a) {
  const [rows, columns] = a.shape;
  return columns % 4 === 0 ? a : np.concatenate([a, np.zeros([rows, 4 - (columns % 4)])], 1);
}

const linear = (p, name, x) =>
  np.matmul(padded(x), padded(p[`${name}.weight`]).transpose()).add(p[`${name}.bias`]);

/**
 * Convolution of x [B, H, W, C] by weight [k, k, C, out], no padding, as a sum of matrix products: the kernels that
 * lax.convGeneralDilated and its gradients come to take 25 to 400 times as long.
 */
function convolve(x, weight) {
  const [k] = weight.shape;
  const [, height, width] = x.shape;
  const offsets = Array.from({ length: k * k }, (_, i) => [Math.floor(i / k), i % k]);
  const products = offsets.map(([i, j]) =>
    np.matmul(x.ref.slice([], [i, height - k + 1 + i], [j, width - k + 1 + j], []), weight.ref.slice(i, j)),
  );
  tree.dispose([x, weight]);
  return products.reduce((sum, product) => sum.add(product));
}

const border = (x) =>
  np.pad(x, [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ]);

/** 3×3 */
const conv = (p, name, x) =>
  convolve(border(x), p[`${name}.weight`].reshape([3, 3, x.shape[3], -1])).add(p[`${name}.bias`]);

/** 4×4, stride 2: as 2×2 over cells of 2×2 pixels. */
function halve(p, name, x) {
  const [batch, height, width, channels] = x.shape;
  const [rows, columns] = [height / 2 + 1, width / 2 + 1];
  const pixels = border(x).reshape([batch, rows, 2, columns, 2, channels]);
  const cells = pixels.transpose([0, 1, 3, 2, 4, 5]).reshape([batch, rows, columns, 4 * channels]);
  const weight = p[`${name}.weight`].reshape([2, 2, 2, 2, channels, -1]).transpose([0, 2, 1, 3, 4, 5]);
  return convolve(cells, weight.reshape([2, 2, 4 * channels, -1])).add(p[`${name}.bias`]);
}

/** 4×4 transposed, stride 2. */
function double(p, name, x) {
  const [batch, height, width, channels] = x.shape;
  const split = p[`${name}.weight`].reshape([2, 2, 2, 2, -1, channels]).transpose([0, 2, 5, 1, 3, 4]);
  const cells = convolve(border(x), np.flip(split.reshape([2, 2, channels, -1]), [0, 1]));
  const pixels = cells.reshape([batch, height + 1, width + 1, 2, 2, -1]).transpose([0, 1, 3, 2, 4, 5]);
  const all = pixels.reshape([batch, 2 * height + 2, 2 * width + 2, -1]);
  return all.slice([], [1, 2 * height + 1], [1, 2 * width + 1], []).add(p[`${name}.bias`]);
}

function groupNorm(p, name, x) {
  const [batch, height, width, channels] = x.shape;
  const g = x.reshape([batch, height * width, Math.max(1, channels >> 3), -1]);
  const centred = g.ref.sub(g.mean([1, 3], { keepdims: true }));
  const variance = np.square(centred.ref).mean([1, 3], { keepdims: true });
  const normal = centred.div(np.sqrt(variance.add(1e-5))).reshape([batch, height, width, channels]);
  return normal.mul(p[`${name}.scale`]).add(p[`${name}.shift`]);
}

function residualBlocks(p, name, x, { blocks, norm }) {
  for (let i = 0; i < blocks; i++) {
    const at = `${name}.blocks.${i}`;
    const inner = norm ? groupNorm(p, `${at}.norm`, x.ref) : x.ref;
    const h = conv(p, `${at}.in`, nn.relu(inner));
    x = x.add(conv(p, `${at}.out`, nn.relu(h)));
  }
  return x;
}

function encode(p, { network, batch }, x, mask) {
  let h = x;
  if (network.kind === 'mlp') {
    h = h.reshape([batch, -1]);
    if (mask) h = np.concatenate([h, mask], 1);
    network.hidden.forEach((_, i) => {
      h = nn.relu(linear(p, `encoder.${i}`, h));
    });
  } else {
    network.channels.forEach((_, i) => {
      h = halve(p, `encoder.${i}`, h);
      h = nn.relu(network.norm ? groupNorm(p, `encoder.${i}.norm`, h) : h);
      h = residualBlocks(p, `encoder.${i}`, h, network);
    });
    h = nn.relu(linear(p, 'encoder.dense', h.reshape([batch, -1])));
  }
  return np.split(linear(p, 'posterior', h), 2, 1);
}

function decode(p, { network, shape }, z) {
  if (network.kind === 'mlp') {
    network.hidden.forEach((_, i) => {
      z = nn.relu(linear(p, `decoder.${i}`, z));
    });
    return linear(p, 'decoder.output', z);
  }
  const side = shape[0] >> network.channels.length;
  const spread = nn.relu(linear(p, 'decoder.spread', nn.relu(linear(p, 'decoder.dense', z))));
  let h = spread.reshape([-1, side, side, network.channels.at(-1)]);
  for (let i = network.channels.length - 1; i >= 0; i--) {
    const at = `decoder.${i}`;
    h = double(p, at, residualBlocks(p, at, h, network));
    if (i > 0) h = nn.relu(network.norm ? groupNorm(p, `${at}.norm`, h) : h);
  }
  return h;
}

const learnedLogVar = (raw) => nn.softplus(raw.mul(LOG_VAR_SPEED).sub(LEAST_LOG_VAR)).add(LEAST_LOG_VAR);

const normalLogProb = (x, mean, logVar) =>
  np.square(x.sub(mean)).mul(np.exp(logVar.ref.neg())).add(logVar).add(LOG_2PI).mul(-0.5);

/** y [S·B, …] of S samples, x [B, …] → log p(x|z) [S, B] */
function logPx(p, { pixels, parts, samples, batch }, y, x, mask) {
  if (pixels) {
    y = y.reshape([samples, batch, -1]);
    x = x.reshape([batch, -1]);
    if (parts[0].likelihood === 'bernoulli') return x.mul(y.ref).sub(nn.softplus(y)).sum(2);
    return normalLogProb(x, y, learnedLogVar(p['likelihood.shared.logVar'])).sum(2);
  }
  const starts = parts.slice(1).map(({ start }) => start);
  const [xs, ys] = [np.split(x, starts, 1), np.split(y, starts, 1)];
  const each = parts.map(({ likelihood, field }, i) =>
    likelihood === 'categorical'
      ? xs[i].mul(nn.logSoftmax(ys[i])).sum(1)
      : normalLogProb(xs[i], ys[i], learnedLogVar(p[`likelihood.field.${field}.logVar`])).sum(1),
  );
  const all = np.stack(each, 1);
  return (mask ? all.mul(mask) : all).sum(1).reshape([samples, batch]);
}

/** −ELBO with the KL in closed form; with several samples, −IWAE (Burda et al. 2016). */
function negativeBound(p, workload, { x, mask, noise }) {
  const [mean, logVar] = encode(p, workload, x.ref, mask?.ref);
  const z = mean.ref.add(np.exp(logVar.ref.mul(0.5)).mul(noise));
  const y = decode(p, workload, z.ref.reshape([-1, workload.latent]));
  const reconstruction = logPx(p, workload, y, x, mask);
  if (workload.samples === 1) {
    z.dispose();
    const kl = np.square(mean).add(np.exp(logVar.ref)).sub(logVar).sub(1).sum(1).mul(0.5);
    return kl.sub(reconstruction.reshape([-1])).mean();
  }
  const logPz = np.square(z.ref).add(LOG_2PI).mul(-0.5).sum(2);
  const logQz = normalLogProb(z, mean, logVar).sum(2);
  const bound = nn.logsumexp(reconstruction.add(logPz).sub(logQz), 0);
  return bound.sub(Math.log(workload.samples)).mean().neg();
}

/** Dense weights are [out, in] here, which saves transposing their gradients. */
async function parameter({ network }, read, name, shape) {
  const array = np.array(await floats(read, name), { shape });
  const convolution = network.kind === 'conv' && /^\w+\.\d/.test(name);
  return shape.length === 2 && !convolution ? array.transpose() : array;
}

/** Kingma & Ba 2015, algorithm 1; `rate` and `scale` correct the bias of m and v. */
function adam(p, g, m, v, rate, scale) {
  m = tree.map((a, b) => a.mul(0.9).add(b.mul(0.1)), m, tree.ref(g));
  v = tree.map((a, b) => a.mul(0.999).add(np.square(b).mul(0.001)), v, g);
  const move = (p, m, v) => p.sub(m.mul(rate.ref).div(np.sqrt(v.mul(scale.ref)).add(1e-8)));
  p = tree.map(move, p, tree.ref(m), tree.ref(v));
  tree.dispose([rate, scale]);
  return [p, m, v];
}

function arrays({ shape, parts, latent, batch, samples }, { x, mask, noise }) {
  return {
    x: np.array(x, { shape: [batch, ...shape] }),
    ...(mask && { mask: np.array(mask, { shape: [batch, parts.length] }) }),
    noise: np.array(noise, { shape: [samples, batch, latent] }),
  };
}

async function trainer(workload, read) {
  const next = await batches(workload, read);
  const gradients = valueAndGrad((p, batch) => negativeBound(p, workload, batch));
  const compiled = jit(gradients);
  const train = jit(([p, m, v], batch, rate, scale) => {
    const [loss, g] = gradients(tree.ref(p), batch);
    return [adam(p, g, m, v, rate, scale), loss];
  });
  let state, steps;
  const dispose = () => tree.dispose(state);
  return {
    dispose,
    async check(shapes) {
      dispose();
      const load = async ([name, shape]) => [name, await parameter(workload, read, name, shape)];
      const p = Object.fromEntries(await Promise.all(Object.entries(shapes).map(load)));
      const zeros = () => tree.map((a) => np.zeros(a.shape), p);
      state = [p, zeros(), zeros()];
      steps = 0;
      const [loss, g] = compiled(tree.ref(p), arrays(workload, await examples(workload, read)));
      const values = await Promise.all(tree.leaves(g).map((a) => a.data()));
      return { loss: (await loss.data())[0], norm: norm(values) };
    },
    async step() {
      steps++;
      const [rate, scale] = [1e-3 / (1 - 0.9 ** steps), 1 / (1 - 0.999 ** steps)];
      let loss;
      [state, loss] = train(state, arrays(workload, next()), rate, scale);
      return (await loss.data())[0];
    },
  };
}

export function trainerWith(library) {
  ({ jit, nn, numpy: np, tree, valueAndGrad } = library);
  return trainer;
}
