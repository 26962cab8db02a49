/** The models and the training step in TensorFlow.js, for Node and pages alike. */
import { batches, examples, floats, KERNEL, LEAST_LOG_VAR, LOG_2PI, LOG_VAR_SPEED, norm } from './steps.mjs';

let tf; // the library

const product = (x, w, b) => tf.fused.matMul({ a: x, b: w, bias: b });
const weightGradients = (dy, x) => [
  tf.matMul(tf.transpose(x), dy),
  tf.reshape(tf.matMul(tf.ones([1, dy.shape[0]]), dy), [-1]),
];

/** x·w + b. Written with its gradients because those of tf.matMul ask for transposed products, ten times slower here. */
const affine = (x, w, b) =>
  tf.customGrad((x, w, b, save) => {
    save([x, w]);
    return {
      value: product(x, w, b),
      gradFunc: (dy, [x, w]) => [tf.matMul(dy, tf.transpose(w)), ...weightGradients(dy, x)],
    };
  })(x, w, b);

const affineOfData = (x, w, b) =>
  tf.customGrad((w, b, save) => {
    save([x]);
    return { value: product(x, w, b), gradFunc: (dy, [x]) => weightGradients(dy, x) };
  })(w, b);

const linear = (p, name, x, apply = affine) => apply(x, p[`${name}.weight`], p[`${name}.bias`]);

function conv(p, name, x, kernel, stride) {
  const weight = tf.reshape(p[`${name}.weight`], [kernel, kernel, x.shape[3], -1]);
  return tf.add(tf.conv2d(x, weight, stride, 1), p[`${name}.bias`]);
}

function convTranspose(p, name, x) {
  const [batch, height, width, channels] = x.shape;
  const weight = tf.reshape(p[`${name}.weight`], [KERNEL, KERNEL, -1, channels]);
  const shape = [batch, 2 * height, 2 * width, weight.shape[2]];
  return tf.add(tf.conv2dTranspose(x, weight, shape, 2, 'same'), p[`${name}.bias`]);
}

function groupNorm(p, name, x) {
  const [batch, height, width, channels] = x.shape;
  const g = tf.reshape(x, [batch, height * width, Math.max(1, channels >> 3), -1]);
  const { mean, variance } = tf.moments(g, [1, 3], true);
  const normal = tf.mul(tf.sub(g, mean), tf.rsqrt(tf.add(variance, 1e-5)));
  return tf.add(tf.mul(tf.reshape(normal, x.shape), p[`${name}.scale`]), p[`${name}.shift`]);
}

function residualBlocks(p, name, x, { blocks, norm }) {
  for (let i = 0; i < blocks; i++) {
    const at = `${name}.blocks.${i}`;
    const inner = norm ? groupNorm(p, `${at}.norm`, x) : x;
    const h = conv(p, `${at}.in`, tf.relu(inner), 3, 1);
    x = tf.add(x, conv(p, `${at}.out`, tf.relu(h), 3, 1));
  }
  return x;
}

function encode(p, { network, batch }, x, mask) {
  let h = x;
  if (network.kind === 'mlp') {
    h = tf.reshape(h, [batch, -1]);
    if (mask) h = tf.concat([h, mask], 1);
    network.hidden.forEach((_, i) => {
      h = tf.relu(linear(p, `encoder.${i}`, h, i === 0 ? affineOfData : affine));
    });
  } else {
    network.channels.forEach((_, i) => {
      h = conv(p, `encoder.${i}`, h, KERNEL, 2);
      h = tf.relu(network.norm ? groupNorm(p, `encoder.${i}.norm`, h) : h);
      h = residualBlocks(p, `encoder.${i}`, h, network);
    });
    h = tf.relu(linear(p, 'encoder.dense', tf.reshape(h, [batch, -1])));
  }
  return tf.split(linear(p, 'posterior', h), 2, 1);
}

function decode(p, { network, shape }, z) {
  if (network.kind === 'mlp') {
    network.hidden.forEach((_, i) => {
      z = tf.relu(linear(p, `decoder.${i}`, z));
    });
    return linear(p, 'decoder.output', z);
  }
  const side = shape[0] >> network.channels.length;
  const spread = tf.relu(linear(p, 'decoder.spread', tf.relu(linear(p, 'decoder.dense', z))));
  let h = tf.reshape(spread, [-1, side, side, network.channels.at(-1)]);
  for (let i = network.channels.length - 1; i >= 0; i--) {
    const at = `decoder.${i}`;
    h = convTranspose(p, at, residualBlocks(p, at, h, network));
    if (i > 0) h = tf.relu(network.norm ? groupNorm(p, `${at}.norm`, h) : h);
  }
  return h;
}

const learnedLogVar = (raw) =>
  tf.add(tf.softplus(tf.sub(tf.mul(raw, LOG_VAR_SPEED), LEAST_LOG_VAR)), LEAST_LOG_VAR);

const normalLogProb = (x, mean, logVar) =>
  tf.mul(tf.add(tf.add(tf.mul(tf.square(tf.sub(x, mean)), tf.exp(tf.neg(logVar))), logVar), LOG_2PI), -0.5);

/** Σ x·y − softplus(y) over pixels, with its gradient; tf.softplus would take twice as long as these kernels. */
const bernoulliLogProb = (x, y) =>
  tf.customGrad((y, save) => {
    save([x, y]);
    const softplus = tf.sub(tf.relu(y), tf.log(tf.sigmoid(tf.abs(y))));
    const gradFunc = (dy, [x, y]) => tf.mul(tf.sub(x, tf.sigmoid(y)), tf.expandDims(dy, 2));
    return { value: tf.sum(tf.sub(tf.mul(x, y), softplus), 2), gradFunc };
  })(y);

/** y [S·B, …] of S samples, x [B, …] → log p(x|z) [S, B] */
function logPx(p, { pixels, parts, samples, batch }, y, x, mask) {
  if (pixels) {
    y = tf.reshape(y, [samples, batch, -1]);
    x = tf.reshape(x, [1, batch, -1]);
    if (parts[0].likelihood === 'bernoulli') return bernoulliLogProb(x, y);
    return tf.sum(normalLogProb(x, y, learnedLogVar(p['likelihood.shared.logVar'])), 2);
  }
  const sizes = parts.map((part) => part.size);
  const [xs, ys] = [tf.split(x, sizes, 1), tf.split(y, sizes, 1)];
  const each = parts.map(({ likelihood, field }, i) =>
    likelihood === 'categorical'
      ? tf.sum(tf.mul(xs[i], tf.logSoftmax(ys[i])), 1)
      : tf.sum(normalLogProb(xs[i], ys[i], learnedLogVar(p[`likelihood.field.${field}.logVar`])), 1),
  );
  const all = tf.stack(each, 1);
  return tf.reshape(tf.sum(mask ? tf.mul(all, mask) : all, 1), [samples, batch]);
}

/** −ELBO with the KL in closed form; with several samples, −IWAE (Burda et al. 2016). */
function negativeBound(p, workload, { x, mask, noise }) {
  const [mean, logVar] = encode(p, workload, x, mask);
  const z = tf.add(mean, tf.mul(tf.exp(tf.mul(logVar, 0.5)), noise));
  const reconstruction = logPx(
    p,
    workload,
    decode(p, workload, tf.reshape(z, [-1, workload.latent])),
    x,
    mask,
  );
  if (workload.samples === 1) {
    const terms = tf.sub(tf.sub(tf.add(tf.square(mean), tf.exp(logVar)), logVar), 1);
    return tf.mean(tf.sub(tf.mul(tf.sum(terms, 1), 0.5), tf.reshape(reconstruction, [-1])));
  }
  const logPz = tf.sum(normalLogProb(z, 0, 0), 2);
  const logQz = tf.sum(normalLogProb(z, mean, logVar), 2);
  const bound = tf.logSumExp(tf.sub(tf.add(reconstruction, logPz), logQz), 0);
  return tf.neg(tf.mean(tf.sub(bound, Math.log(workload.samples))));
}

function tensors({ shape, parts, latent, batch, samples }, { x, mask, noise }) {
  return {
    x: tf.tensor(x, [batch, ...shape]),
    mask: mask && tf.tensor(mask, [batch, parts.length]),
    noise: tf.tensor(noise, [samples, batch, latent]),
  };
}

async function trainer(workload, read) {
  const next = await batches(workload, read);
  let p, optimizer;
  const loss = (arrays) => () => negativeBound(p, workload, tensors(workload, arrays));
  return {
    async check(shapes) {
      tf.disposeVariables();
      const variable = async ([name, shape]) => [
        name,
        tf.variable(tf.tensor(await floats(read, name), shape)),
      ];
      p = Object.fromEntries(await Promise.all(Object.entries(shapes).map(variable)));
      optimizer = tf.train.adam(1e-3, 0.9, 0.999, 1e-8);
      const given = await examples(workload, read);
      return tf.tidy(() => {
        const { value, grads } = tf.variableGrads(loss(given));
        return { loss: value.dataSync()[0], norm: norm(Object.values(grads).map((g) => g.dataSync())) };
      });
    },
    step: () => tf.tidy(() => optimizer.minimize(loss(next()), true).dataSync()[0]),
    dispose: () => tf.disposeVariables(),
  };
}

export function trainerWith(library) {
  tf = library;
  return trainer;
}
