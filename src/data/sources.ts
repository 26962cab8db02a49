/** The table of formats: how each is recognised and opened. */
import { UserError } from '../errors.ts';
import type { GivenPaths, Settings } from './options.ts';
import type { Dataset } from './rows.ts';
import { openTable } from './table.ts';

export interface Source {
  readonly name: string;
  /** Ends of file names, lower case. */
  readonly endings: readonly string[];
  open(given: GivenPaths, settings: Settings): Promise<Dataset>;
}

export const SOURCES: readonly Source[] = [
  {
    name: 'CSV',
    endings: ['.csv', '.csv.gz', '.txt'],
    open: (given, settings) => openTable('csv', given, settings),
  },
  {
    name: 'TSV',
    endings: ['.tsv', '.tab', '.tsv.gz'],
    open: (given, settings) => openTable('tsv', given, settings),
  },
  {
    name: 'Parquet',
    endings: ['.parquet', '.pq'],
    open: (given, settings) => openTable('parquet', given, settings),
  },
  {
    name: 'JSON',
    endings: ['.json', '.jsonl', '.ndjson', '.json.gz', '.jsonl.gz'],
    open: (given, settings) => openTable('json', given, settings),
  },
];

/** The source for a file, by the end of its name. */
export function sourceOf(path: string): Source {
  const name = path.toLowerCase();
  const found = SOURCES.find(({ endings }) => endings.some((ending) => name.endsWith(ending)));
  if (found) return found;
  const known = SOURCES.flatMap(({ endings }) => endings).join(' ');
  throw new UserError(`${path}: this kind of file is not known. Known endings: ${known}`);
}
