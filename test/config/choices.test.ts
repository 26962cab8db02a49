import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  build,
  parseChoice,
  parseConfig,
  parseOptions,
  type TableName,
  tables,
  trainOptions,
  usualPosterior,
} from '../../src/config/index.ts';
import { UserError } from '../../src/errors.ts';

const refused = (f: () => unknown, message: RegExp) =>
  assert.throws(f, (e) => {
    assert.ok(e instanceof UserError, String(e));
    assert.match(e.message, message);
    return true;
  });

test('an unknown kind is refused with those there are', () => {
  refused(
    () => parseChoice('network', { kind: 'transformer' }),
    /^network: given kind "transformer", expected one of mlp, conv, ladder, chain$/,
  );
  refused(
    () => parseChoice('warmup', { kind: 'toString' }),
    /expected one of none, linear, cosine, cyclical/,
  );
  refused(() => parseChoice('objective', {}), /given kind undefined/);
});

test('an unknown option is refused with those there are', () => {
  refused(
    () => parseChoice('network', { kind: 'mlp', channels: [3] }),
    /network "mlp": no option channels \(it has: hidden, activation, norm, dropout\)/,
  );
  refused(
    () => parseChoice('objective', { kind: 'autoencoder', beta: 2 }),
    /no option beta \(it has: none\)/,
  );
});

test('a value out of range is refused with its name', () => {
  refused(() => parseChoice('optimizer', { kind: 'adam', beta1: 1.5 }), /optimizer "adam": beta1: /);
  refused(() => parseChoice('network', { kind: 'mlp', hidden: [0] }), /hidden\.0: /);
  refused(
    () => build('warmup', parseChoice('warmup', { kind: 'linear', fraction: 0.5, steps: 3 })),
    /both a fraction \(0.5\) and steps \(3\); give one/,
  );
});

test('options are checked with what was given', () => {
  refused(() => parseOptions(trainOptions, { epoch: 3 }), /no option is called epoch/);
  refused(() => parseOptions(trainOptions, { epochs: 0 }), /option epochs: given 0\. /);
  refused(() => parseOptions(trainOptions, { color: 'purple' }), /option color: given "purple"/);
  refused(() => parseOptions(trainOptions, { size: [64, 64, 3] }), /option size: given \[64,64,3\]/);
});

test('every choice can be built from its defaults', () => {
  for (const [table, entries] of Object.entries(tables)) {
    for (const kind of Object.keys(entries)) {
      const name = table as TableName;
      assert.ok(build(name, parseChoice(name, { kind })), `${table} ${kind}`);
    }
  }
});

test('the parts of an objective belong together', () => {
  const of = (given: Record<string, unknown>) =>
    build('objective', parseChoice('objective', given) as { kind: string });
  assert.deepEqual([of({ kind: 'elbo', beta: 4 }).beta, of({ kind: 'elbo' }).random], [4, true]);
  assert.deepEqual([of({ kind: 'autoencoder' }).beta, of({ kind: 'autoencoder' }).random], [0, undefined]);
  assert.equal(
    usualPosterior({ kind: 'elbo', freeBits: 0, beta: 1, samples: 1 } as { kind: string }).kind,
    'gaussian',
  );
  assert.equal(usualPosterior({ kind: 'autoencoder' }).kind, 'point');
});

const config = {
  network: { kind: 'mlp', hidden: [8] },
  latent: 2,
  objective: { kind: 'elbo' },
  warmup: { kind: 'none' },
  optimizer: { kind: 'adam' },
  schedule: { kind: 'constant' },
  epochs: 3,
  batchSize: 16,
  learningRate: 0.001,
  seed: 0,
  validation: 0.1,
  test: 0.1,
};

test('a config is what it was after a trip through JSON', () => {
  const parsed = parseConfig(config);
  assert.deepEqual(parseConfig(JSON.parse(JSON.stringify(parsed))), parsed);
});

test('a config that is not one is refused', () => {
  refused(() => parseConfig(null), /config: expected an object, given null/);
  refused(() => parseConfig({ ...config, latent: '2' }), /config: latent is "2", expected a number/);
  refused(() => parseConfig({ ...config, network: [] }), /expected an object, given \[\]/);
  refused(() => parseConfig({ ...config, secret: 1 }), /no option is called secret/);
});
