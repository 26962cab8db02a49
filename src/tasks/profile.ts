/** `train --profile`: the engine's trace, a file, read into the figures that are told after training. */
import { access, constants, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { explained } from '../data/file-errors.ts';
import { makeFolder } from '../model/files.ts';
import { readTrace } from '../runtime/index.ts';
import { nodeRuntime } from '../runtime/node.ts';
import {
  adviceOn,
  type BatchSource,
  createProfile,
  type NoticeEvent,
  type Profile,
  type ProfileSummary,
  summarise,
  timedSource,
  tracedQuarter,
} from '../train/index.ts';

/** Where the time of a training step goes. Seconds are those of one step. */
export interface ProfileEvent extends ProfileSummary {
  readonly type: 'profile';
  /** The trace, for chrome://tracing or ui.perfetto.dev. */
  readonly path: string;
  readonly threads: number;
  /** Where the time goes and what could change it, in a sentence. */
  readonly advice: string;
}

export interface OpenProfile {
  /** For the training, which fills it. */
  options(train: BatchSource): { readonly profile: Profile; readonly train: BatchSource };
  /** Once the training's session is closed. What is wrong with the trace is a notice: the training succeeded. */
  finish(threads: number): Promise<ProfileEvent | NoticeEvent>;
}

/** Makes sure that the trace can be written before hours are spent. */
export async function openProfile(prefix: string): Promise<OpenProfile> {
  const [folder] = placeOf(prefix);
  await makeFolder(folder);
  await explained('write a profile into', folder, () => access(folder, constants.W_OK));
  const before = new Set(await tracesOf(prefix));
  const profile = createProfile(prefix);
  const newest = async () => (await tracesOf(prefix)).findLast((path) => !before.has(path));
  return {
    options: (train) => ({ profile, train: timedSource(train, profile) }),
    finish: async (threads) => {
      try {
        return await tell(profile, await newest(), threads);
      } catch (error) {
        return notice(`the profile ${prefix}_… cannot be read: ${String(error)}`);
      }
    },
  };
}

/** ONNX Runtime puts the time behind the prefix: `<prefix>_2026-11-24_11-53-44_322.json`. */
async function tracesOf(prefix: string): Promise<string[]> {
  const [folder, start] = placeOf(prefix);
  const isTrace = (name: string) =>
    name.startsWith(start) && /^[\d_-]+\.json$/.test(name.slice(start.length));
  return (await readdir(folder))
    .filter(isTrace)
    .sort()
    .map((name) => join(folder, name));
}

/** The folder, and how the names of files begin. */
const placeOf = (prefix: string): [string, string] =>
  /[/\\]$/.test(prefix) ? [prefix, '_'] : [dirname(prefix), `${basename(prefix)}_`];

async function tell(
  profile: Profile,
  path: string | undefined,
  threads: number,
): Promise<ProfileEvent | NoticeEvent> {
  if (path === undefined) return notice(`the engine wrote no profile ${profile.prefix}_….json`);
  const quarter = tracedQuarter(profile);
  const file = await open(path);
  const summary = summarise(profile, await readTrace(file.readLines(), (run) => quarter.has(run)));
  if (!summary)
    return notice(`the profile ${path} holds no whole step, so there is nothing to tell about it`);
  const advice = adviceOn(summary, { threads, usual: nodeRuntime().threads });
  return { type: 'profile', path, threads, ...summary, advice };
}

const notice = (message: string): NoticeEvent => ({ type: 'notice', message });
