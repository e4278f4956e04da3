import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { DataError } from '../../errors/errors.js';
import { MAX_JSON_LINE_BYTES, UNIT_BYTES } from './readUnits.node.js';
import { trainVocabulary } from './trainVocabulary.node.js';

const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-vocab-'));
afterAll(() => rmSync(FOLDER, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(FOLDER, name);
  writeFileSync(path, content);
  return path;
}

describe('trainVocabulary', () => {
  it('learns the same from plain text, JSONL and their gzipped forms', async () => {
    const documents = ['the cat sat on the mat', 'the hat of the cat', 'a cat and a hat'];
    const jsonl = documents.map((text) => JSON.stringify({ body: text })).join('\n');
    const inputs = [
      file('a.txt', documents.join('\n\n')),
      file('a.txt.gz', gzipSync(documents.join('\n\n'))),
      file('a.jsonl', jsonl),
      file('a.jsonl.gz', gzipSync(jsonl)),
    ];
    const vocabularies = [];
    for (const path of inputs) {
      const { tokenizer } = await trainVocabulary({ inputs: [path], size: 60, field: 'body' });
      vocabularies.push(tokenizer.tokens);
    }
    expect(vocabularies[0]).toEqual(expect.arrayContaining(['the', 'cat', '[MASK]']));
    for (const tokens of vocabularies.slice(1)) expect(tokens).toEqual(vocabularies[0]);
  });

  it('keeps all characters where they fit, unless told otherwise', async () => {
    // 1500 Hangul syllables ten times each, and 100 others once each.
    const common = Array.from({ length: 1500 }, (_, i) => String.fromCodePoint(0xac00 + i));
    const rare = Array.from({ length: 100 }, (_, i) => String.fromCodePoint(0xc800 + i));
    const path = file('syllables.txt', [...Array(10).fill(common.join(' ')), rare.join(' ')].join('\n'));
    const single = ({ tokenizer }: Awaited<ReturnType<typeof trainVocabulary>>) =>
      tokenizer.tokens.filter((token) => /^\p{Script=Hangul}$/u.test(token)).length;
    expect(single(await trainVocabulary({ inputs: [path], size: 5000 }))).toBe(1600);
    expect(single(await trainVocabulary({ inputs: [path], size: 5000, alphabetLimit: 1200 }))).toBe(1200);
  });

  it('learns the same from one line, longer than what is read at a time, as from many', async () => {
    const words = Array.from({ length: 500 }, (_, i) => `word${i} ${'x'.repeat(i % 40)}`);
    const repeats = Math.ceil((2.5 * UNIT_BYTES) / words.join(' ').length);
    const of = async (separator: string) => {
      const path = file('line.txt', Array.from({ length: repeats }, () => words.join(separator)).join(separator));
      return trainVocabulary({ inputs: [path], size: 300 });
    };
    const [line, lines] = [await of(' '), await of('\n')];
    expect(line.tokenizer.tokens).toEqual(lines.tokenizer.tokens);
    expect(line.distinctWords).toBe(lines.distinctWords);
  });

  it('takes a text without any space, whose words nobody could tell apart', async () => {
    const path = file('nospace.txt', `${'abcdefgh'.repeat(UNIT_BYTES / 4)} the cat the cat`);
    const { tokenizer, distinctWords } = await trainVocabulary({ inputs: [path], size: 120 });
    expect(tokenizer.tokens).toContain('cat');
    // Parts of 100 letters begin with a or e; those at the end of a section are shorter.
    expect(distinctWords).toBeLessThan(20);
    const { tokenizer: published } = await trainVocabulary({ inputs: [path], size: 120, published: true });
    expect(published.tokens).not.toContain('##abcdefgh');
    expect(tokenizer.tokens).toContain('##abcdefgh');
  });

  it('refuses a JSONL line beyond the limit, naming file and place', async () => {
    const path = file('line.jsonl', `{"text":"a"}\n{"text":"${'ate '.repeat(MAX_JSON_LINE_BYTES / 4)}"}\n`);
    await expect(trainVocabulary({ inputs: [path], size: 60 })).rejects.toThrow(
      `${path} has a line of more than 64 MiB at byte offset 13`,
    );
  });

  it('names the file, and the line in it, that cannot be used', async () => {
    const broken = file('broken.jsonl', '{"text":"a"}\n\n{"txt":"b"}\n');
    const failing = trainVocabulary({ inputs: [broken], size: 60 });
    await expect(failing).rejects.toThrow(DataError);
    await expect(failing).rejects.toThrow(/broken\.jsonl:3 has no text in field "text"; it has txt/);
    const binary = file('binary.txt', Uint8Array.of(65, 0, 66));
    await expect(trainVocabulary({ inputs: [binary], size: 60 })).rejects.toThrow(/zero byte at offset 1/);
    const blank = file('blank.txt', ' \n\n \n');
    await expect(trainVocabulary({ inputs: [blank], size: 60 })).rejects.toThrow(
      `${blank}: there is no word in 5 bytes of text`,
    );
  });
});
