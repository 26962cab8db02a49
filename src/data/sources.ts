/** The table of formats: how each is recognised and opened. */
import { readdir, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { UserError } from '../errors.ts';
import { readIdxFile, readNumpyFile } from './array-files.ts';
import { openArrays } from './arrays.ts';
import { idxFolder, isIdxName } from './idx.ts';
import { openPictures } from './images.ts';
import type { GivenPaths, ImageOptions, Settings } from './options.ts';
import type { Dataset } from './rows.ts';
import { openTable } from './table.ts';
import type { TableFormat } from './table-source.ts';

export interface Source {
  readonly name: string;
  /** How it is told, for messages. */
  readonly known: string;
  /** How it is read, where it is a table. */
  readonly table?: TableFormat;
  /** The options about pictures that it heeds. */
  readonly heeds: readonly (keyof ImageOptions)[];
  matches(path: string, isFolder: boolean): boolean | Promise<boolean>;
  open(given: GivenPaths, settings: Settings): Promise<Dataset>;
}

const endsWith =
  (...endings: readonly string[]) =>
  (path: string, isFolder: boolean): boolean =>
    !isFolder && endings.some((ending) => path.toLowerCase().endsWith(ending));

const table = (name: string, format: TableFormat, ...endings: readonly string[]): Source => ({
  name,
  known: endings.join(' '),
  table: format,
  heeds: [],
  matches: endsWith(...endings),
  open: (given, settings) => openTable(format, given, settings),
});

export const SOURCES: readonly Source[] = [
  table('CSV', 'csv', '.csv', '.csv.gz', '.txt'),
  table('TSV', 'tsv', '.tsv', '.tab', '.tsv.gz'),
  table('Parquet', 'parquet', '.parquet', '.pq'),
  table('JSON', 'json', '.json', '.jsonl', '.ndjson', '.json.gz', '.jsonl.gz', '.ndjson.gz'),
  {
    name: 'NumPy',
    known: '.npy .npz',
    heeds: ['binarize'],
    matches: endsWith('.npy', '.npz'),
    open: (given, settings) => openArrays(given, settings, readNumpyFile),
  },
  {
    name: 'IDX',
    known: '.idx *-ubyte (or .gz), a folder with train-images-idx3-ubyte',
    heeds: ['binarize'],
    matches: async (path, isFolder) =>
      isFolder ? (await idxFolder(path)) !== undefined : isIdxName(basename(path)),
    open: async (given, settings) => openArrays(await idxFiles(given), settings, readIdxFile),
  },
  {
    name: 'a folder of pictures',
    known: 'a folder of png, jpg, webp or gif pictures',
    heeds: ['size', 'color', 'binarize'],
    matches: (_, isFolder) => isFolder,
    open: openPictures,
  },
];

/** Folders as the files in them; one given for one split must not be of two. */
async function idxFiles({ train, validation, test }: GivenPaths): Promise<GivenPaths> {
  const files = (await idxFolder(train)) ?? { train, test: undefined };
  return {
    train: files.train,
    validation: validation && (await onlyFile(validation)),
    test: test ? await onlyFile(test) : files.test,
  };
}

async function onlyFile(path: string): Promise<string> {
  const { train, test } = (await idxFolder(path)) ?? { train: path, test: undefined };
  if (test === undefined) return train;
  throw new UserError(
    `${path}: has training and test pictures, expected those of one split; ` +
      `give files instead of folders, for each split its own, as in ${train}`,
  );
}

/** The source for a file or folder, by its name and what is in it. */
export async function sourceOf(path: string): Promise<Source> {
  const isFolder = (await stat(path)).isDirectory();
  if (isFolder)
    await readdir(path).catch((error: Error) => {
      throw new UserError(`${path}: the folder cannot be listed: ${error.message}`);
    });
  for (const source of SOURCES) if (await source.matches(path, isFolder)) return source;
  throw new UserError(
    `${path}: this kind of file is not known. Known: ${SOURCES.map(({ known }) => known).join(', ')}`,
  );
}
