import { describe, expect, it } from 'vitest';
import type { Table } from '../../data/tables/table.js';
import { sentencesOf, taggedSentences } from './sentences.js';

function table(...values: Record<string, unknown>[]): Table {
  const rows = values.map((own, i) => ({ values: own, place: `a.jsonl:${i + 1}` }));
  return { source: 'a.jsonl', columns: [...new Set(values.flatMap((own) => Object.keys(own)))], rows };
}
const EU = { tokens: ['EU', 'rejects'], tags: ['B-ORG', 'O'] };

describe('tagged sentences', () => {
  it('are read under the names that are usual, or as they are named', () => {
    expect(taggedSentences(table(EU), {})).toEqual([
      { words: ['EU', 'rejects'], tags: ['B-ORG', 'O'], place: 'a.jsonl:1' },
    ]);
    const other = table({ words: ['EU'], ner_tags: ['B-ORG'] });
    expect(taggedSentences(other, {})[0]).toMatchObject({ words: ['EU'], tags: ['B-ORG'] });
    const named = table({ Satz: ['EU'], A: ['N'], B: ['B-ORG'] });
    expect(taggedSentences(named, { word: 'Satz', tag: 'B' })[0]).toMatchObject({ tags: ['B-ORG'] });
  });

  it('of a CoNLL file have the first and the last column, or others by number', () => {
    const file = table({ 0: ['EU'], 1: ['NNP'], 2: ['B-ORG'] });
    expect(taggedSentences(file, {})[0]).toMatchObject({ words: ['EU'], tags: ['B-ORG'] });
    expect(taggedSentences(file, { tag: '1' })[0]).toMatchObject({ tags: ['NNP'] });
    expect(sentencesOf(table({ 0: ['EU', '!'] }), { word: '0' })[0].words).toEqual(['EU', '!']);
  });

  it('have tags by number where labels are named, and are refused with a hint where not', () => {
    const numbers = table({ tokens: ['EU', 'x'], ner_tags: [1n, 0] });
    expect(taggedSentences(numbers, {}, ['O', 'B-ORG'])[0].tags).toEqual(['B-ORG', 'O']);
    expect(() => taggedSentences(numbers, {})).toThrow(
      'a.jsonl:1 has tags by number in column "ner_tags", and nothing says what they stand for. Name all labels in order: labels: ["O","B-PER","I-PER",…]',
    );
    expect(() => taggedSentences(numbers, {}, ['O'])).toThrow(
      'a.jsonl:1, word 1, has the tag 1, and there are 1 labels, numbered from 0',
    );
  });

  it('that cannot be read are refused with row and word', () => {
    const refused = (...rows: Record<string, unknown>[]) => expect(() => taggedSentences(table(...rows), {}));
    refused(EU, { tokens: ['a'], tags: ['O', 'O'] }).toThrow('a.jsonl:2 has 1 words and 2 tags');
    refused({ tokens: 'EU rejects', tags: ['O'] }).toThrow(
      'a.jsonl:1 has "EU rejects" in column "tokens"; expected a list of words',
    );
    refused({ tokens: [], tags: [] }).toThrow('a.jsonl:1 has no words');
    refused({ tokens: ['a', null], tags: ['O', 'O'] }).toThrow('a.jsonl:1 has null as word 2 of column "tokens"');
    refused({ tokens: ['a'], tags: [''] }).toThrow('a.jsonl:1, word 1, has no tag in column "tags"');
    refused(EU, { tokens: ['a', 'b'], tags: ['O', '0'] }).toThrow(
      'a.jsonl:2, word 2 ("b"), has the tag "0", and others have prefixes, such as B-LOC. Write it as "O"',
    );
    refused({ text: 'EU' }).toThrow('a.jsonl has no column of words (it has text)');
    expect(() => taggedSentences(table(EU), { tag: 'tag' })).toThrow('has no column "tag"; did you mean "tags"?');
  });
});
