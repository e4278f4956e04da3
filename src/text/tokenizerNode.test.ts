import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { WordPieceTokenizer } from './tokenizer.js';
import { loadTokenizer, saveTokenizer } from './tokenizerNode.js';

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

  it('names a folder without a tokenizer and a damaged file', () => {
    expect(() => loadTokenizer(folder)).toThrow(DataError);
    expect(() => loadTokenizer(folder)).toThrow(/has neither tokenizer\.json nor vocab\.txt/);
    write('tokenizer.json', '{"model":');
    expect(() => loadTokenizer(folder)).toThrow(/tokenizer\.json is not JSON/);
  });
});
