/** elbo evaluate */
import type { ColumnReport, Evaluation } from '../../tasks/evaluate.ts';
import type { Terminal } from '../terminal.ts';
import { formatFixed, textTable, wrap } from '../text.ts';
import { shared, verb } from '../verb.ts';

const command = verb({
  description:
    'Measures a model: the ELBO and its terms on all held-back rows; log p(x) by importance sampling, what the latent variables hold, ' +
    'reconstructions and samples against held-back rows on some of them; disentanglement where factors are known. Every figure has its 95 % ' +
    'interval. Of the data it was trained on, the rows held back for this are used; other data is used whole.',
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
    rows: {
      kind: 'number',
      brief:
        'rows, drawn at random, for all that takes more than one pass; 0 measures the ELBO alone (default 500)',
    },
    quality: {
      kind: 'number',
      brief: 'samples to compare with as many held-back rows; 0 leaves them out (default 1000)',
    },
    features: {
      kind: 'one of',
      values: ['data', 'encoder'],
      brief: 'where samples are compared: in the data’s own space, or by the codes of this model’s encoder',
    },
    sampler: {
      kind: 'text',
      brief:
        'where z comes from: prior, or the name of a sampler (default: the one fitted last, or else the prior)',
    },
    mean: { kind: 'switch', brief: 'compare means of p(x|z) instead of draws' },
    factors: {
      kind: 'text',
      brief: 'table of what made the rows differ, one row for each: scores disentanglement',
    },
    seed: shared.seed,
    threads: shared.threads,
  },
  examples: [
    'elbo evaluate digits.model digits.npz',
    'elbo evaluate digits.model digits.npz --samples 5000 --rows 10000     log p(x) as papers give it',
    'elbo evaluate adult.model newer.csv --split all --json',
    'elbo evaluate sprites.model sprites                                   scores disentanglement',
    'elbo evaluate faces.model faces/ --factors factors.csv',
  ],
  run: async ({ threads, ...flags }, [path = '', data = ''], terminal) => {
    const [{ withModel, given }, { evaluate }, { createStages }, { tellNotes }] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/evaluate.ts'),
      import('../stages.ts'),
      import('../notes.ts'),
    ]);
    const { split, samples, rows, quality, features, sampler, mean, factors, seed } = flags;
    const options = given({ split, samples, rows, quality, features, sampler, mean, factors, seed });
    const stages = createStages(terminal);
    await withModel(path, threads, async (model) => {
      const evaluation = await evaluate(model, data, { ...options, progress: stages.tell }).finally(
        stages.clear,
      );
      tellNotes(evaluation.notes, terminal);
      if (terminal.wantsJson) terminal.json(evaluation);
      else await printEvaluation(evaluation, terminal);
    });
    return undefined;
  },
});
export default command;

async function printEvaluation(e: Evaluation, terminal: Terminal): Promise<void> {
  const [{ groups }, { figureLines }] = await Promise.all([
    import('../../tasks/evaluate/figures.ts'),
    import('../figures.ts'),
  ]);
  const width = terminal.columns();
  const say = (text: string, indent = '  ') => {
    for (const line of wrap(`${indent}${text}`, width, indent)) terminal.print(line);
  };
  for (const [group, title] of Object.entries(groups)) {
    const figures = Object.values(e.figures).filter((figure) => figure.group === group);
    if (figures.length === 0 && !(group === 'reconstruction' && Object.keys(e.columns).length > 0)) continue;
    for (const line of figureLines(title, figures, width)) terminal.print(line);
    if (group === 'reconstruction') printColumns(e.columns, say, terminal);
    if (group === 'likelihood') say(e.protocol);
    const protocol = e.protocols[group as keyof typeof groups];
    if (protocol) say(protocol);
    terminal.print();
  }
  printAbsent(e, say, terminal);
  if (e.diagnosis.length > 0) terminal.print('In words');
  for (const sentence of e.diagnosis) say(sentence);
}

const MOST_COLUMNS = 40;

/** The columns of a table, errors beside those of the best constant answer. */
function printColumns(all: Evaluation['columns'], say: (text: string) => void, terminal: Terminal): void {
  const entries = Object.entries(all);
  if (entries.length === 0) return;
  const rows = entries.slice(0, MOST_COLUMNS).map(([name, column]) => {
    const { error, what } = errorOf(column);
    return [
      `  ${name}`,
      formatFixed(column.logPx, 2),
      what,
      digits(error?.value),
      digits(error?.constant),
      digits(column.similarity?.value),
      digits(column.similarity?.beside?.value),
    ];
  });
  const columns = [
    { name: '  column' },
    { name: 'log p(x|z)', numeric: true },
    { name: 'measure' },
    { name: 'error', numeric: true },
    { name: 'constant', numeric: true },
    { name: 'samples alike', numeric: true },
    { name: 'training rows', numeric: true },
  ];
  for (const line of textTable(columns, rows, terminal.columns())) terminal.print(line);
  if (entries.length > rows.length)
    terminal.print(`  and ${entries.length - rows.length} more columns: --json has all`);
  if (entries.some(([, { similarity }]) => similarity))
    say(
      'samples alike: 1 less the distance of the distributions of samples and held-out rows (Kolmogorov–Smirnov, or total variation of ' +
        'categories); training rows: the same for as many of these',
    );
}

/** Three of them. */
function digits(value: number | undefined): string {
  if (value === undefined) return '';
  const rounded = value.toPrecision(3);
  return Math.abs(value) >= 1000 ? Number(rounded).toLocaleString('en') : rounded;
}

function errorOf({ accuracy, meanAbsolute, unit = '' }: ColumnReport) {
  if (accuracy) return { error: accuracy, what: 'accuracy' };
  return { error: meanAbsolute, what: meanAbsolute ? `mean error${unit && `, ${unit}`}` : '' };
}

/** What is not there, and why or how to have it. */
function printAbsent({ absent }: Evaluation, say: (text: string) => void, terminal: Terminal): void {
  const byReason = new Map<string, string[]>();
  for (const { name, reason } of Object.values(absent)) {
    const names = byReason.get(reason) ?? [];
    byReason.set(reason, [...names, name]);
  }
  if (byReason.size === 0) return;
  terminal.print('Not measured');
  for (const [reason, names] of byReason) say(`${names.join(', ')}: ${reason}`);
  terminal.print();
}
