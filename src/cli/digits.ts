/** A number as a small picture: what the lines of a sheet are called. */

/** Five lines of three pixels each, a bit a pixel. */
const GLYPHS = [
  [7, 5, 5, 5, 7],
  [2, 6, 2, 2, 7],
  [7, 1, 7, 4, 7],
  [7, 1, 7, 1, 7],
  [5, 5, 7, 1, 1],
  [7, 4, 7, 1, 7],
  [7, 4, 7, 5, 7],
  [7, 1, 1, 1, 1],
  [7, 5, 7, 5, 7],
  [7, 5, 7, 1, 7],
];
const [WIDTH, HEIGHT] = [4, 5]; // a digit and the gap behind it

/** Calls `ink` for every dark pixel of `value` in a field of this size, as large as it fits and in the middle. */
export function drawNumber(
  value: number,
  { height, width }: { readonly height: number; readonly width: number },
  ink: (y: number, x: number) => void,
): void {
  const digits = [...String(value)].map(Number);
  const across = digits.length * WIDTH - 1;
  const scale = Math.floor(Math.min(width / across, height / (2 * HEIGHT)));
  const [top, left] = [(height - HEIGHT * scale) >> 1, (width - across * scale) >> 1];
  for (let y = 0; y < HEIGHT * scale; y++)
    for (let x = 0; x < across * scale; x++) {
      const [column, digit] = [Math.floor(x / scale) % WIDTH, digits[Math.floor(x / scale / WIDTH)]!];
      const line = GLYPHS[digit]![Math.floor(y / scale)]!;
      if (column < 3 && line & (4 >> column)) ink(top + y, left + x);
    }
}
