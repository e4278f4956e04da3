/** "Train" and "Models" in real chromium, computing in the tab and on the server. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { RandomStream } from '../../src/random/philox.js';
import { type RunningStudio, startStudio } from '../../src/studio/studioServer.node.js';
import { writeTestModel } from '../../src/studio/testFolders.js';
import { seriousProblems } from './axe.js';
import { buildSite } from './buildSite.js';
import { chromiumMissing, launchChromium } from './chromium.js';
import { type FileServer, serveFolder } from './fileServer.js';

const { path: folder, remove } = temporaryFolder('studio-train');
const site = join(folder, 'site');

const random = new RandomStream(1, 'evaluation', 0);
const pick = (of: readonly string[]) => of[Math.floor(random.uniform() * of.length)];
const sentence = () =>
  `The ${pick(['chef', 'sailor', 'doctor'])} ${pick(['cooked', 'ate', 'saw'])} the ${pick(['meal', 'fish', 'soup'])} near the ${pick(['house', 'river', 'garden'])}.`;
const TEXT = Array.from({ length: 40 }, () => Array.from({ length: 10 }, sentence).join(' ')).join('\n\n');

let browser: Browser;
let files: FileServer;
let studio: RunningStudio;

describe.skipIf(chromiumMissing)('Train and Models', () => {
  beforeAll(async () => {
    const pair = join(folder, 'models/pair');
    await writeTestModel(join(pair, 'generator'), 'ElectraForMaskedLM');
    await writeTestModel(join(pair, 'discriminator'), 'ElectraForPreTraining');
    await buildSite(site, join(folder, 'models'));
    files = await serveFolder(site);
    studio = await startStudio([pair], { port: 0, runs: join(folder, 'runs') }, { page: site, threads: 1 });
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    await files?.close();
    await studio?.stop();
    remove();
  });

  async function open(address: string, { width = 1440, dark = false } = {}) {
    const page = await browser.newPage({
      viewport: { width, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
      reducedMotion: 'reduce',
    });
    const problems: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(address);
    return { page, problems };
  }

  const primary = (page: Page) => page.locator('.train-play');
  const number = (page: Page, i: number) => page.locator('.train-number b').nth(i).textContent();

  it('a model learns in the tab from a pasted text, is kept over a reload, and opens in ELECTRA', async () => {
    const { page, problems } = await open(`${files.address}#/train?source=own&steps=3&lang=en`);
    await page.locator('textarea').waitFor();
    expect(await primary(page).isDisabled()).toBe(true);
    await page.locator('textarea').fill(TEXT);
    expect(await seriousProblems(page)).toEqual([]);
    await primary(page).click();
    await page.getByText('Done.').waitFor({ timeout: 40_000 });
    expect(Number.parseFloat((await number(page, 0)) ?? '')).toBeGreaterThan(2);
    expect(Number.parseFloat((await number(page, 2)) ?? '')).toBeGreaterThan(0);
    expect(await page.locator('.train-sentence-columns li').count()).toBe(12);
    expect(await seriousProblems(page)).toEqual([]);

    await page.reload();
    await page.getByText('Done.').waitFor();
    expect(await page.locator('.train-sentence-columns li').count()).toBe(12);
    const download = page.waitForEvent('download');
    await page.getByText('Download as a model folder').click();
    const zip = unzipSync(new Uint8Array(readFileSync(await (await download).path())));
    expect(Object.keys(zip)).toEqual(
      expect.arrayContaining(['my-electra/generator/config.json', 'my-electra/discriminator/model.safetensors']),
    );
    await page.getByText('Play with it in ELECTRA').click();
    await page.waitForFunction(() => location.hash.includes('electra?') && location.hash.includes('model=my-electra'));
    await page.locator('.electra-row .token').first().waitFor();
    expect(problems).toEqual([]);
    await page.close();
  });

  it('a model is looked into by keyboard, in Korean, dark, on a phone', async () => {
    const { page, problems } = await open(`${files.address}#/models?lang=ko`, { width: 390, dark: true });
    await page.locator('.models-area').first().focus();
    await page.keyboard.press('Enter');
    await page.locator('.models-tensors').waitFor();
    expect(page.url()).toContain('part=embeddings');
    expect(await page.locator('.models-tensors td').first().textContent()).toContain('embeddings');
    await page.locator('.models-probe input').fill('the chef');
    await page.waitForFunction(() => document.querySelectorAll('.models-piece').length === 2);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await seriousProblems(page)).toEqual([]);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('a folder that is dropped is told what it lacks, and one that is whole becomes a model', async () => {
    const { page } = await open(`${files.address}#/models?lang=en`);
    // A detector’s weights under the config of a classifier: its head is another one.
    const partial = join(folder, 'partial');
    await writeTestModel(partial, 'ElectraModel');
    const config = JSON.parse(readFileSync(join(partial, 'config.json'), 'utf8'));
    writeFileSync(
      join(partial, 'config.json'),
      JSON.stringify({ ...config, architectures: ['ElectraForQuestionAnswering'] }),
    );
    await page.locator('input[type=file]').setInputFiles(partial);
    await page.locator('.models-missing').waitFor();
    expect(await page.locator('.models-missing').textContent()).toContain('qa_outputs.weight');

    const whole = join(folder, 'whole');
    await writeTestModel(whole, 'ElectraForPreTraining');
    await page.locator('input[type=file]').setInputFiles(whole);
    await page.locator('.models-whole').waitFor();
    expect(page.url()).toContain('model=whole');
    const download = page.waitForEvent('download');
    await page.getByText('Download ONNX').click();
    const zip = unzipSync(new Uint8Array(readFileSync(await (await download).path())));
    expect(Object.keys(zip)).toEqual(expect.arrayContaining(['whole/onnx/model.onnx', 'whole/tokenizer.json']));
    await page.reload();
    await page.getByText('Remove from this browser').click();
    await page.locator('.models-list [aria-current]', { hasText: 'pair' }).waitFor();

    // A name is text, wherever it is shown.
    const strange = join(folder, '<img src=x onerror=alert(1)>');
    mkdirSync(strange);
    writeFileSync(join(strange, 'config.json'), '{"model_type": "<script>alert(1)</script>"}');
    await page.locator('input[type=file]').setInputFiles(strange);
    await page.locator('[role=alert]').waitFor();
    expect(await page.locator('main img, main script').count()).toBe(0);
    await page.close();
  });

  it('on the server a run of a larger size is begun, watched, stopped, gone on with and opened in ELECTRA', {
    timeout: 240_000,
  }, async () => {
    const { page, problems } = await open(studio.address);
    await page.waitForFunction(() => !location.href.includes('token'));
    await page.evaluate(() => {
      location.hash = '#/train?source=own&steps=1000&lang=en';
    });
    await page.locator('textarea').fill(TEXT);
    expect(await seriousProblems(page)).toEqual([]);
    await page.getByLabel('Size').selectOption('mini');
    await primary(page).click();
    await page.waitForFunction(() => location.hash.includes('run=mini-1'), undefined, { timeout: 60_000 });
    const step = async () =>
      Number.parseInt(
        /step (\d+)/.exec((await page.locator('.train-figures-line').textContent()) ?? '')?.[1] ?? '0',
        10,
      );
    await expect.poll(step, { timeout: 60_000 }).toBeGreaterThan(0);
    await page.getByText('Pause').click();
    await page.getByText('Go on').waitFor({ timeout: 60_000 });
    expect(await page.locator('.train-run').allTextContents()).toEqual([expect.stringContaining('electra, mini')]);
    expect(await seriousProblems(page)).toEqual([]);
    const stopped = await step();
    await page.getByText('Go on').click();
    await expect.poll(step, { timeout: 60_000 }).toBeGreaterThan(stopped);
    await page.getByText('Pause').click();
    await page.getByText('Go on').waitFor({ timeout: 60_000 });
    await page.getByText('Play with it in ELECTRA').click();
    await page.waitForFunction(() => location.hash.includes('electra?') && location.hash.includes('model=mini-1'));
    await page.locator('.electra-row .token').first().waitFor();
    await page.waitForFunction(() => document.querySelectorAll('.bars-row').length > 0);
    expect(problems).toEqual([]);

    // The same page without the token, which has left the address: it says so, and how to go on.
    expect(page.url()).not.toContain(studio.token);
    // It lives as long as this tab, where no other page of this machine finds it.
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, document.cookie]));
    expect(kept).not.toContain(studio.token);
    const stranger = await browser.newContext();
    const other = await stranger.newPage();
    await other.goto(`${studio.url}/#/train?lang=en`);
    await other.getByText('without the token').waitFor();
    await stranger.close();

    await page.goto(`${studio.url}/#/models?model=pair&lang=en`);
    await page.getByText('Write safetensors').click();
    await page.getByText('Written to').waitFor();
    await page.close();
  });
});
