/** The sprites as a dataset, by name and without a file. */
import { UserError } from '../errors.ts';
import { applyEdits } from './edits.ts';
import { imageField } from './image-field.ts';
import { givenIds, inMemory, randomAccessDataset } from './memory-dataset.ts';
import type { GivenPaths, Settings } from './options.ts';
import type { Dataset, Factor, Labels } from './rows.ts';
import { modelFields, parseSchema, type Schema } from './schema.ts';
import { SPRITE_COUNT, SPRITE_FACTORS, type SpriteFactor, type Sprites, sprites } from './sprites.ts';

const DEFAULT_SIDE = 32;

/** What to train on is told by name: `sprites`. */
export async function openSprites({ validation, test }: GivenPaths, settings: Settings): Promise<Dataset> {
  for (const path of [validation, test])
    if (path !== undefined) throw new UserError(`${path}: the sprites are split by shares, not by files`);
  const size = sideFor(settings);
  const { pixels, factors, count } = sprites(size, Math.min(settings.limit ?? SPRITE_COUNT, SPRITE_COUNT));
  const schema = settings.schema ?? inferred(size, pixels, settings);
  const data = randomAccessDataset({
    name: 'sprites',
    schema,
    notes: [],
    labels: labelsOf(factors, settings.label ?? 'shape'),
    ids: givenIds({ train: count }, settings),
    ...inMemory(schema, { count, columns: [pixels] }),
  });
  return { ...data, factors: factorsOf(factors) };
}

function sideFor({ schema, image: { size } }: Settings): number {
  const field = schema && modelFields(schema)[0];
  if (field && field.type !== 'image')
    throw new UserError('the schema is of a table, the sprites are pictures');
  const [height, width] = field
    ? [field.height, field.width]
    : typeof size === 'object'
      ? size
      : [size ?? DEFAULT_SIDE, size ?? DEFAULT_SIDE];
  if (height !== width || !Number.isInteger(height / 16) || height < 16 || height > 256)
    throw new UserError(`sprites of ${height} × ${width} pixels: give one side, a multiple of 16 up to 256`);
  return height;
}

function inferred(size: number, pixels: Uint8Array, settings: Settings): Schema {
  const field = imageField([size, size, 1], pixels, settings.image.binarize ?? 'static');
  return applyEdits(parseSchema({ version: 1, missing: settings.missing, fields: [field] }), settings.edits);
}

const nameOf = (name: SpriteFactor, i: number): string => String(SPRITE_FACTORS[name][i]);

function labelsOf(factors: Sprites['factors'], label: string): Labels {
  if (!Object.hasOwn(factors, label))
    throw new UserError(`label "${label}": the sprites have ${Object.keys(factors).join(', ')}`);
  const name = label as SpriteFactor;
  return { name, names: SPRITE_FACTORS[name].map((_, i) => nameOf(name, i)), codes: factors[name] };
}

const factorsOf = (factors: Sprites['factors']): Factor[] =>
  (Object.keys(factors) as SpriteFactor[]).map((name) => ({
    name,
    ordered: name !== 'shape',
    values: Float64Array.from(factors[name], (i) => (name === 'shape' ? i : SPRITE_FACTORS[name][i]!)),
  }));
