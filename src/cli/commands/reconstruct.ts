/** elbo reconstruct */
import { shared, verb } from '../verb.ts';

const command = verb({
  description:
    'Encodes rows and decodes them again: what the model keeps of them. By default the mean of q(z|x) is decoded to the mean of p(x|z).',
  arguments: [
    { name: 'model', brief: 'folder of a trained model' },
    { name: 'data', brief: 'data of the same form as the model was trained on' },
  ],
  flags: {
    out: { kind: 'text', brief: 'file for rows (.csv .tsv .parquet .jsonl .npy), folder for pictures' },
    split: shared.split,
    count: { kind: 'number', brief: 'only so many rows' },
    draw: { kind: 'switch', brief: 'draw z and x instead of taking their means' },
    seed: shared.seed,
    overwrite: shared.overwrite,
    threads: shared.threads,
  },
  aliases: { n: 'count', o: 'out' },
  examples: [
    'elbo reconstruct adult.model adult.csv                          originals beside reconstructions',
    'elbo reconstruct adult.model adult.csv --split test --out again.csv',
    'elbo reconstruct digits.model digits/ -n 100 --out again/       pictures and a contact sheet of pairs',
  ],
  run: async ({ out, split, count, draw, seed, overwrite, threads }, [path = '', data = ''], terminal) => {
    const [{ withModel, given }, { reconstruct }, { checkEnding, checkOut, deliver }, { tellNotes }] =
      await Promise.all([
        import('../model.ts'),
        import('../../tasks/reconstruct.ts'),
        import('../output.ts'),
        import('../notes.ts'),
      ]);
    await checkOut({ out, overwrite });
    await withModel(path, threads, async (model) => {
      checkEnding(out, model.schema);
      const mean = draw ? false : undefined;
      const { original, reconstruction, notes } = await reconstruct(
        model,
        data,
        given({ split, count, seed, mean }),
      );
      tellNotes(notes, terminal);
      const made = {
        rows: reconstruction,
        originals: original,
        schema: model.schema,
        what: 'reconstruction',
      };
      await deliver(made, { out, overwrite }, terminal);
    });
    return undefined;
  },
});
export default command;
