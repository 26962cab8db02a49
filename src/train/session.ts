/** Sessions that know what noise their graph reads. */
import { type OnnxOptions, toOnnx } from '../graph/index.ts';
import { type NoiseInput, noisesOf } from '../nn/index.ts';
import type { Runtime, Session, SessionOptions, Values } from '../runtime/index.ts';
import type { Outputs } from '../vae/index.ts';

export interface GraphSession extends Session {
  readonly noises: readonly NoiseInput[];
}

/** Writes the graph of `outputs` and opens it. */
export async function openGraph(
  runtime: Runtime,
  outputs: Outputs,
  { weights, ...options }: Pick<OnnxOptions, 'weights'> & SessionOptions = {},
): Promise<GraphSession> {
  const session = await runtime.session(toOnnx(outputs, weights ? { weights } : {}), options);
  return { ...session, noises: noisesOf(outputs) };
}

/** Opens several; where one cannot be, those that were opened are let go. */
export async function openGraphs<Graphs extends Readonly<Record<string, Outputs>>>(
  runtime: Runtime,
  graphs: Graphs,
  options: Parameters<typeof openGraph>[2] = {},
): Promise<{ [Name in keyof Graphs]: GraphSession }> {
  const entries = Object.entries(graphs);
  const opened = await Promise.allSettled(entries.map(([, outputs]) => openGraph(runtime, outputs, options)));
  const sessions = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = opened.find((one) => one.status === 'rejected');
  if (failed) {
    await Promise.allSettled(sessions.map((session) => session.dispose()));
    throw failed.reason;
  }
  return Object.fromEntries(entries.map(([name], i) => [name, sessions[i]!])) as {
    [Name in keyof Graphs]: GraphSession;
  };
}

/** The feeds that the model has inputs for: an objective may leave some unused. */
export const wanted = (session: Session, feeds: Values): Values =>
  Object.fromEntries(session.inputs.map((name) => [name, feeds[name]!]));
