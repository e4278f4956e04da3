import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { DataError } from '../errors/errors.js';
import { WordPieceTokenizer } from './tokenizer.js';
import { loadMaxLength, loadTokenizer, saveTokenizer } from './tokenizer.node.js';

const VOCAB = '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nchef\n##s\n';
let folder: string;
const made: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  made.push(folder);
});
afterAll(() => made.forEach((path) => rmSync(path, { recursive: true })));

const write = (name: string, content: string) => writeFileSync(join(folder, name), content);

describe('loadTokenizer', () => {
  it('gives back the tokenizer that was saved, from either of its files', async () => {
    for (const lowercase of [true, false]) {
      const tokenizer = WordPieceTokenizer.fromVocabText(VOCAB, { lowercase });
      const saved = join(folder, String(lowercase));
      await saveTokenizer(tokenizer, saved);
      expect(loadTokenizer(saved).hash()).toBe(tokenizer.hash());
      rmSync(join(saved, 'tokenizer.json'));
      expect(loadTokenizer(saved).hash()).toBe(tokenizer.hash());
    }
  });

  it('reads the casing of a vocab.txt from tokenizer_config.json', () => {
    write('vocab.txt', VOCAB);
    write('tokenizer_config.json', '{"do_lower_case":false}');
    expect(loadTokenizer(folder).settings.lowercase).toBe(false);
  });

  it('takes a lone vocab.txt as cased when a token other than the special ones has upper case', () => {
    write('vocab.txt', VOCAB);
    expect(loadTokenizer(folder).settings.lowercase).toBe(true);
    write('vocab.txt', `${VOCAB}Chef\n`);
    expect(loadTokenizer(folder).settings.lowercase).toBe(false);
  });

  it('refuses a cased vocabulary that a file wants lower-cased, unless the caller says which', () => {
    write('vocab.txt', `${VOCAB}Chef\nMeal\n`);
    write('tokenizer_config.json', '{"do_lower_case":true}');
    expect(() => loadTokenizer(folder)).toThrow(/the vocabulary is cased.*lowercase: false/);
    expect(loadTokenizer(folder, { lowercase: false }).encode('Chef Meal').ids).toEqual(Int32Array.of(2, 7, 8, 3));
    expect(loadTokenizer(folder, { lowercase: true }).settings.lowercase).toBe(true);
  });

  it('reads the names of special tokens and the added ones from files of their own', () => {
    write('vocab.txt', `${VOCAB}<m>\n`);
    write('special_tokens_map.json', '{"mask_token":"<m>"}');
    write('added_tokens.json', '{"[E1]":8}');
    const tokenizer = loadTokenizer(folder);
    expect(tokenizer.maskId).toBe(7);
    expect(tokenizer.tokenToId('[E1]')).toBe(8);
  });

  it('reads the longest input where the folder says one', () => {
    expect(loadMaxLength(folder)).toBeUndefined();
    write('tokenizer_config.json', '{"model_max_length":1000000000000000019884624838656}');
    expect(loadMaxLength(folder)).toBeUndefined();
    write('tokenizer_config.json', '{"model_max_length":128}');
    expect(loadMaxLength(folder)).toBe(128);
  });

  it('names a folder without a tokenizer and a damaged file', () => {
    expect(() => loadTokenizer(folder)).toThrow(DataError);
    expect(() => loadTokenizer(folder)).toThrow(/has neither tokenizer\.json nor vocab\.txt/);
    write('tokenizer.json', '{"model":');
    expect(() => loadTokenizer(folder)).toThrow(/tokenizer\.json is not JSON/);
  });
});
