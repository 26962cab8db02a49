/** The graphs that a VAE is run as: one to train, one to evaluate, one to encode, one to decode, one to weigh samples. */
import {
  concat,
  dimAt,
  gradients,
  input,
  multiply,
  reshape,
  type Shape,
  split,
  type Tensor,
} from '../graph/index.ts';
import { likelihoods, type NoiseKind } from './likelihoods.ts';
import { type BlockLikelihood, featuresOf, observation, type Vae } from './model.ts';
import { expectedLogPx, type Knobs, type Objective, totalKl } from './objectives.ts';
import { logWeights, terms } from './terms.ts';

/** Named results of a graph. */
export type Outputs = Readonly<Record<string, Tensor>>;

const latentNoise = (vae: Vae, samples: number): Tensor => {
  const rows = input('noise', [multiply(samples, 'B'), vae.spec.latent]);
  return reshape(rows, [samples, 'B', vae.spec.latent]);
};

const knobs = (): Knobs => ({ scale: input('scale', []), beta: input('beta', []) });

/** The gradient of a parameter is the output named so. */
export const gradientName = (parameter: string): string => `gradient ${parameter}`;

/** x, mask, noise [K·B, Z], scale, beta → `loss`, `logPx`, `kl` (batch means) and a gradient for each parameter. */
export function trainingGraph(vae: Vae, objective: Objective, samples = 1): Outputs {
  const set = knobs();
  const t = terms(vae, observation(vae.spec), latentNoise(vae, samples));
  const loss = objective(t, set);
  const of = gradients(
    loss,
    vae.parameters.map((p) => p.tensor),
  );
  const each = vae.parameters.map((p, i) => [gradientName(p.name), of[i]!]);
  return { loss, logPx: expectedLogPx(t, set), kl: totalKl(t, set), ...Object.fromEntries(each) };
}

const first = (t: Tensor): Tensor => reshape(t, t.shape.slice(1));

/** x, mask, noise [B, Z] → for each example `logPx` [B], `kl` [B, d] and each field's share `logPx field` [B]. */
export function evaluationGraph(vae: Vae): Outputs {
  const t = terms(vae, observation(vae.spec), latentNoise(vae, 1));
  const fields = Object.entries(t.fields).map(([field, value]) => [`logPx ${field}`, first(value)]);
  return {
    logPx: first(t.logPx),
    kl: concat(
      t.levels.map(({ kl }) => first(kl)),
      -1,
    ),
    ...Object.fromEntries(fields),
  };
}

/** x, mask, noise [K·B, Z] → `logWeight` [K, B] = log p(x, z) − log q(z|x) of each sample. */
export function importanceGraph(vae: Vae, samples: number): Outputs {
  return { logWeight: logWeights(terms(vae, observation(vae.spec), latentNoise(vae, samples))) };
}

/** x, mask, noise [B, Z] → `mean`, `logVar` (where z is drawn) and `z`, all [B, Z]. */
export function encoderGraph(vae: Vae): Outputs {
  const { mean, logVar, sample } = vae.encode(observation(vae.spec));
  const z = first(sample(latentNoise(vae, 1)));
  return logVar ? { mean, logVar, z } : { mean, z };
}

/** noise [B, Z] → `z` [B, Z] drawn from the prior. */
export function priorGraph(vae: Vae): Outputs {
  return { z: vae.prior.sample(input('noise', ['B', vae.spec.latent])) };
}

const latentInput = (vae: Vae): Tensor =>
  reshape(input('z', ['B', vae.spec.latent]), [1, 'B', vae.spec.latent]);

/** z [B, Z] → the values of p(x|z), `field.parameter` each [B, …], and nothing drawn. */
export function decoderGraph(vae: Vae): Outputs {
  const values = vae.decode(latentInput(vae)).flatMap(({ parts, size, likelihood }) =>
    Object.entries(likelihood.values).flatMap(([name, value]) => {
      const whole = value.shape.length === 3 ? reshape(value, blockShape(vae, size)) : value;
      const each =
        dimAt(whole.shape, -1) === size
          ? split(
              whole,
              -1,
              parts.map((part) => part.size),
            )
          : [];
      return parts.map(({ field }, i) => [`${field}.${name}`, each[i] ?? whole] as const);
    }),
  );
  return Object.fromEntries(values);
}

/** z [B, Z] and `noise.x` [B, …shape] (each part's own law, see `noiseLaws`) → `sample` and `mean` of x, [B, …shape]. */
export function drawingGraph(vae: Vae): Outputs {
  const noise = input('noise.x', ['B', ...vae.spec.shape]);
  const blocks = vae.decode(latentInput(vae));
  const join = (value: (block: BlockLikelihood) => Tensor) =>
    concat(
      blocks.map((block) => reshape(value(block), blockShape(vae, block.size))),
      -1,
    );
  return {
    sample: join((block) => block.likelihood.sample(featuresOf(noise, block))),
    mean: join(({ likelihood }) => likelihood.mean),
  };
}

const blockShape = (vae: Vae, size: number): Shape => ['B', ...vae.spec.shape.slice(0, -1), size];

/** The law of the noise of each part, in order. */
export const noiseLaws = (vae: Vae): NoiseKind[] =>
  vae.spec.parts.map(({ likelihood }) => likelihoods[likelihood].noise);
