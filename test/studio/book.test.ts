/** Screen "The book" in real chromium: every chapter draws its figure, in both languages, by keyboard, and axe finds nothing serious. */
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { writeTestModel } from '../../src/studio/testFolders.js';
import { seriousProblems } from './axe.js';
import { buildSite } from './buildSite.js';
import { chromiumMissing, launchChromium } from './chromium.js';
import { type FileServer, serveFolder } from './fileServer.js';

const { path: folder, remove } = temporaryFolder('book');

let browser: Browser;
let server: FileServer;

describe.skipIf(chromiumMissing)('the book', () => {
  beforeAll(async () => {
    await writeTestModel(join(folder, 'models/pair/generator'), 'ElectraForMaskedLM');
    await writeTestModel(join(folder, 'models/pair/discriminator'), 'ElectraForPreTraining');
    await writeTestModel(join(folder, 'models/asking'), 'ElectraForQuestionAnswering');
    await buildSite(join(folder, 'site'), join(folder, 'models'));
    server = await serveFolder(join(folder, 'site'));
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    remove();
  });

  async function open(
    state: string,
    options: Parameters<Browser['newPage']>[0],
  ): Promise<{ page: Page; problems: string[] }> {
    const page = await browser.newPage(options);
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(`${server.address}#/book?${state}`);
    await page.locator('.book-chapter h1').waitFor();
    return { page, problems };
  }

  it('draws every chapter, Korean before English, and turns from one to the next by keyboard', async () => {
    const { page, problems } = await open('lang=en', { locale: 'en-US' });
    const chapters = await page.locator('.book-contents a').count();
    expect(chapters).toBe(13);
    for (let i = 0; i < chapters; i++) {
      const title = await page.locator('.book-contents a[aria-current] span').textContent();
      await page.locator('.book-both > [lang="en"] h2', { hasText: title ?? '' }).waitFor();
      await page.locator('.book-figure .figure').waitFor();
      expect(await page.locator('.book-both > [lang="ko"] h1').textContent()).toMatch(/[가-힣]|MLM/);
      expect(await page.locator('.book-line pre').textContent()).toMatch(/;|\)$/);
      expect(await page.locator('.book-formula math').getAttribute('aria-label'), title ?? '').toBeTruthy();
      if (i % 4 === 0) expect(await seriousProblems(page), title ?? '').toEqual([]);
      if (i === chapters - 1) break;
      await page.locator('a[rel="next"]').focus();
      await page.keyboard.press('Enter');
      await page.waitForFunction(
        (before) => document.querySelector('.book-contents a[aria-current] span')?.textContent !== before,
        title,
      );
    }
    expect(page.url()).toContain('chapter=answers');
    expect(problems).toEqual([]);
    await page.close();
  });

  it('keeps a figure in the address: the same draw for whoever gets the link', async () => {
    const { page } = await open('chapter=drawing&lang=ko', { locale: 'ko-KR' });
    const slider = page.getByRole('slider');
    await slider.focus();
    await page.keyboard.press('End');
    await page.waitForFunction(() => location.hash.includes('u=0.999'));
    const drawn = await page.locator('.figure-note').textContent();
    const address = page.url();
    await page.goto('about:blank');
    await page.goto(address);
    await page.locator('.figure-note').waitFor();
    expect(await page.locator('.figure-note').textContent()).toBe(drawn);
    await page.close();
  });

  it('fits a phone and a dark room', async () => {
    const { page } = await open('chapter=boundaries', { viewport: { width: 390, height: 800 }, colorScheme: 'dark' });
    await page.locator('.book-figure .figure').waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBe(0);
    expect(await seriousProblems(page)).toEqual([]);
    await page.close();
  });
});
