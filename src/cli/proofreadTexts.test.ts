import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../checkpoint/testCheckpoints.js';
import { Lines, paragraphsOf, prose, readPaths, textsToProofread } from './proofreadTexts.js';
import { sarifLog } from './sarif.js';

const temporary = temporaryFolder('proofread-texts');
afterAll(temporary.remove);
const at = (...names: string[]) => join(temporary.path, ...names);

describe('texts to proofread', () => {
  it('are files, folders of text, or a text of several words', async () => {
    mkdirSync(at('letters/old/.hidden'), { recursive: true });
    writeFileSync(at('letters/b.txt'), 'second');
    writeFileSync(at('letters/old/a.md'), 'first');
    writeFileSync(at('letters/old/a.png'), 'no text');
    writeFileSync(at('letters/old/.hidden/c.txt'), 'hidden');
    const read = await readPaths([at('letters'), at('letters/b.txt')]);
    expect(read.map(({ text }) => text)).toEqual(['second', 'first', 'second']);
    expect(await textsToProofread(['the chef ate'], undefined)).toEqual([{ name: '-', text: 'the chef ate' }]);
    await expect(textsToProofread(['missing.txt'], undefined)).rejects.toThrow('missing.txt is no file or folder here');
    await expect(readPaths([at('letters/old/.hidden/..', '.hidden')])).resolves.toHaveLength(1);
  });

  it('keep their places without code and addresses', () => {
    const text = 'See `code` at https://a.b/c?d or a@b.cd.\n```\nwrong wrong\n```\n[here](there.md)';
    const kept = prose({ name: 'a.md', text });
    expect(kept).toHaveLength(text.length);
    expect(kept.split(/\s+/).filter(Boolean)).toEqual(['See', 'at', 'or', '[here']);
    expect(prose({ name: 'a.txt', text: '`code`' })).toBe('`code`');
  });

  it('are paragraphs between blank lines, and places lines and columns from 1', () => {
    const text = '\n one\ntwo\r\n\r\n  three 🍕 four\n';
    const found = paragraphsOf(text);
    expect(
      found.map(({ text: paragraph, start }) => text.slice(start, start + paragraph.length) === paragraph),
    ).toEqual([true, true]);
    expect(found.map((paragraph) => paragraph.text.trim())).toEqual(['one\ntwo', 'three 🍕 four']);
    const lines = new Lines(text);
    expect(lines.placeOf(text.indexOf('two'))).toEqual({ line: 3, column: 1 });
    expect(lines.placeOf(text.indexOf('four'))).toEqual({ line: 5, column: 12 });
  });
});

it('SARIF says where, what, and what instead', () => {
  const place = { file: 'a b/c.txt', line: 2, column: 3, endLine: 2, endColumn: 6 };
  const log = sarifLog([{ ...place, text: 'teh', doubt: 0.9, proposals: [{ text: 'the', score: 0.5 }] }]);
  expect(log).toMatchObject({
    version: '2.1.0',
    runs: [
      {
        columnKind: 'utf16CodeUnits',
        results: [
          {
            rank: 90,
            message: { text: '"teh" does not seem to belong here; perhaps "the"' },
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: 'a%20b/c.txt' },
                  region: { startLine: 2, startColumn: 3, endLine: 2, endColumn: 6 },
                },
              },
            ],
            fixes: [{ artifactChanges: [{ replacements: [{ insertedContent: { text: 'the' } }] }] }],
          },
        ],
      },
    ],
  });
});
