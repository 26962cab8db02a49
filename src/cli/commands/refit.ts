/** elbo refit */
import type { Table } from '../../choice.ts';
import { choiceFlags, toOptions } from '../../config/flags.ts';
import { samplers } from '../../config/samplers.ts';
import type { RefitEvent, RefitOptions } from '../../tasks/refit.ts';
import { onInterrupt } from '../interrupt.ts';
import type { Terminal } from '../terminal.ts';
import { formatFixed, formatSeconds, plural, quote, textPairs, wrap } from '../text.ts';
import { type FlagSpecs, shared, type Verb } from '../verb.ts';

const tables = { sampler: samplers as unknown as Table<unknown> };
const choices: FlagSpecs = Object.fromEntries(choiceFlags(tables).map(({ name, ...spec }) => [name, spec]));

const command: Verb = {
  description:
    'Fits a sampler to what the encoder makes of the training rows, and keeps it in the model folder: elbo sample then draws z from it ' +
    'in place of the prior. For codes (vq, fsq, …) this is the second half of training, without which samples say little. Ctrl-C keeps what is learned so far.',
  arguments: [
    { name: 'model', brief: 'folder of a trained model' },
    { name: 'data', brief: 'the data that it was trained on, or more of the same form' },
  ],
  groups: [
    { title: 'Sampler', flags: choices },
    {
      title: 'Options',
      flags: {
        count: { kind: 'number', brief: 'training rows at most (default 100,000)' },
        seed: shared.seed,
        threads: shared.threads,
      },
    },
  ],
  aliases: { n: 'count' },
  examples: [
    'elbo refit digits.model digits.npz                               what suits the model',
    'elbo refit faces.model faces/ --sampler flow                      a normalising flow',
    'elbo refit faces.model faces/ --sampler gmm --components 20',
    'elbo sample faces.model --sampler gmm --out new/',
  ],
  run: runRefit,
};
export default command;

async function runRefit(
  { json: _, debug: __, threads, ...flags }: Readonly<Record<string, unknown>>,
  [path = '', data = '']: readonly string[],
  terminal: Terminal,
): Promise<undefined> {
  const [{ withModel }, { refit }] = await Promise.all([
    import('../model.ts'),
    import('../../tasks/refit.ts'),
  ]);
  const stop = onInterrupt(terminal, 'Stopping; what is learned so far is kept.');
  try {
    await withModel(path, threads as number | undefined, async (model) => {
      const tell = terminal.wantsJson
        ? (event: RefitEvent) => terminal.json(event)
        : listener(terminal, path);
      const options = { ...toOptions(flags, tables), signal: stop.signal } as RefitOptions;
      for await (const event of refit(model, data, options)) tell(event);
    });
  } finally {
    stop.forget();
  }
  return undefined;
}

const PLAIN_EVERY = 10_000; // ms between lines where nobody looks

function listener(terminal: Terminal, model: string): (event: RefitEvent) => void {
  const [live, began] = [terminal.isLive.err, performance.now()];
  let said = began;
  return (event) => {
    const now = performance.now();
    if (event.type === 'plan') printPlan(event, terminal);
    else if (event.type === 'progress') {
      const line = `${progressLine(event)}   ${formatSeconds((now - began) / 1000)}`;
      if (live) terminal.draw(`\r\x1b[2K${line.slice(0, terminal.columns() - 1)}`);
      else if (now - said > PLAIN_EVERY) {
        said = now;
        terminal.remark(line);
      }
    } else {
      if (live) terminal.draw('\r\x1b[2K');
      printSaved(event, terminal, model);
    }
  };
}

type Event<T extends RefitEvent['type']> = Extract<RefitEvent, { type: T }>;

function printPlan({ sampler, config, rows, form }: Event<'plan'>, terminal: Terminal): void {
  const options = Object.entries(config).filter(([name]) => name !== 'kind');
  const chosen = [sampler, ...options.map(([name, value]) => `${name} ${value}`)].join(', ');
  const of = form.entries
    ? `${plural(form.width, 'symbol')} of ${form.entries.toLocaleString('en')}`
    : `${plural(form.width, 'latent dimension')}`;
  const text = `${chosen}; fitted to ${plural(rows.train, 'row')} of ${of}, judged by ${rows.validation.toLocaleString('en')} more`;
  for (const line of wrap(text, terminal.columns(), '  ')) terminal.remark(line);
}

const progressLine = ({ round, rounds, train, validation }: Event<'progress'>): string =>
  [
    `round ${round} of at most ${rounds}`,
    `−log p(z) ${formatFixed(-train)}`,
    ...(validation === undefined ? [] : [`on held-back rows ${formatFixed(-validation)}`]),
  ].join('   ');

const WORSE =
  'Held-back rows are less likely under it than under the prior. It may still make better samples: look at both.';

function printSaved({ path, figures }: Event<'saved'>, terminal: Terminal, model: string): void {
  terminal.print(`Sampler  ${path}`);
  const entries = Object.entries(figures);
  for (const line of textPairs(
    entries.map(([name, { value }]) => [name, `${formatFixed(value, 3).padStart(10)} nats`]),
  ))
    terminal.print(line);
  for (const protocol of new Set(entries.map(([, figure]) => figure.protocol)))
    for (const line of wrap(`  ${protocol}`, terminal.columns(), '  ')) terminal.print(line);
  const gained = figures['ELBO gained']?.value ?? 0;
  if (gained < 0) for (const line of wrap(WORSE, terminal.columns())) terminal.remark(line);
  terminal.remark();
  terminal.remark('Next');
  for (const line of textPairs([
    [`elbo sample ${quote(model)}`, 'draws z from it (--sampler prior: from the prior)'],
  ]))
    terminal.remark(line);
}
