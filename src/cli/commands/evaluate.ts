/** elbo evaluate */
import type { Evaluation } from '../../tasks/evaluate.ts';
import type { Terminal } from '../terminal.ts';
import { formatFixed, textPairs, textTable, wrap } from '../text.ts';
import { shared, verb } from '../verb.ts';

const command = verb({
  description:
    'Measures a model: the ELBO and its two terms, and log p(x) by importance sampling with its 95 % interval. ' +
    'Of the data it was trained on, the rows held back for this are used; other data is used whole.',
  arguments: [
    { name: 'model', brief: 'folder of a trained model' },
    { name: 'data', brief: 'data of the same form as the model was trained on' },
  ],
  flags: {
    split: shared.split,
    samples: {
      kind: 'number',
      brief: 'importance samples for each row; 0 leaves log p(x) out (default 100)',
    },
    seed: shared.seed,
    threads: shared.threads,
  },
  examples: [
    'elbo evaluate digits.model digits.npz',
    'elbo evaluate digits.model digits.npz --samples 1000 --json',
    'elbo evaluate adult.model newer.csv --split all',
  ],
  run: async ({ split, samples, seed, threads }, [path = '', data = ''], terminal) => {
    const [{ withModel, given }, { evaluate }] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/evaluate.ts'),
    ]);
    await withModel(path, threads, async (model) => {
      const evaluation = await evaluate(model, data, given({ split, samples, seed }));
      if (terminal.wantsJson) terminal.json(evaluation);
      else printEvaluation(evaluation, terminal);
    });
    return undefined;
  },
});
export default command;

function printEvaluation(e: Evaluation, terminal: Terminal): void {
  const nats = (value: number) => `${formatFixed(value, 3).padStart(10)} nats`;
  const likelihood = e.logLikelihood;
  const figures: [string, string][] = [
    ['−ELBO', nats(e.negativeElbo)],
    ['−log p(x|z)', nats(-e.logPx)],
    ['KL', nats(e.kl)],
    ...(likelihood
      ? ([
          [
            'log p(x)',
            `${nats(likelihood.mean)}   ${formatFixed(likelihood.low, 3)} to ${formatFixed(likelihood.high, 3)} (95 %), ${likelihood.samples} samples`,
          ],
        ] satisfies [string, string][])
      : []),
    ['active units', `${String(e.activeUnits).padStart(10)} of ${e.klPerDimension.length}`],
  ];
  for (const line of textPairs(figures, '')) terminal.print(line);
  const fields = Object.entries(e.fields);
  if (fields.length > 1) {
    terminal.print();
    const rows = fields.map(([name, value]) => [name, formatFixed(value, 3)]);
    const columns = [{ name: 'field' }, { name: 'log p(x|z), nats', numeric: true }];
    for (const line of textTable(columns, rows, terminal.columns())) terminal.print(line);
  }
  terminal.print();
  for (const line of wrap(e.protocol, terminal.columns())) terminal.print(line);
}
