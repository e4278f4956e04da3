import { describe, expect, it } from 'vitest';
import { misspeltTypeNotices, schemeNotices, unknownTagNotices } from './notices.js';
import type { TaggedSentence } from './sentences.js';

const sentence = (tags: string, line = 1): TaggedSentence => ({
  words: tags.split(' ').map((_, i) => `w${i}`),
  tags: tags.split(' '),
  place: `train.conll:${line}`,
});
const many = Array.from({ length: 400 }, (_, i) => sentence('B-PER I-PER O', 1 + 4 * i));

describe('notices about tags', () => {
  it('name a type that one word alone has and that is nearly another', () => {
    const [notice, ...others] = misspeltTypeNotices([...many, sentence('O B-PERS', 1601)], 'prefixed');
    expect(others).toEqual([]);
    expect(notice.message).toBe('train.conll:1601, word 2 ("w1"), has the type PERS, which no other word has');
    expect(notice.advice).toBe('If PER is meant, mend the file.');
    expect(misspeltTypeNotices([...many, sentence('B-DATE')], 'prefixed')).toEqual([]);
    expect(misspeltTypeNotices([sentence('B-PER O B-PERS')], 'prefixed')).toEqual([]);
  });

  it('count what only the dev data have', () => {
    const labels = ['O', 'B-PER', 'I-PER'];
    expect(unknownTagNotices([sentence('B-PER I-PER')], labels)).toEqual([]);
    const [notice] = unknownTagNotices([sentence('B-LOC O'), sentence('B-LOC B-PRE')], labels);
    expect(notice.message).toBe(
      '3 words of the dev data have tags that no training sentence has: B-LOC, B-PRE; the first is train.conll:1, word 1 ("w0")',
    );
    expect(notice.advice).toContain('They count as missed.');
  });

  it('say which scheme it is where it is not BIO, or not kept to, or another in the dev data', () => {
    const messages = (train: string, dev: string) =>
      schemeNotices([sentence(train)], [sentence(dev)]).map(({ message }) => message);
    expect(messages('B-PER I-PER O', 'B-PER')).toEqual([]);
    expect(messages('I-PER B-PER O', 'B-PER')).toEqual([
      'The tags are IOB1: B- stands only between neighbouring spans of one type',
    ]);
    expect(messages('B-PER O I-PER', 'B-PER')).toEqual([
      'The tags are BIO, and 1 tags I- continue no span of their type',
    ]);
    expect(messages('B-PER I-PER', 'S-PER B-PER E-PER')).toEqual([
      'The training tags are BIO, those of the dev data BIOES',
    ]);
  });
});
