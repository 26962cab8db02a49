/** Where this package is, and which version. */
import { readFileSync } from 'node:fs';

/** The same from the sources, the built library and the bundled command: all lie two folders below package.json. */
export const packageRoot = new URL('../../', import.meta.url);

/** The version of this package, as its package.json has it. */
export function packageVersion(): string {
  const json = readFileSync(new URL('package.json', packageRoot), 'utf8');
  return (JSON.parse(json) as { version: string }).version;
}
