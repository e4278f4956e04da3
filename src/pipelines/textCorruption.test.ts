import { describe, expect, it } from 'vitest';
import { SettingsError } from '../errors/errors.js';
import { TEST_TOKENIZER, testModel } from './testModels.js';
import { textCorruption } from './textCorruption.js';

const TEST = testModel('ElectraForMaskedLM');
const TEXT = 'The chef ate a 🍕 good meal.';

describe('textCorruption', () => {
  it('replaces words where it says so, and nowhere else', async () => {
    const corrupter = await textCorruption(TEST.model());
    for (let seed = 0; seed < 8; seed++) {
      const { text, replacements } = await corrupter.corrupt(TEXT, { fraction: 0.5, seed });
      let restored = text;
      for (const { start, end, original, replacement } of [...replacements].reverse()) {
        expect(text.slice(start, end)).toBe(replacement);
        expect(original.toLowerCase()).not.toBe(replacement);
        restored = restored.slice(0, start) + original + restored.slice(end);
      }
      // But for a space where a word took the place of the full stop.
      expect(restored.replace('meal .', 'meal.')).toBe(TEXT);
    }
  });

  it('writes draws so that the text is read as they were drawn, beside what they stand next to', async () => {
    const corrupter = await textCorruption(TEST.model());
    const [text, ids] = ['(the.chef,meal)한국어.a', (of: string) => [...TEST_TOKENIZER.encode(of).ids]];
    let added = 0;
    for (let seed = 0; seed < 30; seed++) {
      const corrupted = await corrupter.corrupt(text, { fraction: 0.6, seed });
      const before = ids(text);
      const after = ids(corrupted.text);
      const drawn = corrupted.replacements.map(({ replacement }) => TEST_TOKENIZER.tokenToId(replacement));
      expect(after).toHaveLength(before.length);
      expect(after.filter((id, i) => id !== before[i])).toEqual(drawn);
      for (const { start, end, replacement } of corrupted.replacements) {
        expect(corrupted.text.slice(start, end)).toBe(replacement);
      }
      if (corrupted.text.includes(' ')) added++;
    }
    expect(added).toBeGreaterThan(0);
  });

  it('gives one seed one corruption, and another seed another', async () => {
    const corrupter = await textCorruption(TEST.model());
    const texts = await Promise.all([1, 1, 2, 3, 4].map((seed) => corrupter.corrupt(TEXT, { fraction: 0.5, seed })));
    expect(texts[1]).toEqual(texts[0]);
    expect(new Set(texts.map(({ text }) => text)).size).toBeGreaterThan(1);
  });

  it('proposes whole words: no pieces that continue one, no special tokens', async () => {
    const corrupter = await textCorruption(TEST.model());
    for (let seed = 0; seed < 20; seed++) {
      const { replacements } = await corrupter.corrupt(TEXT, { fraction: 1, seed });
      for (const { replacement } of replacements) {
        const id = TEST_TOKENIZER.tokenToId(replacement)!;
        expect(TEST_TOKENIZER.isContinuation(id) || TEST_TOKENIZER.specialIds.has(id), replacement).toBe(false);
      }
    }
  });

  it('leaves an empty text alone and refuses a fraction out of range', async () => {
    const corrupter = await textCorruption(TEST.model());
    expect(await corrupter.corrupt('', { fraction: 0.5, seed: 0 })).toEqual({
      text: '',
      masked: '',
      places: [],
      replacements: [],
    });
    await expect(corrupter.corrupt(TEXT, { fraction: 0, seed: 0 })).rejects.toThrow(SettingsError);
    await expect(corrupter.corrupt(TEXT, { fraction: 2, seed: 0, temperature: 0 })).rejects.toThrow(
      /fraction is 2[\s\S]*temperature is 0/,
    );
  });

  it('masks pieces of words too when asked, and keeps beginnings beginnings', async () => {
    const corrupter = await textCorruption(TEST.model());
    const pieces = await corrupter.corrupt(TEXT, { fraction: 1, seed: 3, unit: 'piece' });
    const numPieces = TEST_TOKENIZER.encode(TEXT, { addSpecialTokens: false }).ids.filter(
      (id) => !TEST_TOKENIZER.specialIds.has(id),
    ).length;
    expect(pieces.places).toHaveLength(numPieces);
    expect(pieces.masked.split('[MASK]')).toHaveLength(numPieces + 1);
    for (const { start, end, drawn } of pieces.places) expect(pieces.text.slice(start, end)).toBe(drawn);
  });

  it('counts a draw that is the original as original, and leaves it as it was written', async () => {
    const corrupter = await textCorruption(TEST.model());
    const seeds = Array.from({ length: 40 }, (_, seed) => seed);
    const all = await Promise.all(seeds.map((seed) => corrupter.corrupt('The chef ate', { fraction: 1, seed })));
    const again = all.flatMap(({ places }) => places.filter(({ isReplaced }) => !isReplaced));
    expect(again.length).toBeGreaterThan(0);
    for (const { original, drawn } of again) expect(drawn).toBe(original);
    for (const { places, replacements } of all) {
      expect(replacements).toHaveLength(places.filter(({ isReplaced }) => isReplaced).length);
    }
  });

  it('takes the most probable token at a temperature near 0, whatever the seed', async () => {
    const corrupter = await textCorruption(TEST.model());
    const at = (seed: number) => corrupter.corrupt('The chef ate', { fraction: 1, seed, temperature: 1e-6 });
    expect((await at(1)).text).toBe((await at(2)).text);
  });
});
