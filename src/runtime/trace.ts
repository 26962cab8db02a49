/** What the trace that ONNX Runtime writes says of a model's nodes: JSON, one event a line, a run's nodes before the run itself. */

export interface TracedNode {
  /** As in the model, behind it what ONNX Runtime made of it: `fused encoder.0/Gemm_7`. */
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
  /** In one run, on average. */
  readonly seconds: number;
}

export interface Trace {
  /** How many runs the averages are over. */
  readonly runs: number;
  readonly nodes: readonly TracedNode[];
}

type Shapes = readonly Readonly<Record<string, readonly number[]>>[]; // [{"float":[128,784]}]

interface Event {
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args: {
    readonly op_name?: string;
    readonly input_type_shape?: Shapes;
    readonly output_type_shape?: Shapes;
  };
}

/**
 * The nodes of the runs that `isWanted`, counted from 0, averaged. Lines may be missing at the end: a run counts once it is whole.
 * Memory is that of the nodes, however long the trace.
 */
export async function readTrace(
  lines: AsyncIterable<string> | Iterable<string>,
  isWanted: (run: number) => boolean,
): Promise<Trace> {
  const nodes = new Map<string, { event: Event; sum: number }>();
  let [run, runs] = [0, 0];
  let open: Event[] = [];
  for await (const line of lines) {
    if (isWanted(run) && line.includes('_kernel_time"')) open.push(...eventOf(line));
    if (!line.includes('"model_run"')) continue;
    if (open.length > 0) runs++;
    for (const event of open) {
      const node = nodes.get(event.name) ?? { event, sum: 0 };
      node.sum += event.dur;
      nodes.set(event.name, node);
    }
    open = [];
    run++;
  }
  return { runs, nodes: [...nodes.values()].map(({ event, sum }) => nodeOf(event, sum / runs / 1e6)) };
}

/** None where a line is damaged. */
function eventOf(line: string): Event[] {
  try {
    const { name, dur, args } = JSON.parse(line.replace(/,\s*$/, '')) as Event;
    return Number.isFinite(dur) ? [{ name, dur, args: args ?? {} }] : [];
  } catch {
    return [];
  }
}

const nodeOf = ({ name, args }: Event, seconds: number): TracedNode => ({
  name: name.replace(/_kernel_time$/, ''),
  op: args.op_name ?? '',
  inputs: shapesOf(args.input_type_shape),
  outputs: shapesOf(args.output_type_shape),
  seconds,
});

const shapesOf = (shapes: Shapes = []): (readonly number[])[] =>
  shapes.flatMap((shape) => Object.values(shape).slice(0, 1));
