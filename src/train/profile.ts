/** Where the time of a training step goes: the engine's trace and the clock's laps as shares that add up. */
import type { Trace, TracedNode } from '../runtime/index.ts';
import { type Profile, type StepTimes, TRACED } from './clock.ts';

/** Work of the engine by the ops that ONNX Runtime runs, those of its own fusions too. Layouts that copy nothing count as copies. */
const OPS = {
  'matrix products': 'MatMul Gemm FusedMatMul FusedGemm',
  'gathers and patches': 'Gather GatherElements ScatterElements Pad TopK',
  'elementwise arithmetic':
    'Abs Add Atan Cast Clip Cos Div Equal Erf Exp Greater GreaterOrEqual HardSigmoid LeakyRelu Less LessOrEqual Log Max Min Mul Neg ' +
    'Pow QuickGelu Relu Sigmoid Sign Sin Sqrt Sub Tanh Where',
  reductions: 'ArgMax CumSum LogSoftmax ReduceMax ReduceMean ReduceProd ReduceSum Softmax',
  'copies and reshapes':
    'Concat Expand Identity Reshape SequenceEmpty Shape Slice Split Squeeze Transpose Unsqueeze',
} as const;

export type NodeWork = keyof typeof OPS | 'other nodes';
export type EngineWork = NodeWork | 'between nodes';
export type OutsideWork = (typeof OUTSIDE_WORKS)[number];
export type Work = EngineWork | OutsideWork;

const WORK_OF = new Map(
  Object.entries(OPS).flatMap(([work, ops]) => ops.split(' ').map((op) => [op, work as NodeWork] as const)),
);
const NODE_WORKS: readonly NodeWork[] = [...(Object.keys(OPS) as NodeWork[]), 'other nodes'];
const OUTSIDE_WORKS = ['reading rows', 'batch assembly', 'noise', 'gradient norm', 'optimiser'] as const;

/** Of one step. */
export interface ProfilePart {
  /** `between nodes` is what a node costs whatever it does, and the call. */
  readonly work: Work;
  readonly inEngine: boolean;
  readonly seconds: number;
  /** Of the step; the shares of all parts add up to 1. */
  readonly share: number;
  /** Nodes of the graph that do this work; of `between nodes`, all. Zero outside the engine. */
  readonly nodes: number;
  /** Products only: 10⁹ multiplications and additions a second. */
  readonly gflops?: number;
}

export interface ProfileNode {
  /** In the ONNX model that was run, as ONNX Runtime changed it. */
  readonly name: string;
  /** Whose parameters it works with, as `encoder.0`; of a parameter's gradient, `∇ encoder.0.weight`. */
  readonly layer: string;
  readonly op: string;
  readonly work: NodeWork;
  readonly inputs: readonly (readonly number[])[];
  readonly outputs: readonly (readonly number[])[];
  /** Of a product: [m, k] · [k, n]; several at once where there is a fourth. */
  readonly product?: { readonly m: number; readonly k: number; readonly n: number; readonly count: number };
  /** Of one step. */
  readonly seconds: number;
  /** Of the step. */
  readonly share: number;
  /** Products only: 10⁹ multiplications and additions a second. */
  readonly gflops?: number;
}

/** Means over the fastest quarter of the full steps that were measured: what other processes take is then least in them. */
export interface ProfileSummary {
  /** Of a step: what its parts add up to. */
  readonly seconds: number;
  readonly rows: number;
  /** Steps that were in the trace. */
  readonly tracedSteps: number;
  /** Whether there were too few steps after the trace, so that a step's time holds the tracing too. */
  readonly isSlowed: boolean;
  readonly parts: readonly ProfilePart[];
  /** The most expensive, most expensive first. */
  readonly nodes: readonly ProfileNode[];
}

/** Steps after those in the trace, from which on the time of a step is theirs alone. */
const LEAST_TIMED = 8;
const SHOWN = 10; // nodes

/** The steps, by number from 0, over which a trace is averaged. */
export const tracedQuarter = ({ steps }: Profile): ReadonlySet<number> =>
  new Set(fastestQuarter(steps.slice(0, TRACED)));

/** `trace` is averaged over `tracedQuarter(profile)`. Undefined where there is nothing in it. */
export function summarise(profile: Profile, trace: Trace): ProfileSummary | undefined {
  const { steps } = profile;
  if (trace.nodes.length === 0 || steps.length === 0) return undefined;
  const after = steps.slice(TRACED);
  const isSlowed = fullSteps(after).length < LEAST_TIMED;
  const tracedStep = meanStep(steps.slice(0, TRACED));
  const step = isSlowed ? tracedStep : meanStep(after);
  const { nodes, between } = engineTime(step.engine, tracedStep.engine, trace.nodes);
  const amounts = [...engineAmounts(nodes, between), ...outsideAmounts(step, profile)];
  const seconds = total(amounts);
  if (seconds === 0) return undefined; // a clock too coarse
  const parts = amounts.map((amount) => ({ ...amount, share: amount.seconds / seconds }));
  return {
    seconds,
    rows: step.rows,
    tracedSteps: Math.min(TRACED, steps.length),
    isSlowed,
    parts,
    nodes: nodes
      .toSorted((a, b) => b.seconds - a.seconds)
      .slice(0, SHOWN)
      .map((node) => profileNode(node, seconds)),
  };
}

const total = (items: readonly { readonly seconds: number }[]): number =>
  items.reduce((sum, { seconds }) => sum + seconds, 0);

/** Numbers of the steps of a whole batch: the last of an epoch may be smaller. */
function fullSteps(steps: readonly StepTimes[]): number[] {
  const most = Math.max(...steps.map(({ rows }) => rows));
  return [...steps.keys()].filter((i) => steps[i]!.rows === most);
}

const lengthOf = ({ batch, noise, engine, norm, update }: StepTimes): number =>
  batch + noise + engine + norm + update;

function fastestQuarter(steps: readonly StepTimes[]): number[] {
  const full = fullSteps(steps);
  return full.sort((a, b) => lengthOf(steps[a]!) - lengthOf(steps[b]!)).slice(0, Math.ceil(full.length / 4));
}

function meanStep(steps: readonly StepTimes[]): StepTimes {
  const chosen = fastestQuarter(steps).map((i) => steps[i]!);
  const mean = (part: keyof StepTimes) => chosen.reduce((sum, step) => sum + step[part], 0) / chosen.length;
  return {
    rows: mean('rows'),
    batch: mean('batch'),
    noise: mean('noise'),
    engine: mean('engine'),
    norm: mean('norm'),
    update: mean('update'),
  };
}

interface EngineTime {
  readonly nodes: readonly TracedNode[];
  readonly between: number;
}

/**
 * The call without the trace as nodes and the time between them, to which the least of any node is counted: 2 to 4 µs, most of them the
 * trace's own. Between nodes the trace adds more, so that is what is left of the call without it, and at most what is left with it;
 * then both are stretched alike to fill the call, since a machine is not equally fast all the time.
 */
function engineTime(call: number, tracedCall: number, traced: readonly TracedNode[]): EngineTime {
  const least = Math.min(...traced.map(({ seconds }) => seconds));
  const busy = total(traced) - least * traced.length;
  const between = Math.max(0, Math.min(call, tracedCall) - busy);
  const factor = call / (busy + between || 1);
  return {
    nodes: traced.map((node) => ({ ...node, seconds: (node.seconds - least) * factor })),
    between: between * factor,
  };
}

type Amount = Omit<ProfilePart, 'share'>;

const engineAmounts = (nodes: readonly TracedNode[], between: number): Amount[] => [
  ...NODE_WORKS.map((work) => nodeAmount(work, nodes)),
  { work: 'between nodes', inEngine: true, seconds: between, nodes: nodes.length },
];

/** What kind of work an op of ONNX, or of ONNX Runtime's own, is. */
export const workOf = (op: string): NodeWork => WORK_OF.get(op) ?? 'other nodes';

function nodeAmount(work: NodeWork, all: readonly TracedNode[]): Amount {
  const nodes = all.filter((node) => workOf(node.op) === work);
  const operations = nodes.reduce((sum, node) => sum + operationsOf(productOf(node)), 0);
  const seconds = total(nodes);
  return { work, inEngine: true, seconds, nodes: nodes.length, ...rate(operations, seconds) };
}

function outsideAmounts({ batch, noise, norm, update }: StepTimes, { reading }: Profile): Amount[] {
  const seconds: Readonly<Record<OutsideWork, number>> = {
    'reading rows': reading.batches > 0 ? reading.seconds / reading.batches : 0,
    'batch assembly': batch,
    noise,
    'gradient norm': norm,
    optimiser: update,
  };
  return OUTSIDE_WORKS.map((work) => ({ work, inEngine: false, seconds: seconds[work], nodes: 0 }));
}

const rate = (operations: number, seconds: number): { gflops?: number } =>
  operations > 0 && seconds > 0 ? { gflops: operations / seconds / 1e9 } : {};

function profileNode(node: TracedNode, step: number): ProfileNode {
  const product = productOf(node);
  return {
    ...node,
    layer: layerOf(node.name),
    work: workOf(node.op),
    ...(product && { product }),
    share: node.seconds / step,
    ...rate(operationsOf(product), node.seconds),
  };
}

/**
 * `fused encoder.0/Gemm_7` → `encoder.0`; `posterior/gradient encoder.0.bias` → `∇ encoder.0.bias`. What ONNX Runtime puts in where it
 * moves transpositions, as `Transpose_token_20`, is of no layer.
 */
function layerOf(name: string): string {
  if (!name.includes('/')) return 'graph';
  const [path = '', value = ''] = name.replace(/^fused /, '').split('/');
  return value.startsWith('gradient ') ? value.replace('gradient', '∇') : path;
}

type Product = NonNullable<ProfileNode['product']>;

/** Either operand may be transposed, which the trace does not tell: k is what the first has beside m. */
function productOf(node: TracedNode): Product | undefined {
  const [a, result] = [node.inputs[0] ?? [], node.outputs[0] ?? []];
  if (workOf(node.op) !== 'matrix products' || a.length < 2 || result.length < 2) return undefined;
  const [m, n] = result.slice(-2) as [number, number];
  const k = (a.at(-1)! * a.at(-2)!) / m;
  return { m, k, n, count: result.slice(0, -2).reduce((x, y) => x * y, 1) };
}

const operationsOf = (product: Product | undefined): number =>
  product ? 2 * product.m * product.k * product.n * product.count : 0;
