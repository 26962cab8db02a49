/** `sample`: new rows or pictures from the prior. */
import { concatRows, modelFields, type Rows } from '../data/index.ts';
import { UserError } from '../errors.ts';
import { stream } from '../random/index.ts';
import { createBuffers, wanted } from '../train/index.ts';
import { type ConditionOptions, conditionFeed, sampledConditions } from './conditions.ts';
import { draw } from './decode.ts';
import type { Model } from './model.ts';

export interface SampleOptions extends ConditionOptions {
  readonly count?: number;
  readonly seed?: number;
  /** Multiplies the prior's noise: below 1 is more typical, above 1 more varied. */
  readonly temperature?: number;
  /** The mean of p(x|z) instead of a draw. */
  readonly mean?: boolean;
  /** Keep numbers within the range seen in training. */
  readonly clip?: boolean;
}

const BATCH = 500;

export async function sample(model: Model, options: SampleOptions = {}): Promise<Rows> {
  const { count = 64, seed = 0, temperature = 1, mean = false, clip = true, ...told } = options;
  if (!(Number.isInteger(count) && count >= 1))
    throw new UserError(`count ${count}: expected a whole number from 1`);
  if (!(temperature >= 0)) throw new UserError(`temperature ${temperature}: expected 0 or more`);
  const prior = await model.session('prior');
  const conditions = sampledConditions(model, told, (at) => stream(seed, 'sample condition', at));
  const parts: Rows[] = [];
  for (let at = 0; at < count; at += BATCH) {
    const n = Math.min(BATCH, count - at);
    const buffers = createBuffers(model.vae.spec, prior.noises, n);
    buffers.draw(n, (name) => stream(seed, `sample ${name}`, at), temperature);
    const given = conditions(at, n);
    const { z } = await prior.run(wanted(prior, { ...buffers.values(n), ...conditionFeed(model, given) }));
    parts.push(await draw(model, z!.data as Float32Array, { seed, at, mean, clip, given }));
  }
  return concatRows(modelFields(model.schema), parts);
}
