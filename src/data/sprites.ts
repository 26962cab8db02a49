/**
 * Sprites: white shapes on black whose five factors of variation are known, every combination once. In the manner of dSprites
 * (Matthey et al. 2017), drawn anew: no shape looks the same after a turn, so that each picture has one set of factors.
 */
import { stream } from '../random/stream.ts';

/** Names of the shapes; the other factors by their values. */
export const SPRITE_FACTORS = {
  shape: ['heart', 'flag', 'drop'],
  /** Of the largest, whose area is half of that of a circle with a quarter of the picture as its radius. */
  scale: [0.5, 0.6, 0.7, 0.8, 0.9, 1],
  /** Degrees, clockwise. */
  rotation: Array.from({ length: 20 }, (_, i) => 18 * i),
  /** Of the centre of mass, in sixteenths of the picture from the left and from the top. */
  x: Array.from({ length: 8 }, (_, i) => 4.5 + i),
  y: Array.from({ length: 8 }, (_, i) => 4.5 + i),
} as const;

export type SpriteFactor = keyof typeof SPRITE_FACTORS;
const NAMES = Object.keys(SPRITE_FACTORS) as SpriteFactor[];
const SIZES = NAMES.map((name) => SPRITE_FACTORS[name].length);

/** 23,040 */
export const SPRITE_COUNT = SIZES.reduce((a, b) => a * b, 1);

export interface Sprites {
  readonly count: number;
  /** Pixels on a side. */
  readonly size: number;
  /** 0 or 255, [count, size, size]. */
  readonly pixels: Uint8Array;
  /** By factor which of its values each picture has. */
  readonly factors: Readonly<Record<SpriteFactor, Int32Array>>;
}

/** All sprites, or the first `limit`, always in the same mixed order. `size` is a multiple of 16. */
export function sprites(size = 32, limit = SPRITE_COUNT): Sprites {
  if (!(Number.isInteger(size / 16) && size > 0))
    throw new RangeError(`sprites of ${size} pixels: expected a multiple of 16`);
  const count = Math.min(limit, SPRITE_COUNT);
  const order = stream(0, 'sprites').permutation(SPRITE_COUNT).subarray(0, count);
  const factors = Object.fromEntries(NAMES.map((name) => [name, new Int32Array(count)])) as Record<
    SpriteFactor,
    Int32Array
  >;
  order.forEach((which, i) => {
    let rest = which;
    for (let k = NAMES.length - 1; k >= 0; k--) {
      factors[NAMES[k]!][i] = rest % SIZES[k]!;
      rest = Math.floor(rest / SIZES[k]!);
    }
  });
  return { count, size, pixels: drawAll(size, count, factors), factors };
}

function drawAll(size: number, count: number, factors: Sprites['factors']): Uint8Array {
  const pixels = new Uint8Array(count * size * size);
  const stamps = new Map<number, Uint8Array>();
  const side = (size * 9) / 16; // of a stamp: the largest shape and a margin
  const shapes = SPRITE_FACTORS.shape.map((name) => normalised(SHAPES[name]));
  for (let i = 0; i < count; i++) {
    const [shape, scale, rotation] = [factors.shape[i]!, factors.scale[i]!, factors.rotation[i]!];
    const key = (shape * SPRITE_FACTORS.scale.length + scale) * SPRITE_FACTORS.rotation.length + rotation;
    const drawn = stamps.get(key) ?? stamp(side, size, shapes[shape]!, scale, rotation);
    stamps.set(key, drawn);
    const left = (factors.x[i]! * size) / 16;
    const top = (factors.y[i]! * size) / 16;
    for (let y = 0; y < side; y++)
      pixels.set(drawn.subarray(y * side, (y + 1) * side), (i * size + top + y) * size + left);
  }
  return pixels;
}

const FINE = 4; // points a pixel and direction

/** One shape about the middle of a square, white where at least half of a pixel is inside. */
function stamp(side: number, size: number, inside: Inside, scale: number, rotation: number): Uint8Array {
  const out = new Uint8Array(side * side);
  const radius = 0.25 * size * SPRITE_FACTORS.scale[scale]!;
  const angle = (SPRITE_FACTORS.rotation[rotation]! * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle) / radius, Math.sin(angle) / radius];
  const at = (pixel: number, part: number) => pixel + (part + 0.5) / FINE - side / 2;
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let hits = 0;
      for (let a = 0; a < FINE; a++)
        for (let b = 0; b < FINE; b++) {
          const [dx, dy] = [at(x, a), at(y, b)];
          if (inside(cos * dx + sin * dy, sin * dx - cos * dy)) hits++;
        }
      out[y * side + x] = hits * 2 >= FINE * FINE ? 255 : 0;
    }
  return out;
}

/** Whether a point is inside a shape; u to the right, v up. */
type Inside = (u: number, v: number) => boolean;

/**
 * The shape moved and scaled so that its centre of mass is the origin and its area π/2: a turn about any other point would move
 * it, and shapes of other areas would differ in scale, so that the factors would not be independent.
 */
function normalised(inside: Inside): Inside {
  const points = gridOf(inside);
  const mean = (axis: 0 | 1) => points.reduce((sum, point) => sum + point[axis], 0) / points.length;
  const [u0, v0] = [mean(0), mean(1)];
  const unit = Math.sqrt((points.length * GRID_STEP ** 2) / (Math.PI / 2));
  return (u, v) => inside(u0 + unit * u, v0 + unit * v);
}

const GRID_STEP = 1 / 64;

/** The points of a fine grid over [−2, 2]² that are inside. */
function gridOf(inside: Inside): [u: number, v: number][] {
  const ticks = Array.from({ length: 257 }, (_, i) => (i - 128) * GRID_STEP);
  return ticks.flatMap((u) => ticks.filter((v) => inside(u, v)).map((v): [number, number] => [u, v]));
}

/** Upright, not yet normalised. */
const SHAPES: Readonly<Record<(typeof SPRITE_FACTORS.shape)[number], Inside>> = {
  heart: (u, v) => (u * u + v * v - 1) ** 3 < u * u * v ** 3,
  flag: (u, v) => Math.abs(v) < 0.8 && u > -0.6 && (u < 0 || (v > -0.1 && u < 0.7)),
  drop: (u, v) => {
    const low = v + 0.3;
    return u * u + low * low < 0.49 || (low > 0 && v < 1 && Math.abs(u) < 0.54 * (1 - v));
  },
};
