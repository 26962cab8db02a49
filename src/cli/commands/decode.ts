/** elbo decode */
import { shared, verb } from '../verb.ts';

const command = verb({
  description:
    'Makes rows or pictures from latent codes, such as elbo encode writes: the mean of p(x|z), or a draw.',
  arguments: [
    { name: 'model', brief: 'folder of a trained model' },
    {
      name: 'codes',
      brief: 'codes: .csv .tsv .parquet .jsonl with columns mean_1 … or z_1 …, or .npy [rows, dimensions]',
    },
  ],
  flags: {
    out: { kind: 'text', brief: 'file for rows (.csv .tsv .parquet .jsonl .npy), folder for pictures' },
    given: {
      ...shared.given,
      brief: `${shared.given.brief}; else the codes carry them, as encode writes them`,
    },
    draw: { kind: 'switch', brief: 'draw from p(x|z) instead of taking its mean' },
    seed: shared.seed,
    overwrite: shared.overwrite,
    threads: shared.threads,
  },
  aliases: { o: 'out' },
  examples: [
    'elbo decode adult.model codes.csv --out rows.csv',
    'elbo decode digits.model codes.npy --out pictures/',
  ],
  run: async ({ out, given: told, draw, seed, overwrite, threads }, [path = '', codes = ''], terminal) => {
    const [
      { withModel, given },
      { decode },
      { readCodes },
      { checkEnding, checkOut, deliver },
      { parseGiven },
      { conditionFields },
    ] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/decode.ts'),
      import('../codes.ts'),
      import('../output.ts'),
      import('../given.ts'),
      import('../../data/schema.ts'),
    ]);
    await checkOut({ out, overwrite });
    await withModel(path, threads, async (model) => {
      checkEnding(out, model.schema);
      const latent = model.vae.spec.latent;
      const { z, conditions } = await readCodes(codes, latent, conditionFields(model.schema));
      const mean = draw ? false : undefined;
      const rows = await decode(model, z, given({ seed, mean, given: parseGiven(told), conditions }));
      await deliver({ rows, schema: model.schema, what: 'row' }, { out, overwrite }, terminal);
    });
    return undefined;
  },
});
export default command;
