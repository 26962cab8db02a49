import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { chromium, type Page } from 'playwright-core';
import { curveRange } from '../../src/report/charts.ts';
import { project, report } from '../../src/report/index.ts';
import { history, pictureReport, tableReport } from './example.ts';

const browser = '/usr/bin/chromium';
const EVIL = `</script><script>globalThis.harmed = true</script><img src=x onerror="globalThis.harmed = true">'"&`;

test('nothing in the data can leave its place', async () => {
  const table = tableReport();
  const columns = table.columns!.map((c) => ({ ...c, name: EVIL }));
  const html = report({ ...table, title: EVIL, notes: [EVIL], choices: [EVIL], columns });
  assert.ok(!html.includes('<script>globalThis'));
  assert.ok(!html.includes('<img src=x'));
  assert.equal(html.match(/<script/g)!.length, 4);
  const json = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html)![1]!;
  assert.equal((JSON.parse(json) as typeof table).columns![0]!.name, EVIL);
});

test('a page without history, latent space or samples is a page still', () => {
  const { title, subtitle, figures, facts } = tableReport();
  const none = {
    watched: 'validation',
    history: [],
    klPerDimension: [],
    klOf: 'dimension',
    activeAbove: 0.01,
    fields: [],
    choices: [],
    notes: [],
  } as const;
  const html = report({ title, subtitle, figures, facts, ...none });
  assert.ok(html.includes('<h2>Model</h2>'));
  assert.ok(!html.includes('<h2>Training</h2>'));
});

test('where there are no validation rows, what is shown of training rows is said to be of them', async () => {
  const pictures = await pictureReport();
  assert.ok(report(pictures).includes('>validation</span>'));
  const html = report({ ...pictures, watched: 'training' });
  assert.ok(html.includes('>training rows after the epoch</span>') && html.includes('>during it</span>'));
  assert.ok(html.includes('<h3>Training rows'));
  assert.ok(!html.includes('>validation</span>') && !html.includes('<h3>Validation rows'));
});

test('the page draws itself from the disk and asks the network for nothing', {
  skip: !existsSync(browser) && 'needs Debian’s chromium',
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'elbo-report-'));
  const chrome = await chromium.launch({ executablePath: browser, args: ['--no-sandbox'] });
  t.after(async () => {
    await chrome.close();
    await rm(folder, { recursive: true, force: true });
  });
  const open = async (html: string): Promise<{ page: Page; seen: string[] }> => {
    const path = join(folder, 'report.html');
    writeFileSync(path, html);
    const page = await chrome.newPage();
    const seen: string[] = [];
    page.on('console', (message) => seen.push(message.text()));
    page.on('pageerror', (error) => seen.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith('data:')) seen.push(request.url());
    });
    await page.goto(pathToFileURL(path).href);
    return { page, seen: seen.filter((entry) => entry !== pathToFileURL(path).href) };
  };
  const pictures = await open(report(await pictureReport()));
  assert.deepEqual(pictures.seen, []);
  assert.equal(await pictures.page.locator('[data-chart] svg [aria-label="dot"] circle').count(), 500 + 3);
  assert.equal(await pictures.page.locator('[data-chart="kl"] [aria-label="bar"] rect').count(), 20);
  assert.equal(await pictures.page.locator('[data-chart="curve"] svg').count(), 3);
  const colour = { name: EVIL, values: tableReport().scatter!.x.map(() => EVIL) };
  const scatter = { ...tableReport().scatter!, colour };
  const evil = report({ ...tableReport(), title: EVIL, history: history(1), scatter });
  const hostile = await open(evil);
  assert.deepEqual(hostile.seen, []);
  assert.equal(await hostile.page.locator('[data-chart="column"] svg').count(), 8);
  assert.equal(await hostile.page.evaluate('globalThis.harmed'), undefined);
});

test('the projection finds the two directions of largest variance', () => {
  const [count, size] = [400, 5];
  const codes = new Float32Array(count * size);
  for (let i = 0; i < count; i++) {
    const [a, b] = [5 * Math.sin(i), 2 * Math.cos(i * 1.7)];
    codes.set([0.6 * a + 10, 0.8 * a, b, 0.01 * Math.sin(3 * i), 0], i * size); // axes (0.6, 0.8) and the third
  }
  const { x, y, xLabel } = project(codes, count, size);
  assert.ok(Math.abs(x[1]! - x[0]! - 5 * Math.sin(1)) < 0.05, `${x[1]! - x[0]!}`);
  assert.ok(Math.abs(y[1]! - y[0]! - 2 * (Math.cos(1.7) - 1)) < 0.05);
  assert.equal(xLabel, 'principal component 1 (86 % of the variance)');
  const plane = project(Float32Array.of(1, 2, 3, 4), 2, 2);
  assert.deepEqual(plane, { x: [1, 3], y: [2, 4], xLabel: 'z₁', yLabel: 'z₂' });
});

test('curves keep their range where training begins high, spikes or stands still', () => {
  const range = (value: (epoch: number) => number) => {
    const points = Array.from({ length: 40 }, (_, i) => ({ epoch: i + 1, value: value(i + 1) }));
    return curveRange(points, points.length);
  };
  assert.deepEqual(
    range((epoch) => 100 - epoch),
    [60, 95],
  );
  const [low, high] = range((epoch) => (epoch === 20 ? 1e19 : 100 - epoch)) as [number, number];
  assert.equal(low, 60);
  assert.ok(high >= 95 && high < 1000, `${high}`);
  assert.deepEqual(
    range((epoch) => (epoch > 20 ? Number.NaN : 100 - epoch)),
    [80, 95],
  );
  assert.deepEqual(
    range(() => 7),
    [6, 8],
  );
});
