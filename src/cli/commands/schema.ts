/** elbo schema */
import { plainFlags } from '../../config/flags.ts';
import { dataOptions } from '../../config/options.ts';
import { UserError } from '../../errors.ts';
import type { SchemaOptions, SchemaResult } from '../../tasks/schema.ts';
import type { Terminal } from '../terminal.ts';
import type { FlagSpecs, Verb } from '../verb.ts';
import { shared } from '../verb.ts';

const flags: FlagSpecs = Object.fromEntries(plainFlags(dataOptions).map(({ name, ...spec }) => [name, spec]));

const command: Verb = {
  description:
    'Reads data as elbo train would and says what each field is. The schema can be written to a file, edited, and given to elbo train with --schema.',
  arguments: [
    { name: 'data', brief: 'table (csv tsv parquet json), npy, npz, IDX, folder of pictures, or sprites' },
  ],
  groups: [
    {
      title: 'Output',
      flags: { out: { kind: 'text', brief: 'JSON file to write' }, overwrite: shared.overwrite },
    },
    { title: 'Data', flags },
  ],
  aliases: { o: 'out' },
  examples: [
    'elbo schema adult.csv',
    'elbo schema adult.csv --out schema.json',
    'elbo train adult.csv --schema schema.json',
  ],
  run: async ({ out, overwrite, json: _, debug: __, ...options }, [path = ''], terminal) => {
    const [{ given }, { schema }] = await Promise.all([
      import('../model.ts'),
      import('../../tasks/schema.ts'),
    ]);
    const result = await schema(path, given(options) as SchemaOptions);
    if (out !== undefined) await save(result, String(out), Boolean(overwrite));
    if (terminal.wantsJson)
      terminal.json({ schema: result.schema, counts: result.counts, notes: result.notes });
    else print(result, terminal, out === undefined ? undefined : String(out));
    return undefined;
  },
};
export default command;

async function save({ schema }: SchemaResult, path: string, overwrite: boolean): Promise<void> {
  if (!path.endsWith('.json'))
    throw new UserError(`${path}: a schema is written as JSON, give a name ending in .json`);
  const { writeBytes } = await import('../../data/write.ts');
  await writeBytes(path, new TextEncoder().encode(`${JSON.stringify(schema, null, 2)}\n`), { overwrite });
}

function print({ lines, notes, counts }: SchemaResult, terminal: Terminal, out: string | undefined): void {
  for (const line of lines) terminal.print(line);
  const rows = Object.entries(counts).map(([split, n]) => `${n.toLocaleString('en')} ${split}`);
  terminal.print();
  terminal.print(`Rows: ${rows.join(', ')}`);
  for (const note of notes) terminal.print(`Note: ${note}`);
  if (out !== undefined) terminal.print(`Schema: ${out}`);
}
