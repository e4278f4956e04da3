/** `pleiad mask`, and masking schemes from text to trained weights, as child processes. `npm test` builds it first. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const MAIN = fileURLToPath(new URL('../dist/src/cli/main.js', import.meta.url));
const FOLDER = mkdtempSync(join(tmpdir(), 'pleiad-mask-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));
const at = (name: string) => join(FOLDER, name);
const SENTENCE = 'You are expected to know the laws of your country';

function pleiad(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...words], {
    encoding: 'utf8',
    input: '',
    env: { ...process.env, NO_COLOR: '1' },
  });
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  return { code: status, stdout, stderr, json: last.startsWith('{') ? JSON.parse(last) : undefined };
}

beforeAll(() => {
  const names = ['Ann', 'Bob', 'Eve'];
  const records = Array.from({ length: 60 }, (_, i) => {
    const text = `${names[i % 3]} saw the old man number ${i} and the ${i % 2 ? 'young' : 'old'} man saw ${names[(i + 1) % 3]}. `;
    return {
      text: text.repeat(2),
      entities: [
        [0, 3],
        [text.length, text.length + 3],
      ],
      phrases: [[8, 19]],
    };
  });
  writeFileSync(at('text.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  writeFileSync(at('text.txt'), records.map(({ text }) => text).join('\n\n'));
  expect(pleiad('vocab', at('text.txt'), '--size', '120', '--out', at('vocab')).code).toBe(0);
  const prepared = pleiad(
    ...['prepare', at('text.jsonl'), '--tokenizer', at('vocab'), '--out', at('shards')],
    ...['--tags', 'utf16', '--held-out-fraction', '0.2'],
  );
  expect(prepared.code, prepared.stderr).toBe(0);
}, 60_000);

describe('pleiad mask', () => {
  const LAWS = ['--scheme', 'entity', '--entities', '24:40', '--tag-prob', '1', '--mask-prob', '0.4', '--seed', '1'];

  it('prints the masked sentence, its span, its boundaries and where each token is predicted from', () => {
    const { code, stdout } = pleiad('mask', '--mask-random-prob', '0', '--mask-keep-prob', '0', ...LAWS, SENTENCE);
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('[CLS] You are expected to know [MASK] [MASK] [MASK] [MASK] country [SEP]');
    expect(stdout).toContain('span x6..x9 "the laws of your", between x5 "know" and x10 "country"');
    expect(stdout).toMatch(/x7 {2}laws {2}\[MASK\] {2}from R5, R10 and P2/);
    expect(stdout).toContain('[CLS] is x0');
    expect(stdout).toContain('Every word is a token here');
  });

  it('masks no word in part with whole-word, and says so where none fits', () => {
    // Letters are pieces of this vocabulary: 8 of them in a word, and 15 % of 8 are 2.
    const letters = ['mask', '--scheme', 'whole-word', '--tokenizer', at('letters.txt'), 'abababab'];
    writeFileSync(at('letters.txt'), '[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##a\n##b\n');
    const { code, stdout } = pleiad(...letters);
    expect(code).toBe(0);
    expect(stdout).toContain('0 of 8 tokens are masked\nEvery word has more pieces than may be masked');
    expect(pleiad(...letters, '--mask-prob', '1').stdout).toContain('8 of 8 tokens are masked');
  });

  it('gives the promised keys with --json', () => {
    const { code, json } = pleiad('mask', '--json', ...LAWS, SENTENCE);
    expect(code).toBe(0);
    expect(json.tokens).toHaveLength(12);
    expect(json.spans).toEqual([{ start: 6, end: 9, left: 5, right: 10 }]);
    expect(json.masked[1]).toEqual({
      position: 7,
      action: expect.stringMatching(/^(mask|random|keep)$/),
      boundaryLeft: 5,
      boundaryRight: 10,
      spanPosition: 2,
    });
  });

  it.each(['random', 'whole-word', 'span', 'uniform-span', 'span,whole-word'])(
    'shows %s without anything else',
    (scheme) => {
      const { code, json, stderr } = pleiad('mask', '--json', '--scheme', scheme, SENTENCE);
      expect(code, stderr).toBe(0);
      expect(json.masked).toHaveLength(2); // 15 % of ten
    },
  );

  it('gives the promised figures with --stats, over a text and over shards', () => {
    const stats = ['mask', '--stats', '--json', '--length', '32'];
    const text = pleiad(...stats, '--file', at('text.txt'), '--tokenizer', at('vocab'));
    expect(text.code, text.stderr).toBe(0);
    for (const key of ['blocks', 'maskedFraction', 'spansPerBlock', 'piecesPerSpan', 'wordsPerSpan', 'sboShare'])
      expect(text.json[key], key).toBeGreaterThan(0);
    const { mask, random, keep } = text.json.actions;
    expect(mask + random + keep).toBeCloseTo(1, 10);
    const tagged = pleiad(...stats, '--data', at('shards'), '--scheme', 'entity', '--tag-prob', '1', '--epochs', '2');
    expect(tagged.code, tagged.stderr).toBe(0);
    expect(tagged.json.blocks % 2).toBe(0);
    const shown = pleiad('mask', '--stats', '--file', at('text.txt'), '--length', '32');
    expect(shown.stdout).toMatch(/masked tokens with a boundary target +\d+\.\d\d %/);
  });

  it('reports all bad settings at once with exit code 2, and a bad file with 1', () => {
    const bad = pleiad('mask', '--json', '--scheme', 'whole-word', '--geometric-p', '0.3', '--mask-prob', '7', 'text');
    expect(bad.code).toBe(2);
    expect(bad.json.error.problems).toEqual([
      '--mask-prob is 7; expected a number above 0 and at most 1',
      expect.stringContaining('--geometric-p is set and --scheme is whole-word'),
    ]);
    expect(pleiad('mask', '--scheme', 'spam', 'text').stderr).toContain('--scheme has "spam"; expected one of');
    expect(pleiad('mask', '--entities', '5', 'text').stderr).toContain('--entities is "5"; expected ranges');
    expect(pleiad('mask', '--epochs', '5', 'text').stderr).toContain('--epochs is given; only --stats has it');
    expect(pleiad('mask', '--stats', '--data', at('shards'), 'text').stderr).toContain('give one');
    expect(pleiad('mask').stderr).toContain('standard input is empty');
    const missing = pleiad('mask', '--tokenizer', at('nothing'), 'text');
    expect([missing.code, missing.stderr]).toEqual([
      1,
      expect.stringContaining('neither tokenizer.json nor vocab.txt'),
    ]);
  });

  it('reads a vocabulary file as well as a folder', () => {
    const of = (path: string) => pleiad('mask', '--json', '--tokenizer', path, 'the old man saw Ann').json;
    expect(of(at('vocab/vocab.txt'))).toEqual(of(at('vocab')));
    expect(of(at('vocab/tokenizer.json'))).toEqual(of(at('vocab')));
  });
});

describe('pleiad pretrain', () => {
  const FIELDS = 'hiddenSize=16,numHiddenLayers=1,numAttentionHeads=1,intermediateSize=16,embeddingSize=16';
  const train = (out: string, ...words: string[]) =>
    pleiad(
      ...['pretrain', '--data', at('shards'), '--out', at(out), '--size', 'tiny', '--model', FIELDS, '--json'],
      ...['--length', '16', '--batch-size', '4', '--steps', '3', '--threads', '1', ...words],
    );

  it.each([
    ['electra', 'span'],
    ['electra', 'entity'],
    ['mlm', 'span,whole-word'],
  ])('trains %s with masking %s', (objective, masking) => {
    const { code, stderr, json } = train(`${objective}-${masking}`, '--objective', objective, '--masking', masking);
    expect(code, stderr).toBe(0);
    expect(json.steps).toBe(3);
    expect(json.weightsSha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it('names a tag file that belongs to other shards', () => {
    const { code, stderr } = train('mismatch', '--masking', 'entity', '--tags', at('text.jsonl'));
    expect(code).toBe(1);
    expect(stderr).toMatch(/tags: .*text\.jsonl/);
  });
});
