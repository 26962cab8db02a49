/** Objectives that look at what is decoded, and at what is shown to the encoder, against plain loops. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { input } from '../../src/graph/index.ts';
import { type ModelSpec, make, multiScaleSimilarity, posteriors } from '../../src/vae/index.ts';
import { meanPicture } from '../../src/vae/objectives/pictures.ts';
import { pyramidDistance } from '../../src/vae/objectives/pyramid.ts';
import { scalesOf } from '../../src/vae/objectives/ssim.ts';
import { random } from '../check.ts';
import { compile, evaluate, value } from '../reference.ts';
import { linearSpec, mixedSpec, pictureSpec } from './models.ts';
import { aim, basics, close, mean, reported, rowsOf, sum, training } from './training.ts';

const BETA = Math.fround(0.7);

/** One channel of one picture. */
type Plane = readonly (readonly number[])[];

const EXPONENTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/** Weights of a window of 11, or the largest odd one that fits. */
function windowOf(side: number): number[] {
  const length = Math.min(11, side % 2 ? side : side - 1);
  const raw = Array.from({ length }, (_, i) => Math.exp(-((i - (length - 1) / 2) ** 2) / (2 * 1.5 ** 2)));
  return raw.map((w) => w / sum(raw));
}

/** [contrast · structure, luminance] at every place where the window fits. */
function localTerms(x: Plane, y: Plane): [number, number][] {
  const [tall, wide] = [windowOf(x.length), windowOf(x[0]!.length)];
  const found: [number, number][] = [];
  for (let r = 0; r + tall.length <= x.length; r++)
    for (let c = 0; c + wide.length <= x[0]!.length; c++) {
      const over = (f: (a: number, b: number) => number): number =>
        sum(tall.flatMap((u, i) => wide.map((v, j) => u * v * f(x[r + i]![c + j]!, y[r + i]![c + j]!))));
      const [mx, my] = [over((a) => a), over((_, b) => b)];
      const varX = over((a) => (a - mx) ** 2);
      const varY = over((_, b) => (b - my) ** 2);
      const both = over((a, b) => (a - mx) * (b - my));
      found.push([
        (2 * both + 0.0009) / (varX + varY + 0.0009),
        (2 * mx * my + 0.0001) / (mx * mx + my * my + 0.0001),
      ]);
    }
  return found;
}

const halved = (x: Plane): Plane =>
  Array.from({ length: x.length >> 1 }, (_, r) =>
    Array.from({ length: x[0]!.length >> 1 }, (__, c) =>
      mean([x[2 * r]![2 * c]!, x[2 * r]![2 * c + 1]!, x[2 * r + 1]![2 * c]!, x[2 * r + 1]![2 * c + 1]!]),
    ),
  );

/** MS-SSIM of pictures given as planes, window by window. */
function naive(x: readonly Plane[], y: readonly Plane[], scales: number): number {
  const total = sum(EXPONENTS.slice(0, scales));
  let [a, b] = [x, y];
  let product = 1;
  for (let s = 0; s < scales; s++) {
    if (s > 0) [a, b] = [a.map(halved), b.map(halved)];
    const terms = a.flatMap((plane, channel) => localTerms(plane, b[channel]!));
    const each = mean(terms.map(([structure, light]) => (s === scales - 1 ? structure * light : structure)));
    product *= Math.max(each, 0.01) ** (EXPONENTS[s]! / total);
  }
  return product;
}

const planesOf = (flat: readonly number[], [height, width, channels]: readonly number[]): Plane[] =>
  Array.from({ length: channels! }, (_, c) =>
    Array.from({ length: height! }, (__, i) =>
      Array.from({ length: width! }, (___, j) => flat[(i * width! + j) * channels! + c]!),
    ),
  );

/** Two pictures and others like them. */
function pictures(shape: readonly number[], noise: number): [number[], number[]] {
  const next = random(5);
  const size = 2 * shape.reduce((a, b) => a * b, 1);
  const x = Array.from({ length: size }, (_, i) => 0.5 + 0.3 * Math.sin(i / 3) + 0.2 * (next() - 0.5));
  return [x, x.map((v) => v + noise * (next() - 0.5))];
}

for (const [shape, scales] of [
  [[25, 22, 2], 2],
  [[9, 8, 1], 1],
  [[44, 46, 1], 3],
] as const)
  test(`the similarity of pictures [${shape}] on ${scales} scales is its formula`, () => {
    assert.equal(scalesOf(shape[0], shape[1]), scales);
    const [x, y] = [input('x', ['B', ...shape]), input('y', ['B', ...shape])];
    const at = compile([multiScaleSimilarity(x, y)]);
    for (const noise of [0.3, 2]) {
      const [p, q] = pictures(shape, noise);
      const found = at({ x: value(p, [2, ...shape]), y: value(q, [2, ...shape]) })[0]!.data;
      const size = p.length / 2;
      for (const i of [0, 1]) {
        const own = (flat: readonly number[]) => planesOf(flat.slice(i * size, (i + 1) * size), shape);
        close(found[i]!, naive(own(p), own(q), scales), 1e-6, `picture ${i}, noise ${noise}`);
      }
    }
  });

test('a picture is like itself by 1, and less like others the more noise they have', () => {
  const shape = [24, 24, 1];
  const at = compile([multiScaleSimilarity(input('x', ['B', ...shape]), input('y', ['B', ...shape]))]);
  const found = [0, 0.1, 0.5, 2].map((noise) => {
    const [p, q] = pictures(shape, noise);
    return at({ x: value(p, [2, ...shape]), y: value(q, [2, ...shape]) })[0]!.data[0]!;
  });
  close(found[0]!, 1, 1e-9, 'itself');
  for (let i = 1; i < found.length; i++) assert.ok(found[i]! < found[i - 1]!, `${found}`);
});

test('msSsim adds what is not alike to the ELBO', () => {
  const trained = training(pictureSpec, aim('msSsim', { beta: 2, pixels: 0.5, ssim: 30 }));
  const rebuilt = rowsOf(trained.at(meanPicture(trained.terms.decoded, trained.context))[0]!, 144);
  const x = rowsOf(trained.feeds['x']!.data, 144);
  const shape = pictureSpec.shape;
  const alike = mean(x.map((p, i) => naive(planesOf(p, shape), planesOf(rebuilt[i]!, shape), 1)));
  close(reported(trained, 'msSsim'), alike, 1e-6, 'similarity');
  const { logPx, kl } = basics(trained);
  close(trained.number(trained.losses.loss), BETA * kl - 0.5 * logPx + 30 * (1 - alike), 1e-4, 'loss');
});

/** The bands of one plane, finest first and what remains last. */
function bands(plane: Plane): Plane[] {
  if (Math.min(plane.length, plane[0]!.length) < 4) return [plane];
  const coarse = halved(plane);
  const fine = plane.map((row, i) => row.map((v, j) => v - (coarse[i >> 1]?.[j >> 1] ?? 0)));
  return [fine, ...bands(coarse)];
}

for (const shape of [
  [8, 8, 1],
  [13, 10, 2],
])
  test(`the distance of pyramids of pictures [${shape}] is that of their bands`, () => {
    const [x, y] = [input('x', ['B', ...shape]), input('y', ['B', ...shape])];
    const [p, q] = pictures(shape, 0.7);
    const feeds = { x: value(p, [2, ...shape]), y: value(q, [2, ...shape]), scale: value([0.5], []) };
    const found = evaluate([pyramidDistance(x, y, input('scale', []))], feeds)[0]!.data[0]!;
    const [a, b] = [p, q].map((flat) =>
      [0, 1].map((i) => planesOf(flat.slice((i * p.length) / 2, ((i + 1) * p.length) / 2), shape).map(bands)),
    );
    const each = a!.flatMap((planes, i) =>
      planes.flatMap((own, c) =>
        own.map(
          (band, j) =>
            4 ** j * sum(band.flatMap((row, r) => row.map((v, k) => Math.abs(v - b![i]![c]![j]![r]![k]!)))),
        ),
      ),
    );
    close(found, sum(each) / 2, 1e-9, 'distance');
  });

test('perceptual adds the distance of pyramids to the ELBO', () => {
  const trained = training(pictureSpec, aim('perceptual', { beta: 2, pixels: 0.5, pyramid: 3 }));
  const { terms: t, context, feeds } = trained;
  const distance = pyramidDistance(context.observed.x, meanPicture(t.decoded, context), context.scale);
  const [expected] = evaluate([distance], feeds);
  close(reported(trained, 'pyramid'), expected!.data[0]!, 1e-9, 'distance');
  const { logPx, kl } = basics(trained);
  close(trained.number(trained.losses.loss), BETA * kl - 0.5 * logPx + 3 * expected!.data[0]!, 1e-5, 'loss');
});

const pointSpec: ModelSpec = { ...mixedSpec, posterior: make(posteriors.point) };

test('a regularised autoencoder pays for its codes and for the weights of its decoder', () => {
  const trained = training(pointSpec, aim('rae', { codeWeight: 0.7, decoderWeight: 0.2 }));
  const z = rowsOf(trained.at(trained.terms.z)[0]!, 2);
  const code = 0.5 * mean(z.map((row) => sum(row.map((v) => v * v))));
  const weights = Object.entries(trained.feeds).filter(([name]) => name.startsWith('decoder.'));
  const decoder = sum(weights.map(([, { data }]) => sum([...data].map((v) => v * v))));
  assert.ok(weights.length > 3);
  close(reported(trained, 'code'), code, 1e-6, 'code');
  close(reported(trained, 'decoder'), decoder, 1e-6, 'decoder');
  const expected = -basics(trained).logPx + 0.7 * code + 0.2 * decoder;
  close(trained.number(trained.losses.loss), expected, 1e-5, 'loss');
});

test('the penalty on the gradient of the decoder is |Jᵀv|² by central differences', () => {
  for (const spec of [pointSpec, mixedSpec]) {
    const trained = training(spec, aim('rae', { smoothness: 'gradient' }));
    const { vae, feeds } = trained;
    const z = rowsOf(trained.at(trained.terms.z)[0]!, 2);
    const means = vae.decode(input('at', [1, 'B', 2])).map(({ likelihood }) => likelihood.mean);
    const at = compile(means);
    const directions = means.map((_, i) => feeds[`noise.direction.${i}`]!);
    /** v · E[x|z] of one example. */
    const along = (codes: number[][], example: number): number => {
      const found = at({ ...feeds, at: value(codes.flat(), [1, 3, 2]) });
      return sum(
        found.map(({ data }, block) => {
          const v = directions[block]!;
          const width = v.shape[1]!;
          return sum(
            [...data.subarray(example * width, (example + 1) * width)].map(
              (m, j) => m * v.data[example * width + j]!,
            ),
          );
        }),
      );
    };
    const h = 1e-4;
    const slopes = z.map((_, example) =>
      [0, 1].map((d) => {
        const moved = (by: number) =>
          z.map((row, i) => row.map((v, j) => (i === example && j === d ? v + by : v)));
        return (along(moved(h), example) - along(moved(-h), example)) / (2 * h);
      }),
    );
    const expected = mean(slopes.map((row) => sum(row.map((v) => v * v))));
    close(reported(trained, 'decoder'), expected, 1e-6 * Math.max(1, expected), 'penalty');
  }
});

const corrupted: Record<string, (x: number, noise: number) => number> = {
  gaussian: (x, noise) => x + Math.fround(0.3) * noise,
  masking: (x, noise) => (noise >= Math.fround(0.3) ? x : 0),
};
for (const [corruption, change] of Object.entries(corrupted))
  test(`with ${corruption} noise the encoder sees other values than those that are to be told`, () => {
    const trained = training(linearSpec, aim('denoising', { corruption, corruptionLevel: 0.3 }), {
      batch: 6,
    });
    const { x, 'noise.corruption': noise } = trained.feeds;
    const shown = x!.data.map((v, i) => change(v, noise!.data[i]!));
    assert.notDeepEqual([...shown], [...x!.data]);
    const plain = training(linearSpec, aim('elbo'), { batch: 6, feeds: { x: { ...x!, data: shown } } });
    const posterior = (t: typeof trained) =>
      t.at(t.terms.levels[0]!.posterior.mean, t.terms.levels[0]!.posterior.logVar!).map((data) => [...data]);
    assert.deepEqual(posterior(trained), posterior(plain));
    const { likelihood } = trained.terms.decoded[0]!;
    const [mu, logVar] = evaluate([likelihood.mean, likelihood.values['logVar']!], trained.feeds);
    const l = logVar!.data[0]!;
    const each = x!.data.map(
      (v, i) => -0.5 * (Math.log(2 * Math.PI) + l + (v - mu!.data[i]!) ** 2 / Math.exp(l)),
    );
    const { logPx, kl } = basics(trained);
    close(logPx, sum([...each]) / 6, 1e-5, 'log p(x|z) of what was there');
    close(trained.number(trained.losses.loss), BETA * kl - logPx, 1e-5, 'loss');
  });
