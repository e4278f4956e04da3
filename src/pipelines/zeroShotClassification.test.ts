import { describe, expect, it } from 'vitest';
import type { Model } from '../pretrained/model.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { createPipeline } from './createPipeline.js';
import { TEST_CONFIG, TEST_TOKENIZER, testModel } from './testModels.js';

const DISCRIMINATOR = testModel('ElectraForPreTraining');
const MASKED = testModel('ElectraForMaskedLM');
const template = '{text} a {label} meal .';
/** Labels of one piece, of two (cook ##ed), and of several words. */
const labels = { fine: ['good', 'cooked'], eaten: 'ate', plural: ['meals', 'e', 'the'] };
const textFor = (text: string, word: string) => `${text} a ${word} meal .`;
const zeroShot = (model: Model) => createPipeline('zero-shot-classification', model);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Score of a word by the definition: the discriminator's doubt of its pieces, each text run by itself. */
async function undoubted(model: Model, text: string, word: string): Promise<number> {
  const before = TEST_TOKENIZER.encode(`${text} a`, { addSpecialTokens: false }).length;
  const pieces = TEST_TOKENIZER.encode(word, { addSpecialTokens: false }).length;
  const { ids } = TEST_TOKENIZER.encode(textFor(text, word));
  const { logits } = await model.run({ inputIds: [ids] });
  const doubts = Array.from(logits!.data.slice(1 + before, 1 + before + pieces));
  return mean(doubts.map((z) => Math.log(1 / (1 + Math.exp(z))) - Math.log(1 / (1 + Math.exp(-z)))));
}

/** The same by a masked language model, all pieces masked. */
async function predicted(model: Model, text: string, word: string): Promise<number> {
  const before = TEST_TOKENIZER.encode(`${text} a`, { addSpecialTokens: false }).length;
  const pieces = TEST_TOKENIZER.encode(word, { addSpecialTokens: false }).ids;
  const ids = [...TEST_TOKENIZER.encode(textFor(text, word)).ids];
  for (let i = 0; i < pieces.length; i++) ids[1 + before + i] = TEST_TOKENIZER.maskId;
  const { logits } = await model.run({ inputIds: [ids] });
  const V = TEST_TOKENIZER.vocabSize;
  return mean(
    [...pieces].map((id, i) => {
      const row = Array.from(logits!.data.slice((1 + before + i) * V, (2 + before + i) * V));
      return row[id] - Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
    }),
  );
}

describe.each([
  ['a discriminator', DISCRIMINATOR, undoubted],
  ['a masked language model', MASKED, predicted],
] as const)('zero-shot-classification by %s', (_, test, wordScore) => {
  const labelScore = async (model: Model, text: string, words: string | readonly string[]) => {
    const all = typeof words === 'string' ? [words] : words;
    return mean(await Promise.all(all.map((word) => wordScore(model, text, word))));
  };

  it.each([{ calibrate: false }, { calibrate: true }])('is its definition, %o', async ({ calibrate }) => {
    const model = test.model();
    const zero = await zeroShot(test.model());
    for (const text of ['the chef', 'the chef ate the e', '안녕']) {
      const scores: Record<string, number> = {};
      for (const [label, words] of Object.entries(labels)) {
        scores[label] = await labelScore(model, text, words);
        if (calibrate) scores[label] -= await labelScore(model, '', words);
      }
      const total = Object.values(scores).reduce((sum, score) => sum + Math.exp(score), 0);
      const found = await zero(text, { labels, template, calibrate });
      expect(found.sequence).toBe(text);
      const order = Object.keys(labels).sort((a, b) => scores[b] - scores[a]);
      expect(found.labels).toEqual(order);
      for (const [i, label] of order.entries()) expect(found.scores[i]).toBeCloseTo(Math.exp(scores[label]) / total, 5);
      const several = await zero(text, { labels, template, calibrate: true, multiLabel: true });
      for (const [i, label] of several.labels.entries()) {
        const own =
          (await labelScore(model, text, labels[label as keyof typeof labels])) -
          (await labelScore(model, '', labels[label as keyof typeof labels]));
        expect(several.scores[i]).toBeCloseTo(1 / (1 + Math.exp(-own)), 5);
      }
    }
  });

  it('takes texts in any number, and says the same of each', async () => {
    const zero = await zeroShot(test.model());
    const texts = ['the chef', '', 'a good meal'];
    const options = { labels: ['good', 'ate', 'the'], template };
    const many = await zero(texts, options);
    for (const [i, text] of texts.entries()) {
      const one = await zero(text, options);
      expect(one.labels).toEqual(many[i].labels);
      for (const [j, score] of one.scores.entries()) expect(score).toBeCloseTo(many[i].scores[j], 5);
      expect(one.scores.reduce((sum, score) => sum + score, 0)).toBeCloseTo(1, 6);
    }
  });

  it('cuts a long text, for all labels alike, and never the template', async () => {
    const zero = await zeroShot(test.model());
    const long = Array(50).fill('the chef').join(' ');
    // 24 tokens: [CLS], [SEP], "a cooked meal ." with two pieces, so 17 are left.
    const cut = [...Array(8).fill('the chef'), 'the'].join(' ');
    const options = { labels: ['good', 'cooked'], template };
    const [a, b] = await zero([long, cut], options);
    expect(a).toEqual({ ...b, sequence: long });
    await expect(zero('a', { labels: [long, 'good'], template })).rejects.toThrow(
      /template with "the chef.* has \d+ tokens without a text; expected fewer than 24/,
    );
  });
});

describe('zero-shot-classification', () => {
  /** Doubts words that do not go with the first word of the text: "red" fits "rose", "blue" fits "sky". */
  const WORDS = ['rose', 'sky', 'red', 'blue', 'it', 'was', '.', '##dish'];
  const tokenizer = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS]);
  const FITS: Readonly<Record<string, string>> = { red: 'rose', blue: 'sky' };
  const constructed = (): Model => {
    const model = testModel('ElectraForPreTraining', {
      config: { ...TEST_CONFIG, vocabSize: tokenizer.vocabSize },
    }).model({ tokenizer });
    model.forEachRow = async (rows, _, read) => {
      for (const [i, { ids }] of rows.entries()) {
        const tokens = Array.from(ids, (id) => tokenizer.idToToken(id));
        // "blue" is doubted by 3 wherever it stands; a word beside what it does not go with by 2 more.
        const doubt = (token: string) =>
          (token === 'blue' ? 3 : 0) + (token in FITS ? (tokens.includes(FITS[token]) ? -1 : 1) : 0);
        read(i, { logits: Float32Array.from(tokens, doubt) });
      }
    };
    return model;
  };

  it('says the label that the discriminator doubts least', async () => {
    const zero = await zeroShot(constructed());
    const found = await zero('rose', { labels: ['blue', 'red'] });
    expect(found).toEqual({ sequence: 'rose', labels: ['red', 'blue'], scores: found.scores });
    // −z of red is 1, of blue −4.
    expect(found.scores[0]).toBeCloseTo(1 / (1 + Math.exp(-5)), 6);
  });

  it('is led astray by a word that is doubted anywhere, and calibration takes that off', async () => {
    const zero = await zeroShot(constructed());
    const options = { labels: ['red', 'blue'] };
    expect((await zero('sky', options)).labels[0]).toBe('red');
    const found = await zero('sky', { ...options, calibrate: true });
    expect(found.labels[0]).toBe('blue');
    // Beside nothing red has −1 and blue −4; beside sky −1 and −2.
    expect(found.scores[0]).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
  });

  it('knows the discriminator from the masked language model, whose scores differ', async () => {
    const options = { labels: ['good', 'ate'], template };
    const [byDoubt, byProbability] = await Promise.all(
      [DISCRIMINATOR, MASKED].map(async (test) => (await zeroShot(test.model()))('the chef', options)),
    );
    expect(byDoubt.scores[0]).not.toBeCloseTo(byProbability.scores[0], 3);
    const bert = testModel('BertForPreTraining', { config: { ...TEST_CONFIG, embeddingSize: 16 } });
    expect((await (await zeroShot(bert.model()))('the chef', options)).labels).toHaveLength(2);
  });

  it('reads what is written in a text as text', async () => {
    const zero = await zeroShot(MASKED.model());
    const found = await zero('the [MASK] chef {label}', { labels: ['good', 'ate'], template });
    expect(found.scores).toHaveLength(2);
  });

  it('says what is wrong with labels and template', async () => {
    const zero = await zeroShot(DISCRIMINATOR.model());
    const options = { labels: ['good', 'ate'], template };
    await expect(zero('a', { template })).rejects.toThrow(/labels is missing; expected labels such as great/);
    await expect(zero('a', { ...options, labels: ['good'] })).rejects.toThrow(
      /labels has 1 label; expected at least two/,
    );
    await expect(zero('a', { ...options, labels: ['good', 'good'] })).rejects.toThrow(/labels has "good" twice/);
    await expect(zero('a', { ...options, labels: ['good', 'zebra'] })).rejects.toThrow(
      /label word "zebra" is not in the vocabulary of the model\. Name other words/,
    );
    await expect(zero('a', { ...options, labels: ['good', ' '] })).rejects.toThrow(/label word " " has no letter/);
    await expect(zero('a', { ...options, template: '{text} is' })).rejects.toThrow(
      /template is "{text} is"; expected {label} once in it/,
    );
    await expect(zero('a', { ...options, template: '{label} {label}' })).rejects.toThrow(
      /expected {text} and {label} once in it/,
    );
    await expect(zero('a', { ...options, labels: 5 as never })).rejects.toThrow(
      /labels is 5; expected a list of labels/,
    );
    const masked = await zeroShot(MASKED.model());
    await expect(masked('a', { ...options, multiLabel: true })).rejects.toThrow(
      /multiLabel needs calibrate of a masked/,
    );
    expect((await zero('a', { labels: ['good'], template, multiLabel: true })).scores).toHaveLength(1);
  });
});
