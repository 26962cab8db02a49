/** Options that several objectives have: one name, one meaning, one type. */
import * as z from 'zod';
import type { Adversary } from '../objective.ts';

export const betaOption = (value: number) => z.number().min(0).default(value).describe('weight of the KL');

export const samplesOption = (value: number) =>
  z.int().min(1).max(10_000).default(value).describe('draws of z for each example');

/** The weight of a term of the loss, nats. */
export const weightOption = (value: number, of: string) =>
  z.number().min(0).default(value).describe(`weight of ${of}`);

const widths = z.array(z.int().min(1).max(65_536)).min(1);

export const adversaryOptions = (rate: number) => ({
  adversaryRate: z
    .number()
    .positive()
    .default(rate)
    .describe("learning rate of the adversary, times the model's"),
  adversaryBeta1: z
    .number()
    .min(0)
    .lt(1)
    .default(0.5)
    .describe("decay of the mean of the adversary's gradient"),
});

export const adversaryHidden = widths
  .default([256, 256])
  .describe('widths of the hidden layers of the adversary');
export const adversaryChannels = widths
  .default([32, 64])
  .describe('channels of the adversary after each halving of the picture, as many as leave a side of 4');

export const adversaryOf = (o: { adversaryRate: number; adversaryBeta1: number }): Adversary => ({
  rate: o.adversaryRate,
  beta1: o.adversaryBeta1,
});
