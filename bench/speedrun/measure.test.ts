import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../src/checkpoint/testCheckpoints.js';
import { WordPieceTokenizer } from '../../src/text/tokenizer.js';
import { CORRUPTIONS } from './corruptionSettings.js';
import { corruptSentences, labelledPieces, originalOf, readCorruptions } from './corruptions.js';
import { loadGenerator } from './makeCorruptions.js';
import { heldOutRows, keptHeldOutRows, measurePair } from './measure.js';

const folder = temporaryFolder('measure');
afterAll(() => folder.remove());

const WORDS = 'the a chef dog cooked ate meal fish and then it slept un ##happi ##ly .'.split(' ');
const tokenizer = WordPieceTokenizer.fromVocabulary(['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...WORDS]);
const TEXT = 'The chef cooked the meal and then the dog ate the fish .\n\na dog\nIt slept unhappily and then it ate .';

describe('held-out rows', () => {
  it('have a [CLS] and a [SEP], and 15 % of their pieces are asked for, never those two', () => {
    const rows = heldOutRows(TEXT, tokenizer, 0);
    expect(rows).toHaveLength(2); // two pieces are too few
    for (const { ids, positions } of rows) {
      expect(ids.at(0)).toBe(tokenizer.clsId);
      expect(ids.at(-1)).toBe(tokenizer.sepId);
      expect(positions).toHaveLength(Math.round(0.15 * (ids.length - 2)));
      expect(new Set(positions).size).toBe(positions.length);
      for (const position of positions) expect(position > 0 && position < ids.length - 1).toBe(true);
    }
  });

  it('are the same for a seed, others for another, and long lines become several', () => {
    const long = 'the dog ate a fish and then it slept . '.repeat(20);
    const rows = heldOutRows(long, tokenizer, 0);
    expect(rows.map(({ ids }) => ids.length)).toEqual([64, 64, 64, 16]); // 200 pieces, 62 beside [CLS] and [SEP]
    expect(heldOutRows(long, tokenizer, 0)).toEqual(rows);
    expect(heldOutRows(long, tokenizer, 1)).not.toEqual(rows);
  });

  it('are made once and read from then on', async () => {
    const path = join(folder.path, 'held-out.json');
    const made = heldOutRows(TEXT, tokenizer, 0);
    expect(await keptHeldOutRows(path, () => made)).toEqual(made);
    const refuse = () => {
      throw new Error('made again');
    };
    expect(await keptHeldOutRows(path, refuse)).toEqual(made);
  });
});

describe('corrupted sentences', () => {
  const sentence = { text: 'The unhappily dog slept.', replaced: [{ start: 4, end: 13, original: 'old' }] };

  it('say what they were', () => {
    expect(originalOf(sentence)).toBe('The old dog slept.');
  });

  it('label every piece of a replaced word, and no other', () => {
    const { ids, labels } = labelledPieces(tokenizer, sentence, 64);
    expect([...ids].map((id) => tokenizer.tokens[id])).toEqual(
      '[CLS] the un ##happi ##ly dog slept . [SEP]'.split(' '),
    );
    expect(labels).toEqual([undefined, false, true, true, true, false, false, false, undefined]);
  });

  it('of the repository have words at their offsets, and enough of them', () => {
    const all = readCorruptions();
    const words = all.flatMap(({ text, replaced }) => replaced.map(({ start, end }) => text.slice(start, end)));
    expect(words.length).toBeGreaterThan(800);
    for (const word of words) expect(word).toMatch(/^\p{L}{2,}$/u);
  });
});

describe('a model in the box', () => {
  it('writes committed corruptions once more', async () => {
    const committed = readCorruptions().slice(0, 40);
    await using generator = await loadGenerator(CORRUPTIONS.model);
    const again = await corruptSentences(generator, committed.map(originalOf), { seed: CORRUPTIONS.seed });
    expect(again).toEqual(committed);
    const other = await corruptSentences(generator, committed.map(originalOf), { seed: CORRUPTIONS.seed + 1 });
    expect(other).not.toEqual(committed);
  });

  it('finds replaced words and predicts held-out ones, the same each time', async () => {
    const pair = { generator: 'pleiad-tiny-100', discriminator: 'pleiad-tiny-100' };
    const { tokenizer: own } = await loadGenerator(pair.generator);
    const corruptions = readCorruptions().slice(0, 60);
    const heldOut = heldOutRows(corruptions.map(originalOf).join('\n'), own!, 0);
    const measured = await measurePair(pair, { heldOut, corruptions, threads: 1 });
    expect(measured.loss).toBeGreaterThan(2);
    expect(measured.loss).toBeLessThan(Math.log(own!.vocabSize));
    expect(measured.auc).toBeGreaterThan(0.55);
    expect(await measurePair(pair, { heldOut, corruptions, threads: 1 })).toEqual(measured);
  });
});
