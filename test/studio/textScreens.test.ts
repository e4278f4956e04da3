/** Screens SpanBERT, Ask and Proofread in real chromium, on tiny models in the tab: by pointer, by keyboard, in both languages. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { createPipeline } from '../../src/pipelines/createPipeline.js';
import { testModel } from '../../src/pipelines/testModels.js';
import { writeTestModel } from '../../src/studio/testFolders.js';
import { seriousProblems } from './axe.js';
import { buildSite } from './buildSite.js';
import { chromiumMissing, launchChromium } from './chromium.js';
import { type FileServer, serveFolder } from './fileServer.js';

const { path: folder, remove } = temporaryFolder('studio-text-screens');
const site = join(folder, 'site');
const spanBoundary = { maxSpanTargets: 6, positionSize: 5, endpoints: 'external', edgeSpans: 'drop' } as const;

let browser: Browser;
let page: Page;
const problems: string[] = [];
let server: FileServer;

describe.skipIf(chromiumMissing)('the screens about texts', () => {
  beforeAll(async () => {
    await writeTestModel(join(folder, 'models/span'), 'BertForMaskedLM', { spanBoundary });
    await writeTestModel(join(folder, 'models/qa'), 'ElectraForQuestionAnswering');
    await writeTestModel(join(folder, 'models/pair/generator'), 'ElectraForMaskedLM');
    await writeTestModel(join(folder, 'models/pair/discriminator'), 'ElectraForPreTraining');
    await buildSite(site, join(folder, 'models'));
    server = await serveFolder(site);
    browser = await launchChromium();
    page = await browser.newPage();
    page.on('pageerror', (error) => problems.push(error.message));
    page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
    await page.goto(server.address);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    remove();
  });

  /** What the address says of the screen. */
  const stateNow = async () =>
    Object.fromEntries(new URLSearchParams((await page.evaluate(() => location.hash)).split('?')[1]));

  /** Opens a screen at a state, in the page that is there: engine and models are loaded once. */
  async function open(
    screen: string,
    state: Record<string, string>,
    there: string,
    { width = 1200, dark = false } = {},
  ): Promise<void> {
    await page.setViewportSize({ width, height: 900 });
    await page.emulateMedia({ colorScheme: dark ? 'dark' : 'light' });
    const show = (address: string) =>
      page.evaluate((hash) => {
        location.hash = hash;
      }, address);
    // A screen that is left and opened again has forgotten what its address does not say.
    await show('#/elsewhere');
    await page.waitForSelector('.header a[aria-current][href="#/spot"]');
    await show(`#/${screen}?${new URLSearchParams({ lang: 'en', ...state })}`);
    await page.waitForSelector(there);
  }

  /** What axe-core finds serious, and whether the page is wider than the screen. */
  async function shortcomings(): Promise<string[]> {
    const found = await seriousProblems(page);
    const [needed, given] = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return [scrollWidth, clientWidth];
    });
    return needed > given ? [...found, `${needed} pixels in ${given}`] : found;
  }

  const texts = (selector: string) => page.locator(selector).allTextContents();

  describe('SpanBERT', () => {
    const TEXT = { text: 'the chef ate a good meal .' };
    const atEdge = (word: string) => `${word}, at the edge of the span`;

    it('hides a span that is dragged, and its edges glow', async () => {
      await open('spanbert', { ...TEXT, span: '3-4' }, '.span-place');
      expect(await texts('[data-tone="edge"]')).toEqual(['chef', 'good'].map(atEdge));
      const [from, to] = [
        await page.locator('[data-word="2"]').boundingBox(),
        await page.locator('[data-word="4"]').boundingBox(),
      ];
      await page.mouse.move(from!.x + 5, from!.y + 9);
      await page.mouse.down();
      await page.mouse.move(to!.x + 5, to!.y + 9, { steps: 4 });
      await page.mouse.up();
      expect((await stateNow()).span).toBe('3-5');
      expect(await texts('[data-tone="edge"]')).toEqual(['chef', 'meal'].map(atEdge));
    });

    it('works by keyboard alone: a span, a word of it, and a wrong place', async () => {
      await open('spanbert', { ...TEXT, span: '2-2' }, '.span-place');
      await page.locator('[data-word="1"]').focus();
      await page.keyboard.press('ArrowRight');
      await page.keyboard.down('Shift');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.up('Shift');
      expect((await stateNow()).span).toBe('3-4');
      await page.keyboard.press('Enter');
      expect((await stateNow()).piece).toBe('1');
      const own = page.getByRole('radio', { checked: true });
      expect(await own.getAttribute('aria-label')).toMatch(/^place 2:/);
      await own.focus();
      await page.keyboard.press('ArrowRight');
      expect((await stateNow()).place).toBe('3');
      const [second, third] = [1, 2].map((place) => page.getByRole('radio').nth(place).getAttribute('aria-label'));
      const answerOf = async (label: Promise<string | null>) => (await label)!.replace(/^place \d+: /, '');
      const said = await page.locator('.span-note').last().textContent();
      expect(said).toContain(`“${await answerOf(third)}”`);
      expect(said).toContain(`“${await answerOf(second)}”`);
    });

    it('throws spans into the histogram, also without a model that could answer', async () => {
      await open('spanbert', { ...TEXT, model: 'pair' }, '.span-lengths svg');
      await page.getByRole('button', { name: 'Throw a span' }).click();
      expect((await stateNow()).throws).toBe('1');
      await page.getByRole('button', { name: 'Throw 100' }).click();
      const figure = page.getByRole('img', { name: /^Thrown lengths/ });
      const counts = (await figure.getAttribute('aria-label'))!.match(/\d+/g)!.map(Number);
      expect(counts).toHaveLength(10);
      expect(counts.reduce((sum, count) => sum + count)).toBe(101);
    });

    it('says why there is no answer at an edge, and of a model without a boundary head', async () => {
      const says = (title: string) => page.locator('.state-title', { hasText: title }).waitFor();
      await open('spanbert', { ...TEXT, span: '1-2' }, '.state-title');
      await says('No edge, no answer');
      await open('spanbert', { ...TEXT, span: '3-4', model: 'pair' }, '.state-title');
      await says('This model has no boundary head');
      await page.locator('.bars-row').nth(5).waitFor();
      expect(await page.locator('.bars-row').count()).toBe(6);
    });

    it('saves the numbers of a figure', async () => {
      await open('spanbert', { ...TEXT, span: '3-4' }, '.span-place');
      const figure = page.locator('.figure', { hasText: 'What the edges say' });
      await figure.locator('summary').click();
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        figure.getByRole('button', { name: 'Numbers, JSON' }).click(),
      ]);
      const saved = JSON.parse(readFileSync((await download.path())!, 'utf8'));
      expect(saved).toMatchObject({
        masked: 'ate',
        place: 1,
        boundaries: { left: { token: 'chef' }, right: { token: 'good' } },
      });
      const shown = await figure.locator('.bars-name').allTextContents();
      expect(saved.candidates.map(({ token }: { token: string }) => token)).toEqual(shown);
    });
  });

  describe('Ask', () => {
    const context = 'the chef ate a good meal . the good chef cooked a meal . a chef ate the meal .';
    const question = 'the chef ate';
    const STATE = { text: context, q: question };

    it("shows the pipeline's own answer in its sentence, and all windows", async () => {
      await open('ask', STATE, '.ask-sentence mark');
      const ask = await createPipeline('question-answering', testModel('ElectraForQuestionAnswering').model());
      const found = await ask({ question, context }, { topK: 6, handleImpossibleAnswer: true });
      const answers = found.filter(({ answer }) => answer !== '').slice(0, 5);
      expect(await texts('.ask-sentence mark')).toEqual([answers[0].answer]);
      expect(await texts('.ask-answers span')).toEqual(answers.map(({ answer }) => answer));
      expect(await page.locator('.ask-window').count()).toBeGreaterThan(1);
    });

    it('turns the answer off and on with the wanted lead', async () => {
      await open('ask', STATE, '.ask-sentence');
      const slider = page.getByRole('slider');
      await slider.focus();
      await page.keyboard.press('End');
      expect(await texts('.ask-none')).toEqual(['The text does not say.']);
      await page.keyboard.press('Home');
      expect(await page.locator('.ask-sentence').count()).toBe(1);
    });

    it('asks a question of the reader in a text of his own', async () => {
      await open('ask', {}, '.ask-form');
      await page.getByRole('button', { name: 'Other text' }).click();
      await page.getByRole('textbox', { name: 'The text' }).fill('a chef cooked the meal');
      await page.getByRole('button', { name: 'Use this text' }).click();
      await page.getByRole('textbox', { name: 'Question' }).fill('the chef');
      await page.keyboard.press('Enter');
      await page.waitForSelector('.ask-sentence, .ask-none');
      expect(await stateNow()).toMatchObject({ text: 'a chef cooked the meal', q: 'the chef' });
    });
  });

  describe('Proofread', () => {
    const STATE = { text: 'The chef cooked a meal, the good meal.', threshold: '0.05' };

    it('writes a proposal into the text by keyboard, and takes it back', async () => {
      await open('proofread', STATE, '.proof-word');
      expect((await texts('.proof-text'))[0]).toBe(STATE.text);
      const word = page.locator('.proof-word').nth(2);
      await word.focus();
      await page.keyboard.press('Enter');
      await page.waitForSelector('.proof-proposal:focus');
      const proposal = await page.locator('.proof-proposal span').first().textContent();
      await page.keyboard.press('Enter');
      const written = STATE.text.replace('cooked', proposal!);
      expect((await stateNow()).text).toBe(written);
      await page.waitForFunction((text) => document.querySelector('.proof-text')?.textContent === text, written);
      await page.getByRole('button', { name: 'Undo' }).click();
      expect((await stateNow()).text).toBe(STATE.text);
    });

    it('underlines from the threshold on, as the count says', async () => {
      await open('proofread', { ...STATE, threshold: '0.5' }, '.proof-word');
      const marked = await page.locator('.proof-word[data-marked]').count();
      const all = await page.locator('.proof-word').count();
      expect(await page.locator('.proof-count').textContent()).toMatch(
        new RegExp(`^${marked || 'None'} of ${all} words`),
      );
      await page.getByRole('slider').focus();
      await page.keyboard.press('Home');
      expect(await page.locator('.proof-word[data-marked]').count()).toBeGreaterThanOrEqual(marked);
    });

    it('closes the proposals with Escape and gives the focus back to the word', async () => {
      await open('proofread', STATE, '.proof-word');
      await page.locator('.proof-word').nth(1).click();
      await page.waitForSelector('.proof-proposal:focus');
      await page.keyboard.press('Escape');
      expect(await page.locator('.proof-box').count()).toBe(0);
      expect(await page.locator('.proof-word:focus').textContent()).toBe('chef');
    });
  });

  it('have nothing serious against them, light and dark, wide and narrow, in both languages', async () => {
    const screens = [
      [
        'spanbert',
        { text: 'the chef ate a good meal .', span: '3-4', place: '2', throws: '30', seed: '1' },
        '.span-place',
      ],
      ['ask', { text: 'the chef ate a good meal .', q: 'the chef', beside: '' }, '.ask-sentence, .ask-none'],
      ['proofread', { text: 'The chef cooked a meal.', threshold: '0.05' }, '.proof-word'],
    ] as const;
    for (const [screen, state, there] of screens) {
      for (const look of [
        { width: 1200, dark: false, lang: 'en' },
        { width: 390, dark: true, lang: 'ko' },
      ]) {
        await open(screen, { ...state, lang: look.lang }, there, look);
        if (screen === 'proofread') {
          await page.locator('.proof-word').first().click();
          await page.waitForSelector('.proof-proposal');
        }
        expect(await shortcomings(), `${screen} ${JSON.stringify(look)}`).toEqual([]);
      }
    }
  });

  it('show no text as markup', async () => {
    const attack = 'the chef <img src=x onerror="window.taken = 1"> ate <marquee>a meal</marquee> .';
    for (const [screen, state, there] of [
      ['spanbert', { text: attack, span: '2-2' }, '[data-word="1"]'],
      ['ask', { text: attack, q: '<img src=x> chef' }, '.ask-sentence, .ask-none'],
      ['proofread', { text: attack, threshold: '0.05' }, '.proof-word'],
    ] as const) {
      await open(screen, state, there);
      expect(await page.locator('main').textContent(), screen).toContain('<');
      expect(await page.locator('main img, main marquee').count(), screen).toBe(0);
    }
    expect(await page.evaluate(() => 'taken' in window)).toBe(false);
  });

  it('reported no error of the page in all of this', () => {
    expect(problems).toEqual([]);
  });
});
