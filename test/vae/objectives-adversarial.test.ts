/** Objectives with a discriminator, against their formulas with the network in plain loops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gradients, reshape } from '../../src/graph/index.ts';
import { stream } from '../../src/random/index.ts';
import { type ModelSpec, make, type ObjectiveName, posteriors } from '../../src/vae/index.ts';
import { meanPicture } from '../../src/vae/objectives/pictures.ts';
import { compile, type Feeds, value } from '../reference.ts';
import { mixedSpec, pictureSpec } from './models.ts';
import {
  aim,
  basics,
  close,
  drawsOf,
  mean,
  reported,
  rowsOf,
  sum,
  type Training,
  training,
} from './training.ts';

const BETA = Math.fround(0.7);
const pointSpec: ModelSpec = { ...mixedSpec, posterior: make(posteriors.point) };
const softplus = (l: number): number => Math.max(l, 0) + Math.log1p(Math.exp(-Math.abs(l)));

/** The logit of a row by the discriminator's layers, two hidden ones. */
function logOdds(feeds: Feeds, row: readonly number[]): number {
  const layer = (name: string, h: readonly number[]): number[] => {
    const [w, b] = [
      feeds[`objective.discriminator.${name}.weight`]!,
      feeds[`objective.discriminator.${name}.bias`]!,
    ];
    const width = w.shape[1]!;
    return [...b.data].map((v, j) => v + sum(h.map((u, i) => u * w.data[i * width + j]!)));
  };
  const act = (h: number[]) => h.map((v) => (v > 0 ? v : 0.2 * v));
  return layer('output', act(layer('1', act(layer('0', row)))))[0]!;
}

/** Each column by the order of its noise. */
function permuted(rows: number[][], noise: number[][]): number[][] {
  const orders = [0, 1].map((d) => rows.map((_, i) => i).sort((i, j) => noise[i]![d]! - noise[j]![d]!));
  return rows.map((_, i) => [0, 1].map((d) => rows[orders[d]![i]!]![d]!));
}

const HIDDEN = { adversaryHidden: [5, 4] };
const told = (first: readonly number[], second: readonly number[]): number =>
  0.5 * (mean(first.map((l) => softplus(-l))) + mean(second.map(softplus)));

test('the discriminator of factorVae is told z from z with its columns permuted', () => {
  const trained = training(mixedSpec, aim('factorVae', { ...HIDDEN, tcPenalty: 3 }), { batch: 6 });
  const z = drawsOf(trained);
  const mixed = permuted(z, rowsOf(trained.feeds['noise.permutation']!.data, 2));
  assert.notDeepEqual(mixed, z);
  for (const d of [0, 1]) assert.deepEqual(mixed.map((row) => row[d]).sort(), z.map((row) => row[d]).sort());
  const [joint, apart] = [z, mixed].map((rows) => rows.map((row) => logOdds(trained.feeds, row)));
  close(trained.number(trained.losses.adversary!), told(joint!, apart!), 1e-7, 'discriminator');
  close(reported(trained, 'totalCorrelation'), mean(joint!), 1e-7, 'total correlation');
  const { logPx, kl } = basics(trained);
  close(trained.number(trained.losses.loss), BETA * kl - logPx + 3 * mean(joint!), 1e-5, 'loss');
});

test('the discriminator of an adversarial autoencoder is told z from draws of the prior', () => {
  const trained = training(pointSpec, aim('aae', { ...HIDDEN, adversarial: 3 }), { batch: 6 });
  const prior = rowsOf(trained.feeds['noise.prior']!.data, 2);
  const [real, coded] = [prior, drawsOf(trained)].map((rows) =>
    rows.map((row) => logOdds(trained.feeds, row)),
  );
  close(trained.number(trained.losses.adversary!), told(real!, coded!), 1e-7, 'discriminator');
  const deceived = mean(coded!.map((l) => softplus(-l)));
  close(reported(trained, 'adversarial'), deceived, 1e-7, 'adversarial');
  close(trained.number(trained.losses.loss), -basics(trained).logPx + 3 * deceived, 1e-5, 'loss');
});

test('where something is given, the discriminator of z sees it beside z', () => {
  const trained = training({ ...pointSpec, condition: 2 }, aim('aae', HIDDEN), { batch: 6 });
  const given = rowsOf(trained.feeds['condition']!.data, 2);
  const prior = rowsOf(trained.feeds['noise.prior']!.data, 2);
  const [real, coded] = [prior, drawsOf(trained)].map((rows) =>
    rows.map((row, i) => logOdds(trained.feeds, [...row, ...given[i]!])),
  );
  close(trained.number(trained.losses.adversary!), told(real!, coded!), 1e-7, 'discriminator');
});

/** The adversary's loss after steps of plain descent on its own parameters, with new noise at each. */
function learned(kind: ObjectiveName, spec: ModelSpec, feeds: Feeds): number {
  const batch = 32;
  const { losses, own, feeds: fed } = training(spec, aim(kind, { adversaryHidden: [8] }), { batch, feeds });
  const at = compile([
    losses.adversary!,
    ...gradients(
      losses.adversary!,
      own.map((p) => p.tensor),
    ),
  ]);
  const moving: Record<string, Feeds[string]> = { ...fed };
  let last = 0;
  for (let step = 0; step < 150; step++) {
    const noise = new Float32Array(batch * 2);
    stream(step, 'prior').normal(noise);
    if (moving['noise.prior']) moving['noise.prior'] = value(noise, [batch, 2]);
    if (moving['noise.permutation']) moving['noise.permutation'] = value(noise, [batch, 2]);
    const [loss, ...slopes] = at(moving);
    own.forEach(({ name }, i) => {
      const p = moving[name]!;
      moving[name] = { ...p, data: p.data.map((v, j) => v - 0.5 * slopes[i]!.data[j]!) };
    });
    last = loss!.data[0]!;
  }
  return last;
}

test('discriminators learn what can be told apart, and nothing where there is nothing to tell', () => {
  const noise = new Float32Array(64);
  stream(9, 'z').normal(noise);
  const far = { 'posterior.weight': value(Array(10).fill(0), [5, 2]), 'posterior.bias': value([3, 3], [2]) };
  assert.ok(learned('aae', pointSpec, far) < 0.3 * Math.LN2);
  // z of one standard normal for each example: its dimensions are independent, or one and the same
  const standard = {
    'posterior.weight': value(Array(20).fill(0), [5, 4]),
    'posterior.bias': value([0, 0, 0, 0], [4]),
  };
  const alone = { ...standard, noise: value(noise, [32, 2]) };
  const twice = {
    ...standard,
    noise: value(
      noise.map((_, i) => 2 * noise[i - (i % 2)]!),
      [32, 2],
    ),
  };
  assert.ok(learned('factorVae', mixedSpec, twice) < 0.8 * Math.LN2);
  assert.ok(learned('factorVae', mixedSpec, alone) > 0.8 * Math.LN2);
});

/** Pictures [H, W, C] through a convolution of 4 × 4, stride 2, padding 1, and a leaky ReLU; flat. */
function halved(feeds: Feeds, layer: number, x: readonly number[], shape: readonly number[]): number[] {
  const [height, width, channels] = shape as [number, number, number];
  const [w, b] = [
    feeds[`objective.discriminator.${layer}.weight`]!,
    feeds[`objective.discriminator.${layer}.bias`]!,
  ];
  const outputs = w.shape[1]!;
  const [rows, columns] = [Math.floor(height / 2), Math.floor(width / 2)];
  const found: number[] = [];
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++)
      for (let o = 0; o < outputs; o++) {
        let total = b.data[o]!;
        for (let i = 0; i < 4; i++)
          for (let j = 0; j < 4; j++) {
            const [y, k] = [2 * r + i - 1, 2 * c + j - 1];
            if (y < 0 || k < 0 || y >= height || k >= width) continue;
            for (let q = 0; q < channels; q++)
              total +=
                x[(y * width + k) * channels + q]! * w.data[((i * 4 + j) * channels + q) * outputs + o]!;
          }
        found.push(total > 0 ? total : 0.2 * total);
      }
  return found;
}

/** Features and log odds of real pictures, of those rebuilt and of those made from the prior. */
function discriminated({ feeds, vae, terms, context, at }: Training) {
  const prior = reshape(vae.prior.draw('noise.prior'), [1, 'B', 2]);
  const pictures = [terms.decoded, vae.decode(prior)].map((decoded) =>
    rowsOf(at(meanPicture(decoded, context))[0]!, 144),
  );
  // a side of 8 may be halved once: the second layer would leave less than 4
  const seen = [rowsOf(feeds['x']!.data, 144), ...pictures].map((rows) =>
    rows.map((x) => halved(feeds, 0, x, [9, 8, 2])),
  );
  const layer = (name: string) =>
    ['weight', 'bias'].map((kind) => [...(feeds[`objective.discriminator.${name}.${kind}`]?.data ?? [])]) as [
      number[],
      number[],
    ];
  const [[output, [bias]], [weight]] = [layer('output'), layer('given')];
  const given = weight.length > 0 ? rowsOf(feeds['condition']!.data, 2) : [];
  const logits = seen.map((rows) =>
    rows.map((features, row) => {
      const inner = features.map((f, i) => {
        const direction = (given[row] ?? []).map((c, k) => c * weight[k * features.length + i]!);
        return f * (output[i]! + sum(direction));
      });
      return bias! + sum(inner);
    }),
  );
  return { seen, logits };
}

test('vaeGan compares pictures by features, and the encoder does not see the adversarial term', () => {
  const options = { beta: 2, pixels: 0.3, features: 0.6, adversarial: 5, adversaryChannels: [3, 4] };
  const trained = training(pictureSpec, aim('vaeGan', options));
  const { feeds, losses } = trained;
  const { seen, logits } = discriminated(trained);
  const [real, rebuilt, made] = logits as [number[], number[], number[]];
  const features = mean(seen[0]!.map((f, i) => 0.5 * sum(f.map((v, j) => (v - seen[1]![i]![j]!) ** 2))));
  const deceived = 0.5 * (mean(rebuilt.map((l) => softplus(-l))) + mean(made.map((l) => softplus(-l))));
  close(reported(trained, 'features'), features, 1e-6, 'features');
  close(reported(trained, 'adversarial'), deceived, 1e-6, 'adversarial');
  close(
    trained.number(losses.adversary!),
    0.5 * (told(real, rebuilt) + told(real, made)),
    1e-6,
    'discriminator',
  );
  const { logPx, kl } = basics(trained);
  const likeness = BETA * kl - 0.3 * logPx + 0.6 * features;
  close(trained.number(losses.inference!), likeness, 1e-4, 'encoder');
  close(trained.number(losses.loss), likeness + 5 * deceived, 1e-4, 'decoder');
  assert.equal(feeds['objective.discriminator.1.weight'], undefined);
});

test('where something is given, the discriminator of pictures has an inner product with it', () => {
  const trained = training({ ...pictureSpec, condition: 2 }, aim('vaeGan', { adversaryChannels: [3] }));
  const { logits } = discriminated(trained);
  const [real, rebuilt, made] = logits as [number[], number[], number[]];
  const expected = 0.5 * (told(real, rebuilt) + told(real, made));
  close(trained.number(trained.losses.adversary!), expected, 1e-6, 'discriminator');
});
