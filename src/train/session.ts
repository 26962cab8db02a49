/** Sessions that know what noise their graph reads. */
import { type OnnxOptions, toOnnx } from '../graph/index.ts';
import type { Runtime, Session, SessionOptions, Values } from '../runtime/index.ts';
import { type NoiseInput, noisesOf, type Outputs } from '../vae/index.ts';

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

/** The feeds that the model has inputs for: an objective may leave some unused. */
export const wanted = (session: Session, feeds: Values): Values =>
  Object.fromEntries(session.inputs.map((name) => [name, feeds[name]!]));
