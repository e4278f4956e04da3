/** "Spot the fake" and "ELECTRA" in real chromium: both languages, both themes, by keyboard, with axe-core. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { writeTestModel } from '../../src/studio/testFolders.js';
import { seriousProblems } from './axe.js';
import { buildSite } from './buildSite.js';
import { chromiumMissing, launchChromium } from './chromium.js';
import { type FileServer, serveFolder } from './fileServer.js';

const { path: folder, remove } = temporaryFolder('studio-screens');
const site = join(folder, 'site');
const LOOKS: ['en' | 'ko', 'light' | 'dark', number][] = [
  ['en', 'light', 1440],
  ['ko', 'dark', 390],
];

let browser: Browser;
let server: FileServer;

describe.skipIf(chromiumMissing)('the first screens', () => {
  beforeAll(async () => {
    // Two checkpoints of one series, for the time slider.
    for (const [i, name] of ['early', 'late'].entries()) {
      const pair = join(folder, 'models', name);
      await writeTestModel(join(pair, 'generator'), 'ElectraForMaskedLM');
      await writeTestModel(join(pair, 'discriminator'), 'ElectraForPreTraining');
      writeFileSync(join(pair, 'studio.json'), JSON.stringify({ series: 'test', tokensSeen: 1000 + 999_000 * i }));
    }
    await buildSite(site, join(folder, 'models'));
    server = await serveFolder(site);
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    remove();
  });

  async function open(hash: string, [lang, colorScheme, width] = LOOKS[0]) {
    const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, reducedMotion: 'reduce' });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    await page.goto(`${server.address}#/${hash}${hash.includes('?') ? '&' : '?'}lang=${lang}`);
    return { page, problems };
  }

  const primary = (page: Page) => page.locator('main .primary').first();
  const words = (page: Page) => page.locator('.spot-word');

  it.each(LOOKS)('plays ten sentences by keyboard alone, %s %s %i', async (...look) => {
    const { page, problems } = await open('spot', look);
    for (let round = 0; round < 10; round++) {
      await words(page).first().waitFor();
      const fakes = Number(/\d/.exec((await primary(page).textContent()) ?? '')?.[0] ?? 1);
      await words(page).first().focus();
      for (let i = 0; i < fakes; i++) {
        await page.keyboard.press('Enter');
        await page.keyboard.press('ArrowRight');
      }
      if (round === 0) expect(await seriousProblems(page)).toEqual([]);
      // From the sentence one step of the tab key to the button.
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.locator('.spot-found').waitFor();
      expect(await page.locator('.spot-was').count()).toBe(fakes);
      expect(await page.locator('.spot-word[data-models]').count()).toBe(fakes);
      expect(await page.locator('.spot-word[aria-pressed=true]').count()).toBe(fakes);
      if (round === 0) expect(await seriousProblems(page)).toEqual([]);
      await page.keyboard.press('Enter');
    }
    await page.locator('.spot-result').waitFor();
    expect(await seriousProblems(page)).toEqual([]);
    expect(problems).toEqual([]);

    // The address is the result: a friend who opens it sees it, and can play the same sentences.
    const score = await page.locator('.spot-verdict b').allTextContents();
    const friend = await browser.newPage();
    await friend.goto(page.url());
    await friend.locator('.spot-result').waitFor();
    expect(await friend.locator('.spot-verdict b').allTextContents()).toEqual(score);
    expect(await friend.locator('.spot-verdict').textContent()).not.toBe(
      await page.locator('.spot-verdict').textContent(),
    );
    await primary(friend).click();
    await words(friend).first().waitFor();
    await friend.close();
    await page.close();
  });

  it('can be played within 1 MB, before engine and models are there', async () => {
    const page = await browser.newPage();
    // They never come.
    await page.route(/runtime\/|safetensors/, () => {});
    await page.goto(`${server.address}#/spot?lang=en`);
    for (let round = 0; round < 3; round++) {
      await words(page).first().waitFor();
      while (await primary(page).isDisabled()) await page.locator('.spot-word[aria-pressed=false]').first().click();
      await primary(page).click();
      await primary(page).click();
    }
    await page.locator('.state[role=status]').waitFor();
    const bytes = await page.evaluate(() =>
      [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
        .map((entry) => (entry as PerformanceResourceTiming).encodedBodySize)
        .reduce((sum, size) => sum + size, 0),
    );
    expect(bytes).toBeGreaterThan(30_000);
    expect(bytes).toBeLessThan(1_000_000);
    await page.close();
  });

  it.each(LOOKS)('takes ELECTRA apart, %s %s %i', async (...look) => {
    const text = 'The chef ate a good meal.';
    const { page, problems } = await open(`electra?text=${encodeURIComponent(text)}&masked=1&t=3`, look);
    const row = (number: number) => page.locator('.electra-row').nth(number).locator('.token');
    await row(0).first().waitFor();
    expect(await page.locator('.electra-row [data-tone=mask]').count()).toBe(1);

    // By keyboard: along the row, and a second word is masked.
    await row(0).first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('.electra-row [data-tone=mask]').length === 2);
    expect(page.url()).toContain('masked=1+2');
    expect(await page.locator('.bars-row').count()).toBe(8);

    // Draws until one is the original again, which is said to count as original.
    for (let draw = 0; draw < 60 && (await page.locator('[data-tone=same]').count()) === 0; draw++) {
      await primary(page).click();
      await page.waitForFunction(() => document.querySelector('.electra-rows')?.getAttribute('aria-busy') === 'false');
    }
    expect(await page.locator('[data-tone=same]').count()).toBeGreaterThan(0);
    expect(await page.locator('.electra-rule b').count()).toBe(2);
    expect(await seriousProblems(page)).toEqual([]);

    // A word of one's own in the third row, which stays in the address.
    await page.locator('.electra-line').last().locator('.electra-row').nth(2).locator('.token').last().click();
    await page.waitForFunction(() => document.activeElement?.tagName === 'INPUT');
    await page.keyboard.type('cook');
    await page.keyboard.press('Enter');
    await page.locator('[data-tone=drawn]', { hasText: 'cook' }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain('cook');
    await page.reload();
    await page.locator('[data-tone=drawn]', { hasText: 'cook' }).waitFor();

    // Another checkpoint by keyboard.
    await page.locator('.electra-time input').focus();
    await page.keyboard.press('ArrowLeft');
    await page.waitForFunction(() => location.hash.includes('model=early'));
    await page.locator('.roc-line').waitFor();
    await page.locator('.scatter-name').nth(3).waitFor();
    expect(await seriousProblems(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('gives each figure as picture, as numbers and as code', async () => {
    const { page } = await open('electra?text=the+chef+ate&masked=1');
    await page.locator('.bars-row').first().waitFor();
    await page.locator('.roc-line').waitFor();
    await page.locator('.scatter-name').first().waitFor();
    const figures = page.locator('.figure');
    expect(await figures.count()).toBe(5);
    const save = async (figure: number, action: number) => {
      const menu = figures.nth(figure).locator('.figure-menu');
      await menu.locator('summary').click();
      await menu.locator('button').nth(action).waitFor();
      const download = page.waitForEvent('download');
      await menu.locator('button').nth(action).click();
      const file = await download;
      const saved = { name: file.suggestedFilename(), bytes: readFileSync(await file.path()) };
      // Chromium drops a download that follows another at once.
      await page.waitForTimeout(250);
      return saved;
    };
    for (let figure = 0; figure < (await figures.count()); figure++) {
      const svg = await save(figure, 0);
      expect(svg.name).toMatch(/^[a-z-]+\.svg$/);
      expect(svg.bytes.toString()).toMatch(/^<svg[^>]* xmlns="http:\/\/www.w3.org\/2000\/svg"/);
      expect(svg.bytes.toString()).not.toContain('var(--');
      const png = await save(figure, 1);
      expect(png.bytes.subarray(1, 4).toString()).toBe('PNG');
      expect(png.bytes.length).toBeGreaterThan(2000);
    }
    const json = await save(0, 2);
    const step = JSON.parse(json.bytes.toString());
    expect(step.tokens.map(({ piece }: { piece: string }) => piece)).toEqual(['the', 'chef', 'ate']);
    await figures.nth(0).locator('summary').click();
    await figures.nth(0).locator('.figure-menu button').nth(3).click();
    expect(await figures.nth(0).locator('pre').textContent()).toContain("from 'pleiad/node'");
    await page.close();
  });

  it('has a tour whose steps complete by doing', async () => {
    const { page } = await open('electra?text=the+chef+ate+a+meal&masked=1');
    await page.locator('.bars-row').first().waitFor();
    await page.locator('.header-tour').click();
    const count = page.locator('.tour-count');
    await expect.poll(() => count.textContent()).toBe('1 of 5');
    expect(await page.locator('.tour button').count()).toBe(1); // to close it
    await page.locator('.electra-row .token').nth(3).click();
    await expect.poll(() => count.textContent()).not.toBe('1 of 5');
    await page.close();
  });

  it('shows no text as markup', async () => {
    const attack = '<img src=x onerror="document.title=1"><b>bold</b>';
    const { page } = await open(
      `electra?text=${encodeURIComponent(attack)}&typed=0:${encodeURIComponent('<b>x</b>')}&masked=1`,
    );
    await page.locator('.electra-row .token').first().waitFor();
    expect(await page.locator('main img, main b:has-text("bold")').count()).toBe(0);
    expect(await page.title()).toContain('Pleiad Studio');
    await page.close();
  });
});
