/** The static site in real chromium: served by a plain file server from a sub-folder, it computes wholly in the tab. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { writeTestModel } from '../../src/studio/testFolders.js';
import { buildSite } from './buildSite.js';
import { chromiumMissing, launchChromium } from './chromium.js';
import { type FileServer, serveFolder } from './fileServer.js';

const { path: folder, remove } = temporaryFolder('studio-site');
const site = join(folder, 'site');
const isolation = {
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

let browser: Browser;
let plain: FileServer;
let isolated: FileServer;

describe.skipIf(chromiumMissing)('the static site', () => {
  beforeAll(async () => {
    await writeTestModel(join(folder, 'models/pair/generator'), 'ElectraForMaskedLM');
    await writeTestModel(join(folder, 'models/pair/discriminator'), 'ElectraForPreTraining');
    await buildSite(site, join(folder, 'models'));
    plain = await serveFolder(site, { under: '/some/where/' });
    isolated = await serveFolder(site, { headers: isolation });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await plain?.close();
    await isolated?.close();
    remove();
  });

  /** A page with the backend of the tab in `window.pleiadTab`. */
  async function open(address: string): Promise<{ page: Page; problems: string[] }> {
    const page = await browser.newPage();
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(address);
    await page.addScriptTag({ url: 'probe.js', type: 'module' });
    await page.waitForFunction(() => 'pleiadTab' in window);
    return { page, problems };
  }

  const detect = (page: Page) =>
    page.evaluate(async () => {
      const progress: string[] = [];
      const result = await window.pleiadTab.call(
        'runPipeline',
        {
          task: 'replaced-token-detection',
          model: 'pair',
          role: 'discriminator',
          input: 'the chef ate the meal',
        },
        { onProgress: ({ what }) => progress.push(what) },
      );
      return { result: result as { token: string; replaced: number }[], progress };
    });

  it('computes from any file server and sub-folder, with one thread and without asking anybody else', async () => {
    const { page, problems } = await open(plain.address);
    const elsewhere: string[] = [];
    page.on('request', (request) => request.url().startsWith(plain.address) || elsewhere.push(request.url()));
    const { result, progress } = await detect(page);
    expect(result.map(({ token }) => token)).toEqual(['the', 'chef', 'ate', 'the', 'meal']);
    expect(result.every(({ replaced }) => replaced > 0 && replaced < 1)).toBe(true);
    expect(new Set(progress)).toEqual(new Set(['engine', 'pair']));
    expect(await page.evaluate(() => window.pleiadTab.place())).toEqual({ kind: 'tab', device: 'wasm', threads: 1 });
    expect(elsewhere).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('may speak to no other server and run no script but its own, though a plain file server sends no policy', async () => {
    const { page } = await open(plain.address);
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    const other = await serveFolder(site, { headers: { 'access-control-allow-origin': '*' } });
    const fetched = await page.evaluate(
      (url) => fetch(url).then(String, (error: Error) => error.name),
      `${other.address}models.json`,
    );
    expect([fetched, other.asked]).toEqual(['TypeError', []]);
    await page.evaluate(() => {
      document.body.append(Object.assign(document.createElement('script'), { textContent: 'window.intruder = 1' }));
      document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.intruder = 2">');
    });
    await expect.poll(() => said.filter((text) => text.includes('Content Security Policy')).length).toBeGreaterThan(2);
    expect(await page.evaluate(() => 'intruder' in window)).toBe(false);
    await other.close();
    await page.close();
  });

  it('keeps models in the cache of the browser', async () => {
    const { page } = await open(plain.address);
    await detect(page);
    const weights = () => plain.asked.filter((path) => path.endsWith('discriminator/model.safetensors')).length;
    const before = weights();
    await page.reload();
    await page.addScriptTag({ url: 'probe.js', type: 'module' });
    await page.waitForFunction(() => 'pleiadTab' in window);
    await detect(page);
    expect(before).toBeGreaterThan(0);
    expect(weights()).toBe(before);
    await page.close();
  });

  it('takes several threads where the server isolates the page, and finds the same', async () => {
    const one = await open(plain.address);
    const several = await open(isolated.address);
    const place = await several.page.evaluate(() => window.pleiadTab.place());
    expect(place.threads).toBeGreaterThan(1);
    const [a, b] = [await detect(one.page), await detect(several.page)];
    for (const [i, { replaced }] of a.result.entries()) expect(b.result[i].replaced).toBeCloseTo(replaced, 5);
    expect(several.problems).toEqual([]);
    await one.page.close();
    await several.page.close();
  });

  it('ends a call that is cancelled, and says what is wrong with one', async () => {
    const { page } = await open(plain.address);
    const said = await page.evaluate(async () => {
      const message = (promise: Promise<unknown>) => promise.then(String, (error: Error) => error.message);
      const asked = { task: 'fill-mask', model: 'pair', role: 'generator' } as const;
      const text = 'the chef [MASK] the meal . '.repeat(2);
      const controller = new AbortController();
      const long = window.pleiadTab.call(
        'runPipeline',
        { ...asked, input: Array.from({ length: 400 }, () => text) },
        { signal: controller.signal },
      );
      setTimeout(() => controller.abort(new Error('changed my mind')), 50);
      const start = performance.now();
      const cancelled = await message(long);
      const absent = await message(window.pleiadTab.call('runPipeline', { ...asked, model: 'x', input: text }));
      const unfit = await message(window.pleiadTab.call('runPipeline', { ...asked, input: 'no gap' }));
      return { cancelled, absent, unfit, ms: performance.now() - start };
    });
    expect(said.cancelled).toBe('changed my mind');
    expect(said.absent).toBe('there is no model "x"; there are pair');
    expect(said.unfit).toContain('[MASK]');
    await page.close();
  });
});
