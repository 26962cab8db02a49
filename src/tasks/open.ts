/** Opening data as the options say. */
import {
  build,
  type dataOptions,
  type GivenChoices,
  type ParsedOptions,
  parseChoice,
  type TrainConfig,
} from '../config/index.ts';
import { type Dataset, loadSchemaFile, openDataset, type Schema } from '../data/index.ts';
import { UserError } from '../errors.ts';

type DataOptions = Partial<Pick<ParsedOptions, keyof typeof dataOptions | 'seed' | 'modality'>> &
  Pick<GivenChoices, 'likelihood' | 'posterior'>;

/** `schema` is a saved model's, used as it is; otherwise it is inferred, with the edits of `--schema`. */
export async function openData(path: string, options: DataOptions, schema?: Schema): Promise<Dataset> {
  const { size, color, binarize, memory, validationData, testData, ...rest } = options;
  const side = size?.length === 1 ? size[0] : size;
  const image = {
    ...(side !== undefined && { size: side as number | [number, number] }),
    ...(color && { color }),
    ...(binarize && { binarize }),
  };
  const given = schema ?? (rest.schema === undefined ? undefined : await loadSchemaFile(rest.schema));
  const paths = { train: path, validation: validationData, test: testData };
  return openDataset(paths, {
    seed: rest.splitSeed ?? rest.seed ?? 0,
    validation: rest.validation ?? 0.1,
    test: rest.test ?? 0.1,
    ...(memory !== undefined && { memory: memory * 2 ** 20 }),
    image,
    ...(given !== undefined && { schema: given }),
    ...(rest.ignore && { ignore: rest.ignore }),
    ...(rest.condition && { condition: rest.condition }),
    ...(rest.predict !== undefined && { predict: rest.predict }),
    ...(rest.likelihood?.kind && { likelihood: { ...rest.likelihood, kind: rest.likelihood.kind } }),
    ...(hasExperts(rest) && { gaps: true }),
    ...(rest.missing && { missing: rest.missing }),
    ...(rest.label !== undefined && { label: rest.label }),
    ...(rest.limit !== undefined && { limit: rest.limit }),
  });
}

/** Refuses a share of the rows beside rows of a file of their own. */
export function checkSplits(
  options: Pick<DataOptions, 'validation' | 'validationData' | 'test' | 'testData'>,
): void {
  for (const split of ['validation', 'test'] as const)
    if (options[split] !== undefined && options[`${split}Data`] !== undefined)
      throw new UserError(
        `${split} ${options[split]}: the ${split} rows are those of ${options[`${split}Data`]}; give one of --${split} and --${split}-data`,
      );
}

/** Whether there is an encoder for each group of fields, so that any of them may be missing. */
const hasExperts = ({ modality, posterior }: DataOptions): boolean =>
  modality !== undefined ||
  (posterior?.kind !== undefined &&
    build('posterior', parseChoice('posterior', { kind: posterior.kind })).experts === true);

/** The options that give a model's split of its data again. */
export const splitOf = ({ seed, splitSeed = seed, validation, test, limit, label }: TrainConfig) => ({
  splitSeed,
  validation,
  test,
  limit,
  label,
});
