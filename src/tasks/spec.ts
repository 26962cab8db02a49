/** From a schema's codec and a config to the model they describe. */
import { build, type TrainConfig } from '../config/index.ts';
import type { Codec } from '../data/index.ts';
import { createVae, type Law, type Part, type Vae } from '../vae/index.ts';

/** The choices that decide what a model is; the others decide how it is trained. */
export type ModelConfig = Pick<TrainConfig, 'network' | 'latent' | 'posterior' | 'prior' | 'likelihood'>;

export function vaeFor(codec: Codec, config: ModelConfig): Vae {
  const lawFor = laws(codec.shape, config);
  return createVae({
    shape: codec.shape,
    parts: codec.parts.map((part) => modelPart(part, codec.shape, lawFor(part))),
    masked: codec.masked,
    ...(codec.conditionSize > 0 && { condition: codec.conditionSize }),
    latent: config.latent,
    network: build('network', config.network),
    posterior: build('posterior', config.posterior),
    prior: build('prior', config.prior),
  });
}

type DataPart = Codec['parts'][number];

/** The law of each part: one value for all parts of one law. Pictures share one variance unless told otherwise. */
function laws(shape: readonly number[], { likelihood }: ModelConfig): (part: DataPart) => Law {
  const picture = shape.length === 3;
  const built = new Map<string, Law>();
  return (part) => {
    const usual = picture && part.likelihood === 'gaussian' ? 'gaussianShared' : part.likelihood;
    const asked = part.likelihood === 'categorical' ? undefined : likelihood;
    const chosen = asked ?? { kind: usual };
    const key = JSON.stringify(chosen);
    const law = built.get(key) ?? build('likelihood', chosen);
    built.set(key, law);
    return law;
  };
}

/** A picture's part is its channels: the features of the last axis. */
const modelPart = ({ field, start, size }: DataPart, shape: readonly number[], law: Law): Part => ({
  field,
  law,
  start,
  size: shape.length === 3 ? shape[2]! : size,
});
