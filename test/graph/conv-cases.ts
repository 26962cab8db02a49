/** Geometries of convolutions, chosen so that every path of src/graph/conv.ts and its neighbours is taken. */
import { type ConvTransposeOptions, conv, convTranspose } from '../../src/graph/index.ts';
import type { Case } from './cases.ts';

export interface Geometry extends ConvTransposeOptions {
  /** Size along each space axis of the input. */
  readonly space: readonly number[];
  readonly kernel: readonly number[];
  readonly channels: number;
  readonly outputs: number;
}

export const geometries: readonly Geometry[] = [
  { space: [5], kernel: [3], channels: 2, outputs: 3 },
  { space: [5, 4], kernel: [3, 3], channels: 2, outputs: 3, padding: 1 },
  { space: [3, 2], kernel: [1, 1], channels: 3, outputs: 5 }, // pointwise: no gathering at all
  { space: [3, 4], kernel: [1, 1], channels: 2, outputs: 3, stride: 2 },
  { space: [3, 4], kernel: [1, 1], channels: 2, outputs: 2, padding: 1 },
  { space: [6, 6], kernel: [4, 4], channels: 1, outputs: 6, stride: 2, padding: 1 }, // blocks are moved
  { space: [6, 4], kernel: [2, 2], channels: 3, outputs: 6, stride: 2 },
  { space: [8], kernel: [4], channels: 2, outputs: 7, stride: 2, padding: 1 },
  { space: [6], kernel: [6], channels: 2, outputs: 5, stride: 3, padding: 3 },
  { space: [7, 6], kernel: [3, 3], channels: 2, outputs: 5, stride: 2, padding: 1 }, // the stride does not divide
  { space: [7], kernel: [5], channels: 2, outputs: 5, stride: 3, padding: 2 },
  { space: [8], kernel: [3], channels: 2, outputs: 2, stride: 3 }, // rows at the end are not read
  { space: [7], kernel: [2], channels: 1, outputs: 5, stride: 3 }, // the stride passes over rows
  { space: [4, 4], kernel: [4, 4], channels: 17, outputs: 6, stride: 2, padding: 1 }, // many channels
  { space: [4], kernel: [4], channels: 2, outputs: 33, stride: 2, padding: 1 },
  { space: [5, 5], kernel: [3, 2], channels: 5, outputs: 2 }, // few outputs: products first
  { space: [2, 3, 4], kernel: [2, 3, 2], channels: 2, outputs: 5, padding: 1 },
  { space: [4, 2, 4], kernel: [2, 2, 2], channels: 1, outputs: 2, stride: 2 },
  { space: [9], kernel: [3], channels: 2, outputs: 5, dilation: 2 },
  { space: [7, 6], kernel: [3, 2], channels: 2, outputs: 3, dilation: 2, stride: 2, padding: 2 },
  { space: [5, 4], kernel: [3, 3], channels: 4, outputs: 6, padding: 1, groups: 2 },
  { space: [6], kernel: [3], channels: 3, outputs: 3, padding: 1, stride: 2, groups: 3 }, // depthwise
  { space: [5, 5], kernel: [2, 2], channels: 2, outputs: 4, groups: 2, dilation: 2 }, // depthwise, times two
  { space: [4, 6], kernel: [2, 3], channels: 4, outputs: 2, dilation: 2, padding: 1 }, // few channels: rows are moved
  { space: [5, 4], kernel: [3, 1], channels: 1, outputs: 2, padding: 1 },
  { space: [2, 17], kernel: [2, 17], channels: 1, outputs: 3 }, // too many slices for that
  { space: [8, 7], kernel: [3, 3], channels: 16, outputs: 17, padding: 1 }, // by tiles, which pass the last column
  { space: [5, 6], kernel: [3, 3], channels: 17, outputs: 16, padding: 2 },
  { space: [6, 9], kernel: [3, 3], channels: 16, outputs: 16 },
  { space: [9, 5], kernel: [2, 2], channels: 16, outputs: 16 },
  { space: [10, 8], kernel: [4, 4], channels: 16, outputs: 17, stride: 2, padding: 1 },
  { space: [13, 12], kernel: [6, 6], channels: 16, outputs: 17, stride: 3, padding: 2 }, // the last row is not read
  { space: [9, 9], kernel: [6, 6], channels: 16, outputs: 16, stride: 2, padding: 1 },
];

/** With `extra`, and where the transposed form is cut at the end, begins inside a cell, or is one cell. */
export const transposedGeometries: readonly Geometry[] = [
  ...geometries,
  { space: [3, 3], kernel: [3, 3], channels: 2, outputs: 5, stride: 2, padding: 1, extra: 1 },
  { space: [3], kernel: [3], channels: 6, outputs: 1, stride: 2, padding: 1, extra: 1 },
  { space: [2], kernel: [2], channels: 2, outputs: 3, stride: 3, extra: 2 },
  { space: [3], kernel: [4], channels: 1, outputs: 2, stride: 2, padding: 3 },
  { space: [1, 1], kernel: [4, 4], channels: 5, outputs: 8 },
  { space: [3], kernel: [1], channels: 2, outputs: 3, extra: 1 },
  { space: [3], kernel: [1], channels: 2, outputs: 3, padding: 1, extra: 2 },
  { space: [3, 3], kernel: [3, 3], channels: 4, outputs: 2, stride: 2, padding: 1, groups: 2, extra: 1 },
  { space: [4], kernel: [3], channels: 2, outputs: 2, dilation: 2, stride: 2, padding: 1, extra: 1 },
  { space: [2, 1], kernel: [8, 8], channels: 3, outputs: 2, stride: 4, padding: 2, extra: 3 }, // few, of many places
];

const taps = (g: Geometry): number => g.kernel.reduce((a, b) => a * b, 1);

/** Shapes of x, weight and bias. */
export const convShapes = (g: Geometry) =>
  [
    ['B', ...g.space, g.channels],
    [(taps(g) * g.channels) / (g.groups ?? 1), g.outputs],
    [g.outputs],
  ] as const;

export const transposedShapes = (g: Geometry) =>
  [['B', ...g.space, g.channels], [taps(g) * g.outputs, g.channels / (g.groups ?? 1)], [g.outputs]] as const;

export const convolutions: readonly Case[] = geometries.map((g, i) => ({
  inputs: convShapes(g)
    .slice(0, i % 3 === 0 ? 2 : 3)
    .map((shape) => ({ shape })),
  build: (x, w, b) => conv(x!, w!, b, g.kernel, g),
}));

export const transposedConvolutions: readonly Case[] = transposedGeometries.map((g, i) => ({
  inputs: transposedShapes(g)
    .slice(0, i % 3 === 0 ? 2 : 3)
    .map((shape) => ({ shape })),
  build: (x, w, b) => convTranspose(x!, w!, b, g.kernel, g),
}));
