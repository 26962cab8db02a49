/** elbo train */
import { plainFlags, toTrainOptions, trainFlags } from '../../config/flags.ts';
import { dataOptions, runOptions, startOptions, trainingOptions } from '../../config/options.ts';
import type { TrainEvent, TrainOptions } from '../../tasks/train.ts';
import { EXIT } from '../errors.ts';
import { onInterrupt } from '../interrupt.ts';
import { tellNotes } from '../notes.ts';
import { printProfile } from '../profile.ts';
import { createProgress, type Progress } from '../progress.ts';
import type { Terminal } from '../terminal.ts';
import { formatFigure, plural, quote, textPairs, wrap } from '../text.ts';
import type { FlagSpecs, Verb } from '../verb.ts';

const named = (flags: ReturnType<typeof trainFlags>): FlagSpecs =>
  Object.fromEntries(flags.map(({ name, ...spec }) => [name, spec]));

function groups() {
  const plain = [dataOptions, { ...startOptions, ...trainingOptions }, runOptions].map((options) =>
    plainFlags(options),
  );
  const rest = trainFlags().slice(plain.flat().length);
  const [data = [], training = [], run = []] = plain;
  return [
    { title: 'Data', flags: named(data) },
    { title: 'Model and training', flags: named(training) },
    { title: 'Choices', flags: named(rest) },
    { title: 'This run', flags: named(run) },
  ];
}

const command: Verb = {
  description:
    'Trains a variational autoencoder on a table, an array or a folder of pictures and writes a model folder with a report. ' +
    'Everything left out is chosen from the data and printed. Ctrl-C stops after the step and keeps the run; --resume goes on with it.',
  arguments: [
    { name: 'data', brief: 'table (csv tsv parquet json), npy, npz, IDX, folder of pictures, or sprites' },
  ],
  groups: groups(),
  aliases: { o: 'out' },
  examples: [
    'elbo train adult.csv',
    'elbo train photos/ --size 64 --latent 64 --epochs 50 --out photos.model',
    'elbo train digits.npz --network mlp --hidden 400 --latent 20 --beta 4',
    'elbo train adult.csv --resume',
  ],
  run: runTrain,
};
export default command;

async function runTrain(
  { json: _, debug: __, ...flags }: Readonly<Record<string, unknown>>,
  [data = '']: readonly string[],
  terminal: Terminal,
): Promise<number> {
  const { train } = await import('../../tasks/train.ts');
  const stop = onInterrupt(terminal, 'Stopping after this step, with a checkpoint.');
  const listen = terminal.wantsJson ? jsonListener(terminal) : textListener(terminal, data);
  let stoppedAfter: number | undefined;
  try {
    const options = { ...toTrainOptions(flags), data, signal: stop.signal } as TrainOptions;
    for await (const event of train(options)) {
      listen.on(event);
      if (event.type === 'end' && event.reason === 'stopped') stoppedAfter = event.epochs;
    }
  } finally {
    listen.close();
    stop.forget();
  }
  if (stoppedAfter === undefined) return EXIT.ok;
  terminal.remark(`Stopped; the run is kept. Go on with:\n  ${resumeLine()}`);
  if (stoppedAfter > 0) terminal.remark(`or end it here and have the model:\n  ${resumeLine(stoppedAfter)}`);
  return EXIT.interrupted;
}

/** What was typed, with --resume, and with as many epochs in all as are given. */
function resumeLine(epochs?: number): string {
  const typed = process.argv.slice(2).filter((word) => word !== '--resume' && word !== '--overwrite');
  const words = epochs === undefined ? typed : [...without('--epochs', typed), '--epochs', `${epochs}`];
  return `elbo ${[...words, '--resume'].map(quote).join(' ')}`;
}

/** The words but an option with its value, given as one word or two. */
const without = (option: string, words: readonly string[]): string[] =>
  words.filter((word, i) => word !== option && words[i - 1] !== option && !word.startsWith(`${option}=`));

interface Listener {
  on(event: TrainEvent): void;
  close(): void;
}

const STEP_EVERY = 1000; // ms between steps told to programs

function jsonListener(terminal: Terminal): Listener {
  let told = Number.NEGATIVE_INFINITY;
  const on = (event: TrainEvent) => {
    if (event.type === 'step') {
      if (performance.now() - told < STEP_EVERY) return;
      told = performance.now();
    }
    terminal.json(event);
  };
  return { on, close: () => {} };
}

function textListener(terminal: Terminal, data: string): Listener {
  const progress = createProgress(terminal);
  let judged = '';
  const on = (event: TrainEvent) => {
    if (event.type === 'plan') {
      judged = (event.rows.validation ?? 0) > 0 ? 'validation' : 'training';
      printPlan(event, data, terminal);
    } else if (event.type === 'start') printStart(event, judged, terminal, progress);
    else if (event.type === 'step') progress.step(event);
    else if (event.type === 'epoch') progress.epoch(event);
    else if (event.type === 'notice') sayNotice(event.message, terminal, progress);
    else if (event.type === 'end') progress.clear();
    else if (event.type === 'profile') printProfile(event, terminal);
    else if (event.type === 'saved') printSaved(event, data, terminal);
  };
  return { on, close: progress.clear };
}

type Event<T extends TrainEvent['type']> = Extract<TrainEvent, { type: T }>;
const FIELDS = 20;

function printPlan({ fields, rows, notes, choices }: Event<'plan'>, data: string, terminal: Terminal): void {
  const width = terminal.columns();
  const say = (text: string) => {
    for (const line of wrap(text, width, '    ')) terminal.remark(line);
  };
  const counts = Object.entries(rows).map(([split, n]) => `${n.toLocaleString('en')} ${split}`);
  terminal.remark(
    `${terminal.paint('bold', data)}: ${plural(fields.length, 'field')}; rows: ${counts.join(', ')}`,
  );
  for (const line of fields.slice(0, FIELDS)) say(`  ${line}`);
  if (fields.length > FIELDS)
    terminal.remark(`  and ${fields.length - FIELDS} more: elbo schema ${quote(data)} lists them`);
  tellNotes(notes, terminal, '    ');
  terminal.remark(terminal.paint('bold', 'Choices'));
  for (const line of choices) say(`  ${line}`);
  terminal.remark();
}

function printStart(event: Event<'start'>, judged: string, terminal: Terminal, progress: Progress): void {
  const { parameters, epochs, stepsPerEpoch, step } = event;
  const from = step > 0 ? `, from step ${step.toLocaleString('en')}` : '';
  const size = `${plural(parameters, 'parameter')}, ${plural(epochs, 'epoch')} of ${plural(stepsPerEpoch, 'step')}${from}`;
  for (const line of wrap(`${size}; figures in nats, on ${judged} rows`, terminal.columns()))
    terminal.remark(line);
  progress.start(step, epochs);
}

function sayNotice(message: string, terminal: Terminal, progress: Progress): void {
  for (const line of wrap(message, terminal.columns(), '  ')) progress.say(terminal.paint('yellow', line));
}

function printSaved(
  { path, report, metrics, refit }: Event<'saved'>,
  data: string,
  terminal: Terminal,
): void {
  const [model, source] = [quote(relative(path)), quote(data)];
  terminal.remark();
  terminal.print(`Model   ${relative(path)}`);
  terminal.print(`Report  ${relative(report)}`);
  const figures = Object.entries(metrics);
  for (const line of textPairs(figures.map(([name, { value }]) => [name, formatFigure(value)])))
    terminal.print(line);
  terminal.remark();
  terminal.remark('Next');
  const next = [
    ...(refit
      ? ([[`elbo refit ${model} ${source}`, 'learn which codes go together, before sampling']] as const)
      : []),
    [`elbo sample ${model}`, 'new rows or pictures'],
    [`elbo evaluate ${model} ${source}`, 'log p(x), with its interval'],
    [`elbo explain ${model} ${source}`, 'what the latent dimensions do'],
    [`elbo encode ${model} ${source} --out codes.csv`, 'latent codes'],
  ] as const;
  for (const line of textPairs(next)) terminal.remark(line);
}

function relative(path: string): string {
  const here = `${process.cwd()}/`;
  return path.startsWith(here) ? path.slice(here.length) : path;
}
