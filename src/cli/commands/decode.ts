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
  run: async ({ out, draw, seed, overwrite, threads }, [path = '', codes = ''], terminal) => {
    const [{ withModel, given }, { decode }, { readCodes }, { checkOut, deliver }] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/decode.ts'),
      import('../codes.ts'),
      import('../output.ts'),
    ]);
    await checkOut({ out, overwrite });
    await withModel(path, threads, async (model) => {
      const z = await readCodes(codes, model.vae.spec.latent);
      const rows = await decode(model, z, given({ seed, mean: draw ? false : undefined }));
      await deliver({ rows, schema: model.schema, what: 'row' }, { out, overwrite }, terminal);
    });
    return undefined;
  },
});
export default command;
