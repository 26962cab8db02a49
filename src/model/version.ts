/** The version of this package, as its package.json has it. */
import { readFileSync } from 'node:fs';

/** Works from the sources and from the built package: both lie two folders below package.json. */
export function packageVersion(): string {
  const json = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(json) as { version: string }).version;
}
