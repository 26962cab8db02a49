/** elbo models */
import { flagName } from '../../config/flags.ts';
import { type Preset, type PresetName, presetNames, presets } from '../../config/presets.ts';
import { UserError } from '../../errors.ts';
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
      for (const [key, preset] of Object.entries(found)) terminal.json({ name: key, ...preset });
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

function list(terminal: Terminal): void {
  const entries = Object.entries(presets as Record<string, Preset>);
  const lines = textPairs(entries.map(([name, { title, reference }]) => [name, `${title} (${reference})`]));
  for (const line of lines.flatMap((text) => wrap(text, terminal.columns(), '    '))) terminal.print(line);
  terminal.remark();
  terminal.remark(
    'elbo train <data> --preset <name> trains one; any other option wins over what a preset says',
  );
}

function show(name: string, { title, reference, choices, only }: Preset, terminal: Terminal): void {
  terminal.print(`${name}: ${title}`);
  terminal.print(`  ${reference}${only ? `; for ${only}` : ''}`);
  const flags = Object.entries(choices).flatMap(([table, { kind, ...options }]) => [
    ...(kind === undefined ? [] : [[table, kind] as const]),
    ...Object.entries(options).map(([option, value]) => [flagName(table as never, option), value] as const),
  ]);
  const words = flags.map(([flag, value]) => `--${kebab(flag)} ${value}`);
  terminal.print(`  elbo train <data> ${words.join(' ') || '(everything as usual)'}`);
}
