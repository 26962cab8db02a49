/** Values of conditions as they stand on a command line. */
import { namedPieces } from '../config/named.ts';
import type { Given } from '../data/given.ts';

/** `sex=Female,age=30`; a value may have commas. */
export function parseGiven(pieces: readonly string[] | undefined): Given | undefined {
  if (!pieces) return undefined;
  const named = namedPieces(pieces, '--given', 'sex=Female,age=30');
  return Object.fromEntries([...named].map(([name, values]) => [name, values.join(',')]));
}
