/** What both JavaScript peers do alike: the protocol and the models are those of protocol.py. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export const KERNEL = 4; // of convolutions that halve a picture
export const LOG_2PI = Math.log(2 * Math.PI);
export const LEAST_LOG_VAR = -12;
export const LOG_VAR_SPEED = 10;

/** Packages come from the folder that the driver names. */
export const require = createRequire(join(process.env.ELBO_PEERS_JS, 'package.json'));

const size = (shape) => shape.reduce((a, b) => a * b, 1);

function bytes(folder, key) {
  const { buffer, byteOffset, byteLength } = readFileSync(join(folder, key));
  return buffer.slice(byteOffset, byteOffset + byteLength);
}

export const read = (folder, key) => new Float32Array(bytes(folder, key));

/** x, mask and noise of a check. */
export const examples = ({ masked }, folder) => ({
  x: read(folder, 'x'),
  mask: masked ? read(folder, 'mask') : undefined,
  noise: read(folder, 'noise'),
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

/** A function that draws the next batch into arrays that it reuses: x, mask, noise. */
export function batches({ pixels, shape, parts, masked, latent, batch, samples }, folder) {
  const width = size(shape);
  const data = pixels ? new Uint8Array(bytes(folder, 'pixels')) : read(folder, 'rows');
  const masks = masked ? read(folder, 'rows.mask') : undefined;
  const rows = permutations(data.length / width, batch);
  const x = new Float32Array(batch * width);
  const mask = masked ? new Float32Array(batch * parts.length) : undefined;
  const noise = new Float32Array(samples * batch * latent);
  const fill = pixels === 'binary' ? binarise : pixels === 'grey' ? scale : copy;
  return () => {
    const at = rows.next().value;
    fill(data, at, width, x);
    if (masked) copy(masks, at, parts.length, mask);
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

/** `open(command)` answers; `trainer(workload, folder)` gives `step()` and `check(folder, shapes)`. */
export async function serve(open, trainer) {
  let current; // one at a time
  const commands = {
    open,
    load: async ({ workload, folder }) => {
      current?.dispose();
      current = await trainer(workload, folder);
      return {};
    },
    check: ({ folder, shapes }) => current.check(folder, shapes),
    block: ({ warm, steps }) => timed(current.step, warm, steps),
  };
  for await (const line of createInterface({ input: process.stdin })) {
    const command = JSON.parse(line);
    try {
      console.log(JSON.stringify(await commands[command.do](command)));
    } catch (error) {
      console.log(JSON.stringify({ error: String(error) }));
    }
  }
  process.exit();
}
