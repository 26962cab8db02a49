/** Values of conditions as they stand on a command line. */
import type { Given } from '../data/given.ts';
import { UserError } from '../errors.ts';

/** `sex=Female,age=30`, already parted at commas: a piece without = goes on with the value before it, which had one. */
export function parseGiven(pieces: readonly string[] | undefined): Given | undefined {
  if (!pieces) return undefined;
  const values = new Map<string, string>();
  let last = '';
  for (const piece of pieces) {
    const at = piece.indexOf('=');
    if (at > 0) {
      last = piece.slice(0, at).trim();
      if (values.has(last)) throw new UserError(`--given ${last}: is given twice`);
      values.set(last, piece.slice(at + 1));
    } else if (last === '')
      throw new UserError(`--given ${piece}: expected name=value, as in --given sex=Female,age=30`);
    else values.set(last, `${values.get(last)},${piece}`);
  }
  return Object.fromEntries(values);
}
