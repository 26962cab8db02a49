/** elbo impute */
import { shared, verb } from '../verb.ts';

const command = verb({
  description:
    'Fills the gaps of a table: numbers by their expectation given what the row has, words by the likeliest one, both from samples of z ' +
    'weighed by importance. What is there stays as it is written, columns that the model does not know among it.',
  arguments: [
    { name: 'model', brief: 'folder of a trained model' },
    { name: 'data', brief: 'data of the same form as the model was trained on' },
  ],
  flags: {
    out: { kind: 'text', brief: 'file to write: .csv .tsv .parquet .jsonl, or .npy for an array' },
    samples: { kind: 'number', brief: 'importance samples of z for each row with gaps (default 500)' },
    draws: {
      kind: 'number',
      brief:
        'so many files, filled with draws from p(x missing | x there) instead of expectations (multiple imputation)',
    },
    uncertainty: {
      kind: 'switch',
      brief: 'a column more for each: standard deviation of filled numbers, probability of filled words',
    },
    noClip: { kind: 'switch', brief: 'let numbers leave the range seen in training' },
    seed: shared.seed,
    overwrite: shared.overwrite,
    threads: shared.threads,
  },
  aliases: { o: 'out' },
  examples: [
    'elbo impute adult.model adult.csv --out filled.csv',
    'elbo impute adult.model adult.csv --out filled.csv --uncertainty',
    'elbo impute adult.model adult.csv --out filled.csv --draws 5       filled-1.csv to filled-5.csv',
    'elbo impute adult.model new.parquet --out filled.parquet --samples 5000',
    'elbo impute adult.model new.csv > filled.csv',
  ],
  run: async ({ out, overwrite, threads, noClip, ...flags }, [path = '', data = ''], terminal) => {
    const [
      { withModel, given },
      { impute },
      { checkEnding, checkOut },
      { deliverFilled, filesFor },
      { createStages },
    ] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/impute.ts'),
      import('../output.ts'),
      import('../filled.ts'),
      import('../stages.ts'),
    ]);
    const { samples, draws, uncertainty, seed } = flags;
    const files = filesFor(out, { draws, uncertainty });
    for (const file of files) await checkOut({ out: file, overwrite });
    const options = given({ samples, draws, uncertainty, seed, clip: noClip ? false : undefined });
    const stages = createStages(terminal);
    await withModel(path, threads, async (model) => {
      for (const file of files) checkEnding(file, model.schema);
      const imputed = await impute(model, data, { ...options, progress: stages.tell }).finally(stages.clear);
      await deliverFilled(imputed, { data, schema: model.schema, files, overwrite }, terminal);
    });
    return undefined;
  },
});
export default command;
