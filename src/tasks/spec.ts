/** From a schema's codec and a config to the model they describe. */
import { build, type TrainConfig } from '../config/index.ts';
import type { Codec } from '../data/index.ts';
import { createVae, type LikelihoodName, type Part, type Vae } from '../vae/index.ts';

/** The choices that decide what a model is; the others decide how it is trained. */
export type ModelConfig = Pick<TrainConfig, 'network' | 'latent' | 'objective' | 'likelihood'>;

export function vaeFor(codec: Codec, config: ModelConfig): Vae {
  const { posterior } = build('objective', config.objective);
  return createVae({
    shape: codec.shape,
    parts: codec.parts.map((part) => modelPart(part, codec.shape, config)),
    masked: codec.masked,
    latent: config.latent,
    network: build('network', config.network),
    posterior,
    prior: 'normal',
  });
}

/** A picture's part is its channels: the features of the last axis. Pictures share one variance unless told otherwise. */
function modelPart(
  part: Codec['parts'][number],
  shape: readonly number[],
  { likelihood }: ModelConfig,
): Part {
  const picture = shape.length === 3;
  const size = picture ? shape[2]! : part.size;
  const usual: LikelihoodName =
    picture && part.likelihood === 'gaussian' ? 'gaussianShared' : part.likelihood;
  const asked = part.likelihood === 'categorical' ? undefined : likelihood;
  return { field: part.field, likelihood: asked ?? usual, start: part.start, size };
}
