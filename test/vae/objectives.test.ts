/** Every objective: its gradients in double precision, and which parameter is moved by which. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, type Tensor } from '../../src/graph/index.ts';
import { gradientName, isInference, trainingGraph } from '../../src/vae/index.ts';
import { checkGradients } from '../check.ts';
import { compile } from '../reference.ts';
import { cases, specFor } from './objective-cases.ts';
import { training } from './training.ts';

type Named = { readonly name: string; readonly tensor: Tensor };
const tensorsOf = (all: readonly Named[]): Tensor[] => all.map((p) => p.tensor);

for (const { kind, name, objective, stopped } of cases) {
  if (!stopped)
    test(`${name}: gradients are those of central differences`, () => {
      const { vae, losses, own, feeds } = training(specFor(objective), objective);
      const { loss, inference, adversary } = losses;
      const encoder = vae.parameters.filter((p) => isInference(p.name));
      checkGradients(
        loss,
        tensorsOf(vae.parameters.filter((p) => !(inference && encoder.includes(p)))),
        feeds,
      );
      // the encoder's of dreg stops at the weights on purpose: see objectives-bounds.test.ts
      if (inference && kind !== 'dreg') checkGradients(inference, tensorsOf(encoder), feeds);
      if (adversary) checkGradients(adversary, tensorsOf(own), feeds);
    });

  test(`${name}: each parameter has the gradient of the loss that is its own`, () => {
    const { vae, losses, own, feeds } = training(specFor(objective), objective);
    const { loss, inference = loss, adversary = loss, updates = {} } = losses;
    const { outputs, updated, parameters } = trainingGraph(vae, objective, 10);
    assert.deepEqual([...updated], Object.keys(updates));
    assert.deepEqual(
      parameters.map((p) => p.name),
      [...vae.parameters, ...own].map((p) => p.name),
    );
    const encoder = vae.parameters.filter((p) => isInference(p.name));
    const others = vae.parameters.filter((p) => !isInference(p.name));
    const moved: [Tensor, readonly Named[]][] = [
      [inference, encoder],
      [loss, others],
      [adversary, own.filter((p) => !updated.has(p.name))],
    ];
    for (const [minimised, all] of moved) {
      const expected = gradients(minimised, tensorsOf(all));
      const found = all.map((p) => outputs[gradientName(p.name)]!);
      const values = compile([...expected, ...found])(feeds).map(({ data }) => data);
      all.forEach((p, i) => {
        assert.deepEqual(values[all.length + i], values[i], p.name);
        assert.ok(values[i]!.every(Number.isFinite), p.name);
      });
    }
  });
}
