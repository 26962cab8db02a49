import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UserError } from '../../src/errors.ts';
import {
  adam,
  adamW,
  averageParams,
  type Block,
  clipGlobalNorm,
  type Optimizer,
  openKernels,
  runsOf,
  sgd,
} from '../../src/optim/index.ts';
import { stream } from '../../src/random/index.ts';
import { type Arena, createArena } from '../../src/runtime/index.ts';

const LENGTHS = [40, 7, 16, 5]; // weight, bias, weight, bias
const DECAYS = [true, false, true, false];

interface Setup {
  readonly arena: Arena;
  readonly kernels: ReturnType<typeof openKernels>;
  readonly block: Block;
}

function setup(slots: number): Setup {
  const arena = createArena(LENGTHS, 3 + slots);
  stream(1, 'params').normal(arena.whole(0));
  const block = {
    params: arena.byteOffset(0),
    grads: arena.byteOffset(1),
    slots: Array.from({ length: slots }, (_, i) => arena.byteOffset(3 + i)),
    runs: runsOf(arena.offsets, arena.size, DECAYS),
  };
  return { arena, kernels: openKernels(arena.memory), block };
}

/** One weight in float64, straight from the papers. */
type Rule = (theta: number, g: number, t: number, decays: boolean) => number;

/** Some steps of an optimiser on random gradients stay within float32 rounding of the rule. */
function follows(optimizer: Optimizer, rule: () => Rule): void {
  const { arena, kernels, block } = setup(optimizer.slots);
  const rules = Array.from({ length: arena.size }, rule);
  const theta = Float64Array.from(arena.whole(0));
  const decays = theta.map((_, i) =>
    Number(block.runs.some((r) => r.decays && i >= r.offset && i < r.offset + r.length)),
  );
  for (let t = 1; t <= 50; t++) {
    stream(2, 'grads', t).normal(arena.whole(1));
    optimizer.update(kernels, block, t, 0.01);
    const grads = arena.whole(1);
    theta.set(theta.map((x, i) => rules[i]!(x, grads[i]!, t, decays[i] === 1)));
  }
  for (const [i, x] of arena.whole(0).entries())
    assert.ok(Math.abs(x - theta[i]!) < 2e-6 * Math.max(1, Math.abs(x)), `${x} for ${theta[i]}`);
}

const adamRule = (lambda: number) => (): Rule => {
  let m = 0;
  let v = 0;
  return (theta, g, t, decays) => {
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    const step = m / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
    return theta - 0.01 * (step + (decays ? lambda * theta : 0));
  };
};

const sgdRule = (mu: number, nesterov: boolean) => (): Rule => {
  let u = 0;
  return (theta, g) => {
    u = mu * u + g;
    return theta - 0.01 * (nesterov ? g + mu * u : u);
  };
};

test('each optimiser follows its paper', () => {
  follows(adam(), adamRule(0));
  follows(adamW({ weightDecay: 0.5 }), adamRule(0.5));
  follows(sgd(), sgdRule(0, false));
  follows(sgd({ momentum: 0.9 }), sgdRule(0.9, false));
  follows(sgd({ momentum: 0.9, nesterov: true }), sgdRule(0.9, true));
});

test('optimisers go down to the minimum of a quadratic', () => {
  for (const optimizer of [adam(), adamW({ weightDecay: 0 }), sgd({ momentum: 0.9, nesterov: true })]) {
    const { arena, kernels, block } = setup(optimizer.slots);
    for (let t = 1; t <= 2000; t++) {
      arena.whole(1).set(arena.whole(0).map((x) => x - 3));
      optimizer.update(kernels, block, t, 0.02);
    }
    assert.ok(
      arena.whole(0).every((x) => Math.abs(x - 3) < 1e-3),
      optimizer.kind,
    );
  }
});

test('an update is the same from the same state: step is all there is to resume', () => {
  const run = (pause: boolean) => {
    let s = setup(2);
    for (let t = 1; t <= 20; t++) {
      if (pause && t === 10) {
        const next = setup(2);
        for (const b of [0, 3, 4]) next.arena.whole(b).set(s.arena.whole(b));
        s = next;
      }
      stream(2, 'grads', t).normal(s.arena.whole(1));
      adam().update(s.kernels, s.block, t, 0.01);
    }
    return s.arena.whole(0);
  };
  assert.deepEqual(run(true), run(false));
});

test('an update returns the norm of the gradients, not finite where one of them is not', () => {
  for (const optimizer of [adam(), adamW(), sgd(), sgd({ momentum: 0.9 })]) {
    const { arena, kernels, block } = setup(optimizer.slots);
    arena.view(1, 0)[0] = 3;
    arena.view(1, 3)[4] = 4;
    const norm = optimizer.update(kernels, block, 1, 0.01);
    assert.ok(Math.abs(norm - 5) < 1e-6, `${optimizer.kind}: ${norm}`);
    arena.view(1, 1)[2] = Number.NaN;
    assert.ok(!Number.isFinite(optimizer.update(kernels, block, 2, 0.01)));
  }
});

test('padding stays zero', () => {
  const { arena, kernels, block } = setup(2);
  const gap = () => [...arena.whole(0).subarray(40, 48)];
  arena.whole(0).fill(0, 40, 48);
  for (let t = 1; t <= 5; t++) {
    arena.view(1, 0).fill(t);
    adamW({ weightDecay: 0.1 }).update(kernels, block, t, 0.01);
  }
  assert.deepEqual(gap(), Array(8).fill(0));
});

test('clipping scales gradients to the norm asked for and returns the norm before', () => {
  const { arena, kernels, block } = setup(0);
  arena.view(1, 0)[0] = 3;
  arena.view(1, 3)[4] = 4;
  assert.equal(clipGlobalNorm(kernels, block, 10), 5);
  assert.equal(arena.view(1, 3)[4], 4, 'below the limit nothing changes');
  assert.equal(clipGlobalNorm(kernels, block, 1), 5);
  assert.deepEqual([arena.view(1, 0)[0], arena.view(1, 3)[4]], [Math.fround(0.6), Math.fround(0.8)]);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    arena.view(1, 1)[2] = bad;
    const before = arena.whole(1).slice();
    assert.ok(Number.isNaN(clipGlobalNorm(kernels, block, 1)));
    assert.deepEqual(arena.whole(1), before);
  }
});

test('the average of parameters is the bias-corrected one', () => {
  const { arena, kernels, block } = setup(0);
  let sum = 0;
  let weights = 0;
  for (let step = 1; step <= 30; step++) {
    const value = Math.sin(step);
    arena.whole(0).fill(value);
    sum = 0.9 * sum + value;
    weights = 0.9 * weights + 1;
    averageParams(kernels, block, arena.byteOffset(2), { step, decay: 0.9 });
    assert.ok(Math.abs(arena.view(2, 1)[3]! - sum / weights) < 1e-6);
  }
});

test('tensors with the same decay join into runs that cover the block', () => {
  const arena = createArena(LENGTHS, 1);
  assert.deepEqual(runsOf(arena.offsets, arena.size, DECAYS), [
    { offset: 0, length: 48, decays: true },
    { offset: 48, length: 16, decays: false },
    { offset: 64, length: 16, decays: true },
    { offset: 80, length: 16, decays: false },
  ]);
  assert.deepEqual(runsOf(arena.offsets, arena.size, [true, true, true, true]), [
    { offset: 0, length: 96, decays: true },
  ]);
});

test('impossible options are refused', () => {
  assert.throws(() => adam({ beta1: 1 }), UserError);
  assert.throws(() => adam({ epsilon: 0 }), UserError);
  assert.throws(() => adamW({ weightDecay: -1 }), UserError);
  assert.throws(() => sgd({ momentum: -0.1 }), UserError);
  assert.throws(() => sgd({ nesterov: true }), UserError);
});
