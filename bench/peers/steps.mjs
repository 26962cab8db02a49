/** What JavaScript peers do alike, in Node and in a page: the data of a step, its timing, the commands of protocol.py. */
export const KERNEL = 4; // of convolutions that halve a picture
export const LOG_2PI = Math.log(2 * Math.PI);
export const LEAST_LOG_VAR = -12;
export const LOG_VAR_SPEED = 10;

const size = (shape) => shape.reduce((a, b) => a * b, 1);

/** A file's numbers; `read(key)` promises its bytes. */
export const floats = async (read, key) => new Float32Array(await read(key));

/** x, mask and noise of a check. */
export const examples = async ({ masked }, read) => ({
  x: await floats(read, 'x'),
  mask: masked ? await floats(read, 'mask') : undefined,
  noise: await floats(read, 'noise'),
});

export const norm = (gradients) =>
  Math.sqrt(gradients.reduce((total, g) => g.reduce((sum, v) => sum + v * v, total), 0));

const state = new Int32Array([1]);

/** Uniform in [0, 1): xorshift32 (Marsaglia 2003), faster than Math.random. */
function uniform() {
  let s = state[0];
  s ^= s << 13;
  s ^= s >>> 17;
  s ^= s << 5;
  state[0] = s;
  return (s >>> 0) / 2 ** 32;
}

/** Normal values by Marsaglia's polar method. */
function fillNormal(out) {
  for (let i = 0; i < out.length; i += 2) {
    let u, v, s;
    do {
      u = 2 * uniform() - 1;
      v = 2 * uniform() - 1;
      s = u * u + v * v;
    } while (s >= 1 || s === 0);
    const scale = Math.sqrt((-2 * Math.log(s)) / s);
    out[i] = u * scale;
    out[i + 1] = v * scale;
  }
}

/** Row numbers of full batches, in a new order each epoch. */
function* permutations(rows, batch) {
  const order = Int32Array.from({ length: rows }, (_, i) => i);
  while (true) {
    for (let i = rows - 1; i > 0; i--) {
      const j = Math.floor(uniform() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    for (let at = 0; at + batch <= rows; at += batch) yield order.subarray(at, at + batch);
  }
}

/** A function that fills x and mask with the next batch. */
export async function filler({ pixels, shape, parts, masked, batch }, read) {
  const width = size(shape);
  const data = pixels ? new Uint8Array(await read('pixels')) : await floats(read, 'rows');
  const masks = masked ? await floats(read, 'rows.mask') : undefined;
  const rows = permutations(data.length / width, batch);
  const fill = pixels === 'binary' ? binarise : pixels === 'grey' ? scale : copy;
  return (x, mask) => {
    const at = rows.next().value;
    fill(data, at, width, x);
    if (masked) copy(masks, at, parts.length, mask);
  };
}

/** A function that draws the next batch into arrays that it reuses: x, mask, noise. */
export async function batches(workload, read) {
  const { shape, parts, masked, latent, batch, samples } = workload;
  const fill = await filler(workload, read);
  const x = new Float32Array(batch * size(shape));
  const mask = masked ? new Float32Array(batch * parts.length) : undefined;
  const noise = new Float32Array(samples * batch * latent);
  return () => {
    fill(x, mask);
    fillNormal(noise);
    return { x, mask, noise };
  };
}

function binarise(data, rows, width, out) {
  for (let i = 0, to = 0; i < rows.length; i++) {
    for (let from = rows[i] * width, end = from + width; from < end; from++) {
      out[to++] = uniform() * 255 < data[from] ? 1 : 0;
    }
  }
}

function scale(data, rows, width, out) {
  for (let i = 0, to = 0; i < rows.length; i++) {
    for (let from = rows[i] * width, end = from + width; from < end; from++) out[to++] = data[from] / 255;
  }
}

function copy(data, rows, width, out) {
  for (let i = 0; i < rows.length; i++) {
    out.set(data.subarray(rows[i] * width, (rows[i] + 1) * width), i * width);
  }
}

async function timed(step, warm, steps) {
  const ms = [];
  for (let i = 0; i < warm + steps; i++) {
    const started = performance.now();
    await step();
    ms.push(performance.now() - started);
  }
  return { ms: ms.slice(warm) };
}

/**
 * Answers commands, where one fails by its error. `open(command)` gives versions; `trainer(workload, read)` gives `step()`,
 * `check(shapes)` and `dispose()`; `readerOf(folder)` gives `read`.
 */
export function answering(open, trainer, readerOf) {
  let current; // one at a time
  const commands = {
    open,
    load: async ({ workload, folder }) => {
      current?.dispose();
      current = await trainer(workload, readerOf(folder));
      return {};
    },
    check: ({ shapes }) => current.check(shapes),
    block: ({ warm, steps }) => timed(current.step, warm, steps),
  };
  return async (command) => {
    try {
      return await commands[command.do](command);
    } catch (error) {
      return { error: String(error) };
    }
  };
}
