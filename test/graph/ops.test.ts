/** Each case of each op, run by one loop: shapes, ONNX Runtime, gradients, second gradients. */
import { describe, test } from 'node:test';
import { gradients, input, mean, mul, square, sum, type Tensor } from '../../src/graph/index.ts';
import { checkGradients, draw, random } from '../check.ts';
import { compile, type Feeds } from '../reference.ts';
import { type Case, cases } from './cases.ts';
import { expectClose, open } from './ort.ts';

for (const [name, list] of Object.entries(cases)) {
  describe(name, () => {
    const problems = list.map((c, i) => problemOf(c, `case${i}`));
    test('ONNX Runtime agrees with the reference', () => compareWithRuntime(problems));
    list.forEach((c, i) => {
      const title = c.inputs.map((a) => `[${a.shape}]`).join(' ');
      test(`gradients of case ${i}: ${title}`, () => checkDerivatives(problems[i]!));
    });
  });
}

interface Problem {
  readonly name: string;
  readonly y: Tensor;
  readonly losses: readonly Tensor[];
  /** Inputs that can have a gradient. */
  readonly floats: readonly Tensor[];
  readonly feeds: (batch: number) => Feeds;
}

function problemOf({ inputs, build }: Case, name: string): Problem {
  const xs = inputs.map(({ shape, dtype }, i) => input(`${name}_x${i}`, shape, dtype));
  const y = build(...xs);
  const weights = input(`${name}_weights`, y.shape);
  const feeds = (batch: number): Feeds => {
    const next = random(batch);
    const drawn = xs.map((x, i) => [x.name!, draw(inputs[i]!, batch, next)] as const);
    return { ...Object.fromEntries(drawn), [weights.name!]: draw(weights, batch, next) };
  };
  const losses = y.dtype === 'float32' ? lossesOf(y, weights) : [];
  return { name, y, losses, floats: xs.filter((x) => x.dtype === 'float32'), feeds };
}

/**
 * Losses whose gradients reach the op in different forms: full; the same for every element (size 1 on all axes);
 * one value a row; one row.
 */
function lossesOf(y: Tensor, weights: Tensor): Tensor[] {
  const weighted = sum(mul(y, weights));
  if (y.shape.length === 0) return [weighted];
  return [weighted, mean(y), mean(square(sum(y, [-1]))), sum(square(mean(y, [0], { keepDims: true })))];
}

/** The value, a loss and its gradients; for the first cases two, as ONNX Runtime takes its time to open a graph. */
function outputsOf({ name, y, losses, floats }: Problem, i: number): [string, Tensor][] {
  const derived = losses.slice(0, i < 5 ? 2 : 1).flatMap((loss) => [loss, ...gradients(loss, floats)]);
  return [y, ...derived].map((t, k) => [`${name}_y${k}`, t]);
}

/** Float32 through ONNX Runtime against float64, for batches of 3 and of 1. */
async function compareWithRuntime(problems: readonly Problem[]): Promise<void> {
  const outputs = Object.fromEntries(problems.flatMap(outputsOf));
  const session = await open(outputs);
  const reference = compile(Object.values(outputs));
  for (const batch of [3, 1]) {
    const feeds = Object.assign({}, ...problems.map((p) => p.feeds(batch))) as Feeds;
    const expected = reference(feeds);
    const actual = await session.run(feeds);
    Object.keys(outputs).forEach((name, i) => {
      expectClose(actual[name]!, expected[i]!, `${name}, batch ${batch}`);
    });
  }
  await session.release();
}

function checkDerivatives({ losses, floats, feeds }: Problem): void {
  for (const loss of losses) checkGradients(loss, floats, feeds(3));
  if (losses[0]) checkSecondOrder(losses[0], floats, feeds(2));
}

/** The gradient of a random combination of the gradients. */
function checkSecondOrder(loss: Tensor, xs: readonly Tensor[], feeds: Feeds): void {
  const next = random(4);
  for (const [i, gradient] of gradients(loss, xs).entries()) {
    const direction = input('direction', gradient.shape);
    const fed = { ...feeds[xs[i]!.name!]!, data: feeds[xs[i]!.name!]!.data.map(() => next()) };
    checkGradients(sum(mul(gradient, direction)), xs, { ...feeds, direction: fed });
  }
}
