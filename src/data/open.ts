/** `openDataset`: a path to rows with a schema, whatever the format. */
import { access, constants, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { UserError } from '../errors.ts';
import {
  type GivenPaths,
  type ImageOptions,
  type OpenOptions,
  type Settings,
  settingsOf,
} from './options.ts';
import type { Dataset } from './rows.ts';
import { type Source, sourceOf } from './sources.ts';
import { openSprites } from './sprites-source.ts';

/** Opens a file or folder, or a file for each split, and infers the schema unless a whole one is given. */
export async function openDataset(data: string | GivenPaths, options: OpenOptions = {}): Promise<Dataset> {
  const given = typeof data === 'string' ? { train: data } : data;
  const settings = settingsOf(options);
  checkLimit(settings.limit);
  const made = MADE[given.train];
  if (made && !(await isThere(given.train))) {
    checkImage(given.train, made, settings);
    return made.open(given, settings);
  }
  for (const path of Object.values(given)) if (path !== undefined) await checkReadable(path);
  const source = await sourceOf(given.train);
  for (const path of [given.validation, given.test])
    if (path !== undefined && (await sourceOf(path)) !== source)
      throw new UserError(`${path}: is not ${source.name} as ${given.train} is; give files of one format`);
  checkImage(given.train, source, settings);
  return source.open(absolute(given), settings);
}

/** Data that is told by name and made, unless there is a file or folder of that name. */
const MADE: Readonly<Record<string, Pick<Source, 'name' | 'heeds' | 'open'>>> = {
  sprites: { name: 'sprites', heeds: ['size', 'binarize'], open: openSprites },
};

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

const absolute = ({ train, validation, test }: GivenPaths): GivenPaths => ({
  train: resolve(train),
  validation: validation && resolve(validation),
  test: test && resolve(test),
});

/** A known schema says what pictures are, whatever else is said. */
function checkImage(path: string, { name, heeds }: Pick<Source, 'name' | 'heeds'>, settings: Settings): void {
  if (settings.schema) return;
  for (const [option, value] of Object.entries(settings.image))
    if (value !== undefined && !heeds.includes(option as keyof ImageOptions))
      throw new UserError(
        `${option} ${value}: has no effect on ${path} (${name}), whose values are used as they are; leave it out`,
      );
}

function checkLimit(limit: number | undefined): void {
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1))
    throw new UserError(`limit ${limit}: expected a whole number from 1`);
}

async function checkReadable(path: string): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      error.code === 'ENOENT' ? `${path}: no such file or folder` : `${path}: ${error.message}`,
    );
  });
  await access(path, constants.R_OK).catch(() => {
    throw new UserError(`${path}: you have no permission to read it`);
  });
  if (found.isFile() && found.size === 0) throw new UserError(`${path}: the file is empty`);
}
