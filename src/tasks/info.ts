/** `info`: what a model is, from its model.json alone. */
import { parseConfig } from '../config/index.ts';
import { describeSchema, parseSchema } from '../data/index.ts';
import { type ModelFile, readModelFolder } from '../model/index.ts';

export interface Info {
  readonly file: ModelFile;
  /** In words. */
  readonly fields: readonly string[];
}

export async function info(path: string): Promise<Info> {
  const { file } = await readModelFolder(path);
  parseConfig(file.config);
  return { file, fields: describeSchema(parseSchema(file.schema)) };
}
