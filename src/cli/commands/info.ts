/** elbo info */
import type { Info } from '../../tasks/info.ts';
import type { Terminal } from '../terminal.ts';
import { formatFigure, formatFixed, formatSeconds, plural, textPairs, wrap } from '../text.ts';
import { verb } from '../verb.ts';

const command = verb({
  description: 'Says what a model is: data, choices, training, figures. Every file it lists is checked.',
  arguments: [{ name: 'model', brief: 'folder of a trained model' }],
  flags: {},
  examples: ['elbo info adult.model', 'elbo info adult.model --json'],
  run: async (_, [path = ''], terminal) => {
    const { info } = await import('../../tasks/info.ts');
    const found = await info(path);
    if (terminal.wantsJson) terminal.json({ ...found.file, samplers: found.samplers });
    else printInfo(found, terminal);
    return undefined;
  },
});
export default command;

function printInfo({ file, fields, samplers }: Info, terminal: Terminal): void {
  const { training, config, metrics } = file;
  const section = (title: string, lines: readonly string[]) => {
    terminal.print();
    terminal.print(title);
    for (const line of lines) terminal.print(line);
  };
  terminal.print(
    `${file.name}, ${plural(file.parameters, 'parameter')}, ${file.created.slice(0, 10)}, Elbo ${file.elbo}`,
  );
  const rows = Object.entries(training.rows).map(([split, n]) => `${n.toLocaleString('en')} ${split}`);
  section(
    'Training',
    textPairs([
      ['rows', rows.join(', ')],
      [
        'epochs',
        `${training.epochs} (${training.reason}), best ${training.bestEpoch}, ${plural(training.steps, 'step')}`,
      ],
      ['time', formatSeconds(training.seconds)],
      ['seed', String(file.seed)],
    ]),
  );
  const figures = Object.entries(metrics);
  section('Figures', textPairs(figures.map(([name, { value }]) => [name, formatFigure(value)])));
  for (const protocol of new Set(figures.map(([, m]) => m.protocol)))
    for (const line of wrap(`  ${protocol}`, terminal.columns(), '  ')) terminal.print(line);
  section('Choices', textPairs(Object.entries(config).map(([name, value]) => [name, describeChoice(value)])));
  const fitted = Object.entries(samplers).map(([name, s]) => [name, describeSampler(s)] as const);
  if (fitted.length > 0) section('Samplers, the one that elbo sample uses last', textPairs(fitted));
  section(
    plural(fields.length, 'field').replace(/^./, (c) => c.toUpperCase()),
    fields.map((line) => `  ${line}`),
  );
}

/** components 10, covariance full; 54,000 rows, 2026-11-24, −log p(z) 44.53 */
function describeSampler({ config, rows, created, figures }: Info['samplers'][string]): string {
  const { kind: _, ...options } = config;
  const chosen = Object.entries(options).map(([name, value]) => `${name} ${value}`);
  const told = Object.entries(figures).map(([name, { value }]) => `${name} ${formatFixed(value)}`);
  return `${chosen.join(', ')}; ${[plural(rows.train, 'row'), created.slice(0, 10), ...told].join(', ')}`;
}

/** { kind: 'mlp', hidden: [400] } as: mlp, hidden 400 */
function describeChoice(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return String(value);
  const { kind, ...options } = value as Record<string, unknown>;
  return [kind, ...Object.entries(options).map(([name, v]) => `${name} ${v}`)].filter(Boolean).join(', ');
}
