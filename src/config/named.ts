/** Names with what belongs to them, as they stand on a command line. */
import { UserError } from '../errors.ts';

/** `left=a,b,right=c` as { left: [a, b], right: [c] }: a piece without = goes on with the name before it. */
export function namedPieces(
  pieces: readonly string[],
  flag: string,
  example: string,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let last: string[] | undefined;
  for (const piece of pieces.flatMap((text) => text.split(','))) {
    const at = piece.indexOf('=');
    if (at > 0) {
      const name = piece.slice(0, at).trim();
      if (found.has(name)) throw new UserError(`${flag} ${name}: is given twice`);
      last = [piece.slice(at + 1)];
      found.set(name, last);
    } else if (last) last.push(piece);
    else throw new UserError(`${flag} ${piece}: expected name=value, as in ${flag} ${example}`);
  }
  return found;
}
