/** `sample`: new rows or pictures, from z drawn from the prior or from what was fitted in its place. */
import { totalmem } from 'node:os';
import { concatRows, modelFields, type Rows, rowBytes } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { stream } from '../random/index.ts';
import { type ConditionOptions, conditionFeed, sampledConditions } from './conditions.ts';
import { draw } from './decode.ts';
import type { Model } from './model.ts';
import { checkCount } from './rows.ts';
import { openZSource } from './samplers.ts';

export interface SampleOptions extends ConditionOptions {
  readonly count?: number;
  readonly seed?: number;
  /** Where z comes from: `prior`, or the name of a sampler; by default the one fitted last, or else the prior. */
  readonly sampler?: string;
  /** Of z: below 1 is more typical, above 1 more varied. */
  readonly temperature?: number;
  /** Normal numbers that z is made of are drawn anew while they are further than this from 0. */
  readonly truncate?: number;
  /** The mean of p(x|z) instead of a draw. */
  readonly mean?: boolean;
  /** Keep numbers within the range seen in training. */
  readonly clip?: boolean;
}

const BATCH = 500;
const HOTTEST = 1e6; // far beyond all that a decoder can tell apart, and finite in float32
const LEAST = 0.01; // of a truncation: 1 in 125 normal numbers is within it

/** All rows are in memory, and once more while they are put together. */
function checkMemory(count: number, { schema }: Model): void {
  const wanted = 2 * count * rowBytes(modelFields(schema));
  if (wanted > totalmem())
    throw new UserError(
      `count ${count}: so many rows want ${Math.ceil(wanted / 2 ** 30).toLocaleString('en')} GiB of memory, and there are ` +
        `${Math.floor(totalmem() / 2 ** 30)}: draw fewer at a time, each time with another --seed`,
    );
}

export async function sample(model: Model, options: SampleOptions = {}): Promise<Rows> {
  const { count = 64, seed = 0, sampler, temperature = 1, truncate, ...rest } = options;
  const { mean = false, clip = true, ...told } = rest;
  checkCount(count);
  checkMemory(count, model);
  if (!(temperature >= 0 && temperature <= HOTTEST))
    throw new UserError(`temperature ${temperature}: expected a number from 0 to ${HOTTEST}`);
  if (truncate !== undefined && !(truncate >= LEAST))
    throw new UserError(`truncate ${truncate}: expected ${LEAST} or more`);
  const conditions = sampledConditions(model, told, (at) => stream(seed, 'sample condition', at));
  const source = await openZSource(model, sampler);
  const parts: Rows[] = [];
  try {
    for (let at = 0; at < count; at += BATCH) {
      const n = Math.min(BATCH, count - at);
      const given = conditions(at, n);
      const feeds = conditionFeed(model, given);
      const z = await source.draw(n, { seed, at, temperature, truncation: truncate, feeds });
      parts.push(await draw(model, z, { seed, at, mean, clip, given }));
    }
  } finally {
    await source.dispose();
  }
  return concatRows(modelFields(model.schema), parts);
}
