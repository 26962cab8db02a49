/** elbo models */
import { fileURLToPath } from 'node:url';
import { flagName } from '../../config/flags.ts';
import { type Preset, type PresetName, presetNames, presets } from '../../config/presets.ts';
import { UserError } from '../../errors.ts';
import { packageRoot } from '../../model/version.ts';
import { kebab } from '../help.ts';
import type { Terminal } from '../terminal.ts';
import { textPairs, wrap } from '../text.ts';
import { verb } from '../verb.ts';

const command = verb({
  description:
    'Lists the known models; each is a set of choices that --preset of train stands for. With a name: what it stands for.',
  arguments: [{ name: 'preset', brief: 'one of them', optional: true }],
  flags: {},
  examples: ['elbo models', 'elbo models iwae', 'elbo train digits.npz --preset iwae'],
  run: async (_, [name], terminal) => {
    const found = name === undefined ? presets : { [name]: presetOf(name) };
    if (terminal.wantsJson)
      for (const [key, preset] of Object.entries(found))
        terminal.json({ name: key, ...preset, page: pageOf(key) });
    else if (name === undefined) list(terminal);
    else show(name, presetOf(name), terminal);
    return undefined;
  },
});
export default command;

function presetOf(name: string): Preset {
  if (Object.hasOwn(presets, name)) return presets[name as PresetName];
  throw new UserError(`there is no preset "${name}", expected one of ${presetNames.join(', ')}`);
}

/** Where its mathematics, uses and options are written. */
const pageOf = (name: string): string => fileURLToPath(new URL(`docs/models/${name}.md`, packageRoot));

function list(terminal: Terminal): void {
  const entries = Object.entries(presets as Record<string, Preset>);
  const lines = textPairs(entries.map(([name, { title, reference }]) => [name, `${title} (${reference})`]));
  for (const line of lines.flatMap((text) => wrap(text, terminal.columns(), '    '))) terminal.print(line);
  terminal.remark();
  for (const line of [
    'elbo train <data> --preset <name> trains one; any other option wins over what a preset says',
    `elbo models <name> says more; by purpose they are in ${pageOf('README')}`,
  ])
    terminal.remark(line);
}

const FOR: Readonly<Record<NonNullable<Preset['only']>, string>> = {
  pictures: 'pictures',
  label: 'a label that some rows lack: name it with --predict',
};

function show(name: string, { title, reference, choices, only }: Preset, terminal: Terminal): void {
  const flags = Object.entries(choices).flatMap(([table, { kind, ...options }]) => [
    ...(kind === undefined ? [] : [[table, kind] as const]),
    ...Object.entries(options).map(([option, value]) => [flagName(table as never, option), value] as const),
  ]);
  const words = flags.map(([flag, value]) => `--${kebab(flag)} ${value}`);
  terminal.print(`${name}: ${title} (${reference})`);
  const lines = textPairs([
    ['stands for', `elbo train <data> ${words.join(' ') || '(everything as usual)'}`],
    ...(only ? [['for', FOR[only]] as const] : []),
    ['page', pageOf(name)],
  ]);
  for (const line of lines) terminal.print(line);
}
