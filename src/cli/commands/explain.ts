/** elbo explain */
import { shared, verb } from '../verb.ts';

const command = verb({
  description:
    'Says what a model has learned: the latent dimensions, those that say most first, with what each does to the data in its own units; ' +
    'and what it makes of single rows (--row): the parts of their ELBO beside those of other rows, the reconstruction, the nearest ' +
    'training rows. Rows are numbered from 0, as elbo encode writes them.',
  arguments: [
    { name: 'model', brief: 'folder of a trained model' },
    { name: 'data', brief: 'data of the same form as the model was trained on' },
  ],
  flags: {
    row: { kind: 'numbers', brief: 'numbers of rows to explain, as in 17 or 17,20' },
    neighbours: {
      kind: 'number',
      brief: 'nearest training rows of each of them; 0 leaves them out (default 5)',
    },
    among: { kind: 'text', brief: 'data whose training rows are searched, where <data> is not it' },
    dimensions: {
      kind: 'number',
      brief: 'dimensions whose effects are looked for, those with most KL; 0 leaves them out (default 20)',
    },
    span: {
      kind: 'number',
      brief: 'how far a dimension is moved to both sides, in standard deviations of all codes (default 2)',
    },
    steps: { kind: 'number', brief: 'rows or pictures of a traversal (default 9)' },
    out: {
      kind: 'text',
      brief: 'where traversals go: file for rows (.csv .tsv .parquet .jsonl), folder for sheets of pictures',
    },
    split: { ...shared.split, brief: 'which rows codes are of and others are compared with (default test)' },
    rows: { kind: 'number', brief: 'at most so many of them, drawn at random (default 1000)' },
    samples: { kind: 'number', brief: 'draws of z that the ELBO of a row is a mean over (default 100)' },
    seed: shared.seed,
    overwrite: shared.overwrite,
    threads: shared.threads,
  },
  aliases: { o: 'out' },
  examples: [
    'elbo explain adult.model adult.csv                          what the dimensions do',
    'elbo explain adult.model adult.csv --out traversals.csv     rows along each of them',
    'elbo explain adult.model adult.csv --row 17 --dimensions 0  why row 17 is as likely as it is',
    'elbo explain adult.model new.csv --row 0,1 --among adult.csv',
    'elbo explain digits.model digits/ --row 17 --out explained/ sheets of pictures',
  ],
  run: async ({ out, overwrite = false, threads, ...flags }, [path = '', data = ''], terminal) => {
    const [
      { withModel, given },
      { explain },
      { createStages },
      { checkOut },
      { printExplanation },
      { jsonOf, TRAVERSALS, writeExplanation },
      { tellNotes },
    ] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/explain.ts'),
      import('../stages.ts'),
      import('../output.ts'),
      import('../explained.ts'),
      import('../explained-files.ts'),
      import('../notes.ts'),
    ]);
    const { row, neighbours, among, dimensions, span, steps, split, rows, samples, seed } = flags;
    const options = given({ row, neighbours, among, dimensions, span, steps, split, rows, samples, seed });
    await checkOut({ out, overwrite }, TRAVERSALS);
    const stages = createStages(terminal);
    await withModel(path, threads, async (model) => {
      const found = await explain(model, data, { ...options, progress: stages.tell }).finally(stages.clear);
      tellNotes(found.notes, terminal);
      const paths = out === undefined ? [] : await writeExplanation(model, found, out, { overwrite });
      if (terminal.wantsJson) terminal.json({ ...jsonOf(model, found), ...(out !== undefined && { paths }) });
      else printExplanation(model, found, paths, terminal);
    });
    return undefined;
  },
});
export default command;
