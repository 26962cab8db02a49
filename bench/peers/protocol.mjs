/** A JavaScript peer as a process of Node: commands and answers are lines of JSON (protocol.py). */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { answering } from './steps.mjs';

/** Packages come from the folder that the driver names. */
export const require = createRequire(join(process.env.ELBO_PEERS_JS, 'package.json'));

const readerOf = (folder) => async (key) => {
  const { buffer, byteOffset, byteLength } = await readFile(join(folder, key));
  return buffer.slice(byteOffset, byteOffset + byteLength);
};

export async function serve(open, trainer) {
  const answer = answering(open, trainer, readerOf);
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await answer(JSON.parse(line))));
  }
  process.exit();
}
