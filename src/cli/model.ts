/** Commands that use a model: opened, used, closed. */
import { load, type Model } from '../tasks/model.ts';

export async function withModel<T>(
  path: string,
  threads: number | undefined,
  use: (model: Model) => Promise<T>,
): Promise<T> {
  const model = await load(path, given({ threads }));
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

/** Without the options that were not given, so that defaults are decided in one place: the task. */
export function given<T extends object>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
