/** `pleiad share`: a page that opens from disk in real chromium, computes there, speaks to nobody, and shows texts as texts. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { share } from '../../src/cli/commands/share.js';
import { Output } from '../../src/cli/output.js';
import { pipeline } from '../../src/pipelines/pipeline.node.js';
import { sharePage } from '../../src/studio/sharePage.node.js';
import { writeTestModel } from '../../src/studio/testFolders.js';
import { seriousProblems } from './axe.js';
import { chromiumMissing, launchChromium } from './chromium.js';

const { path: folder, remove } = temporaryFolder('share');
const at = (...names: string[]) => join(folder, ...names);
const ATTACK = '</script><img src=x onerror="document.title=\'taken\'">';
const TEXT = 'the chef ate the meal . a good meal';

let browser: Browser;

beforeAll(async () => {
  await writeTestModel(at('asking'), 'ElectraForQuestionAnswering');
  await writeTestModel(at('labels'), 'ElectraForSequenceClassification', { labels: [ATTACK, '<b>good</b>', '\'"&'] });
  await writeTestModel(at('marks'), 'ElectraForTokenClassification', { labels: ['O', `B-${ATTACK}`] });
  await writeTestModel(at('pair/generator'), 'ElectraForMaskedLM');
  await writeTestModel(at('pair/discriminator'), 'ElectraForPreTraining');
  await writeTestModel(at('encoder'), 'ElectraModel');
});
afterAll(async () => {
  await browser?.close();
  remove();
});

describe('sharing', () => {
  it('says what the file is spent on and what its reader can do', async () => {
    const lines: string[] = [];
    const stream = { write: (text: string) => lines.push(text) };
    const output = new Output({ json: false }, { stdout: stream, stderr: stream });
    const options = { out: at('ask.html'), title: 'Ask the cook' };
    const { json } = await share.run([at('asking')], options, { output });
    expect(json).toMatchObject({ task: 'ask', architectures: ['ElectraForQuestionAnswering'], dtype: 'int8' });
    expect(lines.join('')).toMatch(/ask\.html: \d+\.\d MB/);
    expect(lines.join('')).toContain('asks questions about a text, without a network');
    // Most of it is the engine.
    expect(readFileSync(at('ask.html')).length).toBeLessThan(7e6);
  });

  it('refuses to write over a file, and models that no page has a use for, and says what to do', async () => {
    await expect(sharePage(at('asking'), at('ask.html'))).rejects.toThrow('is there already; give another name');
    await expect(sharePage(at('encoder'), at('encoder.html'))).rejects.toThrow(
      /is ElectraModel, which no page shows\. Fine-tune it first: pleiad finetune --task question-answering --from/,
    );
    await expect(sharePage(at('nowhere'), at('x.html'), { offline: true })).rejects.toThrow('nowhere');
  });
});

describe.skipIf(chromiumMissing)('a shared page from disk', () => {
  beforeAll(async () => {
    browser = await launchChromium();
  });

  /** Opens a page as a double click does, and presses its button. */
  async function use(name: string): Promise<{ page: Page; problems: string[]; asked: string[] }> {
    const page = await browser.newPage({ locale: 'en-US' });
    const problems: string[] = [];
    const asked: string[] = [];
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    page.on('request', (request) => asked.push(request.url().slice(0, 5)));
    await page.goto(pathToFileURL(at(name)).href);
    return { page, problems, asked };
  }

  it('answers a question as the library does, in 8 bits, and asks nobody', async () => {
    const { page, problems, asked } = await use('ask.html');
    await page.getByLabel('Text').fill(TEXT);
    await page.getByLabel('Question').fill('a good chef');
    await page.getByRole('button', { name: 'Ask' }).click();
    const answer = await page.locator('.share-answer').textContent();
    const ask = await pipeline('question-answering', { model: at('asking') });
    const expected = await ask({ question: 'a good chef', context: TEXT }, { topK: 3 });
    await ask.release();
    expect(expected.map((each) => each.answer)).toContain(answer);
    expect(await page.locator('mark').textContent()).toBe(answer);
    expect(await page.title()).toBe('Ask the cook');
    expect(new Set(asked)).toEqual(new Set(['file:', 'blob:']));
    expect(problems).toEqual([]);
    // Nor could it, had somebody put code into it.
    const fetched = await page.evaluate(() => fetch('https://example.org/').then(String, (error) => error.name));
    expect(fetched).toBe('TypeError');
    await page.addScriptTag({ content: 'window.intruder = true' }).catch(() => {});
    expect(await page.evaluate(() => 'intruder' in window)).toBe(false);
    await page.close();
  });

  it('shows labels, texts and titles with markup in them as they are written', async () => {
    await sharePage(at('labels'), at('labels.html'), { title: ATTACK });
    const { page, problems } = await use('labels.html');
    await page.getByLabel('Text').fill(ATTACK);
    await page.getByRole('button', { name: 'Which label?' }).click();
    await page.locator('.share-answer').waitFor();
    expect(await page.locator('h1').textContent()).toBe(ATTACK);
    const labels = await page.locator('.bars-name').allTextContents();
    expect([...labels].sort()).toEqual([ATTACK, '<b>good</b>', '\'"&'].sort());
    expect(await page.locator('img, b').count()).toBe(0);
    expect(await page.title()).toBe(ATTACK);
    expect(problems).toEqual([]);
    await page.close();
  });

  it('marks names, and of a text with markup too', async () => {
    await sharePage(at('marks'), at('marks.html'));
    const { page } = await use('marks.html');
    const text = `${TEXT} <b>the</b> ${ATTACK} meal`;
    await page.getByLabel('Text').fill(text);
    await page.getByRole('button', { name: 'Mark' }).click();
    await page.locator('.share-context').waitFor();
    expect(await page.locator('.share-context img, .share-context b').count()).toBe(0);
    const shown = await page.locator('.share-context').evaluate((context) => {
      const copy = context.cloneNode(true) as HTMLElement;
      for (const name of copy.querySelectorAll('small')) name.remove();
      return copy.textContent;
    });
    expect(shown).toBe(text);
    expect(await page.title()).not.toBe('taken');
    await page.close();
  });

  it('proofreads by a pair: a doubtful word shows what could stand there, and takes it; in Korean too', async () => {
    await sharePage(at('pair'), at('pair.html'));
    const { page } = await use('pair.html');
    await page.getByRole('button', { name: '한국어' }).click();
    await page.getByRole('textbox').fill(TEXT);
    await page.getByRole('button', { name: '읽어 보기' }).click();
    await page.locator('button.share-word').nth(1).click();
    const proposal = page.locator('.share-others button').first();
    const word = (await proposal.textContent())?.split(' ')[0] ?? '';
    await proposal.click();
    expect(await page.getByRole('textbox').inputValue()).toBe(TEXT.replace('chef', word));
    await page.close();
  });

  it('has nothing serious that axe finds', async () => {
    // A page without the policy, which would keep axe out.
    const context = await browser.newContext({ bypassCSP: true, locale: 'en-US' });
    const page = await context.newPage();
    await page.goto(pathToFileURL(at('ask.html')).href);
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.locator('.share-answer').waitFor();
    expect(await seriousProblems(page)).toEqual([]);
    await context.close();
  });
});
