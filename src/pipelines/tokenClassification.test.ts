import { describe, expect, it } from 'vitest';
import type { Model, ModelRow, RowOptions, RowOutputs } from '../pretrained/model.js';
import { RandomStream } from '../random/philox.js';
import { WordPieceTokenizer } from '../text/tokenizer.js';
import { createPipeline } from './createPipeline.js';
import { TEST_TOKENIZER, testModel } from './testModels.js';

const LABELS = ['O', 'B-FOOD', 'I-FOOD', 'B-PER', 'I-PER'];

/** A model that judges each piece by itself: by id, the label's logit, else 0. */
function byPiece(
  labelOf: (token: string) => string,
  maxLength = 512,
  labels = LABELS,
  tokenizer = TEST_TOKENIZER,
): Model {
  const forEachRow = async (
    rows: readonly ModelRow[],
    _options: RowOptions,
    read: (row: number, outputs: RowOutputs) => void,
  ) => {
    for (const [i, { ids }] of rows.entries()) {
      expect(ids.length).toBeLessThanOrEqual(maxLength);
      const logits = new Float32Array(ids.length * labels.length);
      for (const [position, id] of Array.from(ids).entries()) {
        const label = labels.indexOf(labelOf(tokenizer.idToToken(id)));
        logits[position * labels.length + label] = 3 + (id % 5) / 5;
      }
      read(i, { logits } as unknown as RowOutputs);
    }
  };
  return {
    description: { architecture: 'BertForTokenClassification', labels },
    tokenizer,
    maxLength,
    batchSize: 4,
    source: 'test',
    prepare: async () => {},
    release: async () => {},
    forEachRow,
  } as unknown as Model;
}

const FOODS: Readonly<Record<string, string>> = {
  good: 'B-FOOD',
  meal: 'I-FOOD',
  chef: 'B-PER',
  cook: 'B-FOOD',
  '##ed': 'I-PER',
};
const labelOf = (token: string) => FOODS[token] ?? 'O';

describe('token classification', () => {
  it('gives the spans of a text, neighbours of a type together, with the mean of their probabilities', async () => {
    const tag = await createPipeline('ner', byPiece(labelOf));
    const text = 'The chef ate a good  meal.';
    const [chef, meal] = await tag(text);
    expect(chef).toMatchObject({ entity: 'PER', text: 'chef', start: 4, end: 8 });
    expect(meal).toMatchObject({ entity: 'FOOD', text: 'good  meal', start: 15, end: 25 });
    const probability = (token: string) => {
      const logit = 3 + (TEST_TOKENIZER.tokenToId(token)! % 5) / 5;
      return Math.exp(logit) / (Math.exp(logit) + 4);
    };
    expect(chef.score).toBeCloseTo(probability('chef'), 6);
    expect(meal.score).toBeCloseTo((probability('good') + probability('meal')) / 2, 6);
  });

  it('gives words one label by their first piece, or leaves the pieces as they are', async () => {
    const tag = await createPipeline('token-classification', byPiece(labelOf));
    const parts = async (aggregation?: 'none' | 'simple' | 'first') =>
      (await tag('the chef cooked', { aggregation })).map(({ entity, text }) => `${entity} ${text}`);
    expect(await parts()).toEqual(['PER chef', 'FOOD cooked']);
    expect(await parts('simple')).toEqual(['PER chef', 'FOOD cook', 'PER ed']);
    expect(await parts('none')).toEqual(['B-PER chef', 'B-FOOD cook', 'I-PER ed']);
  });

  it('leaves out what it is told to, O where nothing is said', async () => {
    const tag = await createPipeline('token-classification', byPiece(labelOf));
    const entities = async (ignoreLabels?: string[]) =>
      (await tag('the chef ate a meal', { ignoreLabels })).map(({ entity, text }) => `${entity} ${text}`);
    expect(await entities()).toEqual(['PER chef', 'FOOD meal']);
    expect(await entities(['PER'])).toEqual(['O the', 'O ate a', 'FOOD meal']);
  });

  it('keeps words apart whose labels form no spans, unless joining is asked for', async () => {
    const model = byPiece((token) => (token === 'ate' ? 'VERB' : 'OTHER'), 512, ['VERB', 'OTHER']);
    const tag = await createPipeline('token-classification', model);
    const texts = async (aggregation?: 'first') => (await tag('the chef ate', { aggregation })).map(({ text }) => text);
    expect(await texts()).toEqual(['the', 'chef', 'ate']);
    expect(await texts('first')).toEqual(['the chef', 'ate']);
  });

  it('takes for a word what is one in the training data of the model, unless an aggregation is asked for', async () => {
    const model = byPiece(labelOf);
    const wordRules = { shapes: ['a.a'], words: [], apart: [] };
    const description = { ...model.description, pleiad: { taggedUnits: 'words', wordRules } };
    const tag = await createPipeline('token-classification', { ...model, description } as unknown as Model);
    const texts = async (aggregation?: 'first') =>
      (await tag('chef.good meal.', { aggregation })).map(({ entity, text }) => `${entity} ${text}`);
    expect(await texts()).toEqual(['PER chef.good', 'FOOD meal']);
    expect(await texts('first')).toEqual(['PER chef', 'FOOD good meal']);
  });

  it('judges piece by piece where a model was trained on characters', async () => {
    const model = byPiece(labelOf);
    const description = { ...model.description, pleiad: { taggedUnits: 'characters' } };
    const tag = await createPipeline('token-classification', { ...model, description } as unknown as Model);
    expect((await tag('the chef cooked')).map(({ text }) => text)).toEqual(['chef', 'cook', 'ed']);
    expect((await tag('the chef cooked', { aggregation: 'first' })).map(({ text }) => text)).toEqual([
      'chef',
      'cooked',
    ]);
  });

  it('ends spans where BIOES does', async () => {
    const labels = ['O', 'B-X', 'I-X', 'E-X', 'S-X'];
    const own: Readonly<Record<string, string>> = { the: 'S-X', chef: 'B-X', ate: 'E-X', a: 'E-X' };
    const tag = await createPipeline(
      'token-classification',
      byPiece((token) => own[token] ?? 'O', 512, labels),
    );
    expect((await tag('the chef ate a meal')).map(({ text }) => text)).toEqual(['the', 'chef ate', 'a']);
  });

  it('says the same wherever a long text is cut into windows', async () => {
    const random = new RandomStream(5, 'test');
    const words = ['the', 'chef', 'cooked', 'good', 'meal', '한국어', 'ate', '.', '\n'];
    for (let round = 0; round < 20; round++) {
      const text = Array.from({ length: 60 }, () => words[random.integer(words.length)]).join(' ');
      const whole = await (await createPipeline('ner', byPiece(labelOf)))(text);
      for (const maxLength of [3, 4, 10, 37]) {
        const tag = await createPipeline('ner', byPiece(labelOf, maxLength));
        expect(await tag(text), `${maxLength} ${JSON.stringify(text)}`).toEqual(whole);
      }
    }
  });

  it('has offsets that cut its texts out of any Unicode, in order and apart', async () => {
    const model = testModel('ElectraForTokenClassification', { labels: LABELS }).model();
    const tag = await createPipeline('token-classification', model);
    const random = new RandomStream(9, 'test');
    const parts = [
      'chef',
      'cooked',
      ' ',
      ' ',
      '😀',
      '👩‍🍳',
      'e\u0301',
      '\u0301',
      '한국어',
      '안녕',
      '한국',
      '中文',
      '\r\n',
      '\u0000',
      '\u200b',
      '.',
      'İ',
      '\ud800',
      'ſ',
    ];
    const texts = Array.from({ length: 60 }, () =>
      Array.from({ length: 1 + random.integer(40) }, () => parts[random.integer(parts.length)]).join(''),
    );
    for (const aggregation of ['none', 'first'] as const) {
      for (const [i, spans] of (await tag(texts, { aggregation, ignoreLabels: [] })).entries()) {
        let before = 0;
        for (const { text, start, end, score } of spans) {
          expect(texts[i].slice(start, end), JSON.stringify(texts[i])).toBe(text);
          expect(start).toBeGreaterThanOrEqual(before);
          expect(end).toBeGreaterThan(start);
          expect(score).toBeGreaterThan(0);
          expect(score).toBeLessThanOrEqual(1);
          before = end;
        }
      }
    }
  });

  it('takes a removed accent along with its letter', async () => {
    const uncased = WordPieceTokenizer.fromVocabulary(TEST_TOKENIZER.tokens, { nfc: false, stripAccents: true });
    const model = byPiece((token) => (token === 'e' ? 'B-PER' : 'O'), 512, LABELS, uncased);
    const tag = await createPipeline('ner', model);
    const text = 'a e\u0301\u0302 a';
    expect(await tag(text)).toMatchObject([{ entity: 'PER', text: 'e\u0301\u0302', start: 2, end: 5 }]);
  });
});
