/** From a schema's codec and a config to the model they describe. */
import { build, namedPieces, parseChoice, type TrainConfig, USUAL_PREDICT_WEIGHT } from '../config/index.ts';
import { asChoice, type Codec, type ConditionPart } from '../data/index.ts';
import { UserError } from '../errors.ts';
import {
  createVae,
  type Law,
  type Modality,
  type ModelSpec,
  type Part,
  type Support,
  type Vae,
} from '../vae/index.ts';

/** The choices that decide what a model is; the others decide how it is trained. */
export type ModelConfig = Pick<
  TrainConfig,
  'network' | 'latent' | 'posterior' | 'prior' | 'likelihood' | 'modality' | 'predictWeight'
>;

export function vaeFor(codec: Codec, config: ModelConfig): Vae {
  const lawFor = laws(codec, config);
  return createVae({
    shape: codec.shape,
    parts: codec.parts.map((part) => modelPart(part, codec.shape, lawFor(part))),
    masked: codec.masked,
    ...(codec.conditionSize > 0 && { condition: codec.conditionSize }),
    ...labelOf(codec, config),
    ...(config.modality && { modalities: groupsOf(codec, config.modality) }),
    latent: config.latent,
    network: build('network', config.network),
    posterior: build('posterior', config.posterior),
    prior: build('prior', config.prior),
  });
}

/** The groups that `--modality` names; the fields that it does not are one more. */
export function groupsOf({ parts }: Codec, named: readonly string[]): Modality[] {
  const names = parts.map(({ field }) => field);
  const groups = [...namedPieces(named, '--modality', 'left=a,b,right=c')];
  const taken = new Set<string>();
  for (const field of groups.flatMap(([, fields]) => fields)) {
    if (!names.includes(field))
      throw new UserError(
        `--modality: no field that is modelled is called "${field}"; there are ${names.map((name) => `"${name}"`).join(', ')}`,
      );
    if (taken.has(field)) throw new UserError(`--modality: "${field}" is in two groups`);
    taken.add(field);
  }
  const others = names.filter((name) => !taken.has(name));
  if (others.length > 0 && groups.some(([name]) => name === OTHERS))
    throw new UserError(`--modality ${OTHERS}: is the name of the group of all columns that are in no other`);
  const all = others.length > 0 ? [...groups, [OTHERS, others] as const] : groups;
  return all.map(([name, fields]) => ({ name, fields }));
}

const OTHERS = 'others';

function labelOf(codec: Codec, { predictWeight }: ModelConfig): Pick<ModelSpec, 'label'> {
  const found = labelPart(codec);
  if (!found) return {};
  const { start, size, label } = found;
  return { label: { start, size, ...label, weight: predictWeight ?? USUAL_PREDICT_WEIGHT } };
}

/** The given field that is predicted. */
export const labelPart = ({ conditions }: Codec) =>
  conditions.find((part): part is ConditionPart & Required<Pick<ConditionPart, 'label'>> => 'label' in part);

type DataPart = Codec['parts'][number];

/** What laws there may be on features of each set: grey pixels can be taken as numbers or as chances of a white one. */
const TAKES: Readonly<Record<Support, readonly Support[]>> = {
  binary: ['binary', 'unit', 'real'],
  unit: ['unit', 'binary', 'real'],
  real: ['real'],
  positive: ['positive'],
  count: ['count'],
  class: ['class'],
  order: ['order'],
  angle: ['angle'],
};

/**
 * The law of each part: that which was asked for where it fits, else the part's own; one value for all parts of one law.
 * Pictures share one variance unless told otherwise.
 */
function laws({ shape, parts }: Codec, { likelihood }: ModelConfig): (part: DataPart) => Law {
  const picture = shape.length === 3;
  const built = new Map<string, Law>();
  const lawOf = (chosen: { readonly kind: string }): Law => {
    const key = JSON.stringify(chosen);
    const law = built.get(key) ?? build('likelihood', parseChoice('likelihood', chosen));
    built.set(key, law);
    return law;
  };
  if (likelihood && lawOf(likelihood).pictures) {
    const refused = `likelihood "${likelihood.kind}" is for pictures of zeros and ones, and the data has`;
    if (!picture) throw new UserError(`${refused} rows`);
    if (parts[0]!.support !== 'binary')
      throw new UserError(`${refused} greys: give --binarize dynamic or static`);
  }
  const fits = (part: DataPart) =>
    likelihood !== undefined && TAKES[part.support].includes(lawOf(likelihood).support);
  if (likelihood && !parts.some(fits)) {
    const found = [...new Set(parts.map(({ support }) => SETS[support]))].join(', ');
    throw new UserError(
      `likelihood "${likelihood.kind}" is for ${SETS[lawOf(likelihood).support]}, and the data has ${found}`,
    );
  }
  return (part) => {
    const own = asChoice(part.likelihood);
    const usual = picture && own.kind === 'gaussian' ? { kind: 'gaussianShared' } : own;
    return lawOf(likelihood && fits(part) ? likelihood : usual);
  };
}

const SETS: Readonly<Record<Support, string>> = {
  binary: 'zeros and ones',
  unit: 'values from 0 to 1',
  real: 'numbers',
  positive: 'numbers above 0',
  count: 'counts',
  class: 'categories',
  order: 'ordered categories',
  angle: 'angles',
};

/** A picture's part is its channels: the features of the last axis. */
const modelPart = ({ field, start, size }: DataPart, shape: readonly number[], law: Law): Part => ({
  field,
  law,
  start,
  size: shape.length === 3 ? shape[2]! : size,
});
