/** elbo encode */
import { shared, verb } from '../verb.ts';

const command = verb({
  description:
    'Writes the latent code of every row: mean and log variance of q(z|x), or a draw. Tables also have the row number, the label if there is one, and what the row is given, so that elbo decode finds it.',
  arguments: [
    { name: 'model', brief: 'folder of a trained model' },
    { name: 'data', brief: 'data of the same form as the model was trained on' },
  ],
  flags: {
    out: { kind: 'text', brief: 'file to write: .csv .tsv .parquet .jsonl, or .npy for the means alone' },
    split: shared.split,
    count: { kind: 'number', brief: 'only so many rows' },
    draw: { kind: 'switch', brief: 'write a draw from q(z|x) instead of its mean and log variance' },
    seed: shared.seed,
    overwrite: shared.overwrite,
    threads: shared.threads,
  },
  aliases: { n: 'count', o: 'out' },
  examples: [
    'elbo encode adult.model adult.csv --out codes.parquet',
    'elbo encode digits.model digits/ --split test --out codes.npy',
    'elbo encode adult.model new.csv > codes.csv',
  ],
  run: async ({ out, split, count, draw = false, seed, overwrite = false, threads }, words, terminal) => {
    const [path = '', data = ''] = words;
    const [
      { withModel, given },
      { encode },
      { codesTable, writeCodes },
      { checkEnding, checkOut, deliver },
      { conditionFields },
      { tellNotes },
    ] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/encode.ts'),
      import('../codes.ts'),
      import('../output.ts'),
      import('../../data/schema.ts'),
      import('../notes.ts'),
    ]);
    await checkOut({ out, overwrite });
    checkEnding(out);
    await withModel(path, threads, async (model) => {
      const codes = await encode(model, data, given({ split, count, seed }));
      tellNotes(codes.notes, terminal);
      const table = { drawn: draw, given: conditionFields(model.schema) };
      if (out === undefined) return deliver({ ...codesTable(codes, table), what: 'code' }, {}, terminal);
      await writeCodes(codes, out, { ...table, overwrite });
      if (terminal.wantsJson)
        terminal.json({
          type: 'saved',
          count: codes.count,
          latent: codes.latent,
          notes: codes.notes,
          paths: [out],
        });
      else terminal.print(`${codes.count.toLocaleString('en')} codes of ${codes.latent} dimensions: ${out}`);
    });
    return undefined;
  },
});
export default command;
