/** elbo sample */
import type { Model } from '../../tasks/model.ts';
import type { Terminal } from '../terminal.ts';
import { shared, verb } from '../verb.ts';

const command = verb({
  description:
    'Makes new rows or pictures: z is drawn from the prior, or from a sampler that elbo refit has fitted in its place, x from p(x|z). Rows have the columns, types and units of the data.',
  arguments: [{ name: 'model', brief: 'folder of a trained model' }],
  flags: {
    count: { kind: 'number', brief: 'how many (default 64)' },
    out: { kind: 'text', brief: 'file for rows (.csv .tsv .parquet .jsonl .npy), folder for pictures' },
    sampler: {
      kind: 'text',
      brief:
        'where z comes from: prior, or the name of a sampler (default: the sampler fitted last, or else the prior)',
    },
    given: {
      ...shared.given,
      brief: `${shared.given.brief}; the rest is drawn as the training rows have it`,
    },
    seed: shared.seed,
    temperature: {
      kind: 'number',
      brief: 'scale of the noise in z: below 1 typical, above 1 varied (default 1)',
    },
    truncate: {
      kind: 'number',
      brief: 'leave out normal numbers further than this from 0, such as 2, in what z is made of',
    },
    mean: { kind: 'switch', brief: 'the mean of p(x|z) instead of a draw' },
    noClip: { kind: 'switch', brief: 'let numbers leave the range seen in training' },
    overwrite: shared.overwrite,
    threads: shared.threads,
  },
  aliases: { n: 'count', o: 'out' },
  examples: [
    'elbo sample adult.model                               look at a few rows',
    'elbo sample adult.model -n 32561 --out new.csv        as many rows as there were',
    'elbo sample adult.model -n 1000 > new.csv',
    'elbo sample digits.model -n 100 --out digits/         pictures and a contact sheet',
    "elbo sample adult.model --given sex=Female,income='>50K' -n 100",
  ],
  run: async (
    { count, out, given: told, sampler, seed, temperature, truncate, mean, noClip, overwrite, threads },
    [path = ''],
    terminal,
  ) => {
    const [
      { withModel, given },
      { sample },
      { zSourceName },
      { checkEnding, checkOut, deliver },
      { parseGiven },
    ] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/sample.ts'),
      import('../../tasks/samplers.ts'),
      import('../output.ts'),
      import('../given.ts'),
    ]);
    await checkOut({ out, overwrite });
    await withModel(path, threads, async (model) => {
      checkEnding(out, model.schema);
      if (sampler === undefined && !terminal.wantsJson) noteSource(await zSourceName(model), model, terminal);
      const clip = noClip ? false : undefined;
      const rows = await sample(
        model,
        given({ count, sampler, given: parseGiven(told), seed, temperature, truncate, mean, clip }),
      );
      await deliver({ rows, schema: model.schema, what: 'sample' }, { out, overwrite }, terminal);
    });
    return undefined;
  },
});
export default command;

/** Where z comes from, where nobody has said and it is not plain. */
function noteSource(name: string, { vae }: Model, terminal: Terminal): void {
  const isCode = vae.codes && !vae.spec.posterior.random;
  if (name !== 'prior')
    terminal.remark(`z comes from the sampler ${name}; --sampler prior draws it from the prior`);
  else if (isCode)
    terminal.remark(
      'Codes are drawn at random, each as likely as the others; elbo refit learns which go together',
    );
}
