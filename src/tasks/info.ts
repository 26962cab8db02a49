/** `info`: what a model is, from its model.json; every file that it lists is checked. */
import { parseConfig } from '../config/index.ts';
import { describeSchema, parseSchema } from '../data/index.ts';
import {
  listSamplers,
  type ModelFile,
  readModelFolder,
  readSampler,
  type SamplerFile,
} from '../model/index.ts';

export interface Info {
  readonly file: ModelFile;
  /** In words. */
  readonly fields: readonly string[];
  /** What was fitted to it since, by name, the newest last. */
  readonly samplers: Readonly<Record<string, SamplerFile>>;
}

export async function info(path: string): Promise<Info> {
  const { file, read } = await readModelFolder(path);
  for (const name of Object.keys(file.files)) await read(name);
  parseConfig(file.config);
  const names = await listSamplers(path);
  const samplers = await Promise.all(
    names.map(async (name) => [name, (await readSampler(path, name)).file] as const),
  );
  return {
    file,
    fields: describeSchema(parseSchema(file.schema)),
    samplers: Object.fromEntries(samplers),
  };
}
