/** Mixtures of posteriors: the variational mixture of posteriors prior. */
import * as z from 'zod';
import { choice } from '../../choice.ts';
import {
  clip,
  concat,
  dimAt,
  gather,
  maximum,
  minimum,
  mul,
  reshape,
  sigmoid,
  softmax,
  softplus,
  split,
  stopGradient,
  sub,
  type Tensor,
  toInteger,
  unsqueeze,
} from '../../graph/index.ts';
import { constantly, noise, normally } from '../../nn/index.ts';
import { pairLogProbs } from '../gaussian-pairs.ts';
import type { Support } from '../likelihood.ts';
import type { Prior, PriorContext, PriorFamily } from '../prior.ts';
import { componentsOption, learnedRows, mixed } from './mixture.ts';

/** p(z) = 1/M Σₘ q(z|uₘ) with pseudo-inputs u [M, …shape] (Tomczak & Welling 2018). */
export function vampPrior(u: Tensor, encode: PriorContext['encode']): Prior {
  const count = Number(dimAt(u.shape, 0));
  const q = encode(u);
  const each = (rows: Tensor): Tensor =>
    q.logVar ? pairLogProbs(rows, q.mean, q.logVar) : q.logProb!(unsqueeze(rows, [1]));
  return {
    logProb: (z) => mixed(z, (rows) => sub(each(rows), Math.log(count))),
    draw: (name) => {
      const at = mul(noise(`${name}.component`, 'uniform', ['B']), count);
      const { z } = encode(gather(u, toInteger(minimum(at, count - 1)))).draw(1, name); // [1, B, Z]
      return reshape(z, z.shape.slice(1));
    },
  };
}

type Held = (t: Tensor) => Tensor;
const itself: Held = (t) => t;
const overFields: ReadonlySet<Support> = new Set(['class', 'order']);

/** From any number to data of each kind, smoothly. */
const SMOOTHLY: Readonly<Record<Support, Held>> = {
  binary: sigmoid,
  unit: sigmoid,
  real: itself,
  angle: itself,
  positive: softplus,
  count: softplus,
  class: (t) => softmax(t),
  order: (t) => softmax(t),
};

const withinUnit: Held = (t) => clip(t, 0, 1);
const notNegative: Held = (t) => maximum(t, 0);

/** The same by cutting, which leaves data as they are (hardtanh, as in the paper's experiments). */
const BY_CUTTING: Readonly<Record<Support, Held>> = {
  binary: withinUnit,
  unit: withinUnit,
  real: itself,
  angle: itself,
  positive: notNegative,
  count: notNegative,
  class: withinUnit,
  order: withinUnit,
};

/** u [M, …shape] with each field in its range. */
function heldBy(kinds: Readonly<Record<Support, Held>>, u: Tensor, parts: PriorContext['parts']): Tensor {
  const runs: { held: Held; size: number; support: Support }[] = [];
  for (const { law, size } of parts) {
    const { support } = law;
    const last = runs.at(-1);
    if (last?.held === kinds[support] && !overFields.has(support)) last.size += size;
    else runs.push({ held: kinds[support], size, support });
  }
  const pieces = split(
    u,
    -1,
    runs.map(({ size }) => size),
  );
  return concat(
    pieces.map((piece, i) => runs[i]!.held(piece)),
    -1,
  );
}

const pseudoInputs = (value: number) => componentsOption(value, 'pseudo-inputs');

export const vamps = {
  vampPrior: choice({
    doc: 'Mixture of the posteriors of learned pseudo-inputs (Tomczak & Welling 2018).',
    options: { components: pseudoInputs(100) },
    build: ({ components }): PriorFamily => ({
      space: 'real',
      ofPosteriors: true,
      build: (_, { scope, shape, parts, encode }) => {
        const raw = learnedRows(scope, 'pseudoInputs', [components, ...shape], normally);
        return vampPrior(heldBy(SMOOTHLY, raw, parts), encode);
      },
    }),
  }),
  vampData: choice({
    doc: 'The same with pseudo-inputs that start as training examples.',
    options: {
      components: pseudoInputs(100),
      fixed: z.boolean().default(false).describe('leave pseudo-inputs as they start'),
    },
    build: ({ components, fixed }): PriorFamily => ({
      space: 'real',
      ofPosteriors: true,
      build: (_, { scope, shape, parts, encode }) => {
        const raw = learnedRows(scope, 'pseudoInputs', [components, ...shape], constantly(0));
        const u = heldBy(BY_CUTTING, fixed ? stopGradient(raw) : raw, parts);
        return {
          ...vampPrior(u, encode),
          examples: { parameter: `${scope.path}.pseudoInputs`, count: components },
        };
      },
    }),
  }),
};
