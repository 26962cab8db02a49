/** The pages of the known models say what the code does: options, defaults, and what each name stands for. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { kebab } from '../../src/cli/help.ts';
import type { Verb } from '../../src/cli/verb.ts';
import {
  type Flag,
  flagName,
  type Preset,
  type PresetName,
  parseOptions,
  presets,
  resolve,
  tables,
  toTrainOptions,
  trainFlags,
  trainOptions,
} from '../../src/config/index.ts';

const FOLDER = 'docs/models';
const SECTIONS = ['Model', 'When', 'Command', 'Reference', 'Figures'];
const files = readdirSync(FOLDER).filter((file) => file.endsWith('.md'));
const page = (name: string): string => readFileSync(join(FOLDER, `${name}.md`), 'utf8');
const names = Object.keys(presets) as PresetName[];
const flags = new Map(trainFlags().map((flag) => [`--${kebab(flag.name)}`, flag]));

function section(text: string, title: string): string {
  return text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
}

const READ: Readonly<Record<Flag['kind'], (word: string) => unknown>> = {
  number: Number,
  numbers: (word) => word.split(',').map(Number),
  text: String,
  texts: (word) => word.split(','),
  switch: (word) => word === 'true',
  'one of': String,
};

/** The choices that the words of a command line stand for. */
function choicesOf(line: string): Record<string, unknown> {
  const words = line.replace(/#.*/, '').trim().split(/\s+/).slice(3);
  const given: Record<string, unknown> = {};
  for (let i = 0; i < words.length; i += 2) {
    const flag = flags.get(words[i]!);
    assert.ok(flag && words[i + 1], `${words[i]} ${words[i + 1]}`);
    given[flag.name] = READ[flag.kind](words[i + 1]!);
  }
  const options = Object.entries(toTrainOptions(given));
  return Object.fromEntries(options.filter(([name]) => Object.hasOwn(tables, name)));
}

/** What each option of a choice is where only the preset was said. */
function defaultsOf(name: PresetName): Map<string, string> {
  const given = parseOptions(trainOptions, { preset: name });
  const label = (presets[name] as Preset).only === 'label';
  const facts = { shape: [28, 28, 1], fields: 1, trainRows: 1000, condition: true, label };
  const { config } = resolve(given, facts);
  const found = new Map<string, string>();
  for (const [table, entries] of Object.entries(tables)) {
    const { kind, ...chosen } = (config[table as keyof typeof config] ?? {}) as Record<string, unknown>;
    const asked = Object.hasOwn((presets[name] as Preset).choices, table);
    const fromData = !asked && (table === 'network' || table === 'likelihood');
    found.set(`--${table}`, fromData ? 'from the data' : `\`${kind}\``);
    if (kind === undefined) continue;
    const entry = entries[kind as keyof typeof entries] as { readonly options: object };
    for (const option of Object.keys(entry.options))
      found.set(`--${kebab(flagName(table, option))}`, shown(chosen[option]));
  }
  return found;
}

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  if (value === false) return 'off';
  return typeof value === 'string' ? `\`${value}\`` : String(value);
}

test('every known model has a page, every page a model, and the index has all of them', () => {
  const index = page('README');
  assert.deepEqual(files.toSorted(), ['README', ...names].map((name) => `${name}.md`).toSorted());
  for (const name of names) {
    const { title } = presets[name];
    assert.ok(index.includes(`| [${name}](${name}.md) | ${title} |`), `the index lacks ${name}: ${title}`);
  }
});

for (const name of names) {
  test(`the page of ${name}`, () => {
    const text = page(name);
    assert.ok(text.startsWith(`# ${name}\n\n`));
    assert.deepEqual(
      [...text.matchAll(/^## (.*)$/gm)].map((m) => m[1]),
      SECTIONS,
    );
    assert.match(section(text, 'Model'), /```math\n|\(ladderVae\.md\)/);
    const [short, whole] = section(text, 'Command').match(/^elbo train data.*$/gm)!;
    assert.ok(short?.startsWith(`elbo train data --preset ${name}`), short);
    assert.deepEqual(choicesOf(whole!), { ...presets[name].choices }, whole);
    const defaults = defaultsOf(name);
    const rows = [...section(text, 'Command').matchAll(/^\| `(--[\w-]+)` \| (.*?) \| .+ \|$/gm)];
    assert.ok(rows.length > 0, 'a table of options');
    for (const [, option, value] of rows) {
      assert.ok(flags.has(option!), `train has no ${option}`);
      const ofChoice = [...Object.entries(tables)].some(
        ([table, entries]) =>
          option === `--${table}` ||
          Object.values(entries).some(({ options }) =>
            Object.keys(options).some((own) => `--${kebab(flagName(table, own))}` === option),
          ),
      );
      if (ofChoice) assert.equal(value, defaults.get(option!), `${option} of ${name}`);
    }
  });
}

test('every option, file and function that the pages name exists, and every link leads somewhere', async () => {
  const verbs = readdirSync('src/cli/commands').map(async (file) => {
    const url = pathToFileURL(join('src/cli/commands', file)).href;
    return ((await import(url)) as { default: Verb }).default;
  });
  const own = (await Promise.all(verbs)).flatMap(({ groups }) => groups.flatMap((g) => Object.keys(g.flags)));
  const known = new Set(own.map((name) => `--${kebab(name)}`));
  for (const file of files) {
    const text = readFileSync(join(FOLDER, file), 'utf8').replace(/<!--.*?-->/g, '');
    for (const [option] of text.matchAll(/--[a-z][\w-]+/g))
      assert.ok(known.has(option), `${file}: ${option}`);
    for (const [, link] of text.matchAll(/\]\(([^)#:]+)\)/g))
      assert.ok(existsSync(join(FOLDER, link!)), `${file}: ${link}`);
    for (const [, path] of text.matchAll(/`([a-z]+\/[\w-]+\.ts|hierarchy\.ts)`/g))
      assert.ok(existsSync(join('src/vae', path!)), `${file}: ${path}`);
    for (const [, name, path] of text.matchAll(
      /`(\w+)(?:\([^`]*\))?`(?: of (?:a|the) [\w ]+)? in `([a-z]+\/[\w-]+\.ts)`/g,
    ))
      assert.match(
        readFileSync(join('src/vae', path!), 'utf8'),
        new RegExp(`\\b${name}\\b`),
        `${file}: ${name}`,
      );
  }
});
