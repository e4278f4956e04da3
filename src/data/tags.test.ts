import { describe, expect, it } from 'vitest';
import { recordTags } from './prepare/recordTags.js';
import { countTags, type TagSpan, taggedSpans, tokenSpans, writeTags } from './tags.js';

const entity = (start: number, end: number): TagSpan => ({ kind: 'entity', start, end });
const phrase = (start: number, end: number): TagSpan => ({ kind: 'phrase', start, end });
function written(length: number, spans: TagSpan[]): Uint8Array {
  const tags = new Uint8Array(length);
  writeTags(tags, spans);
  return tags;
}

describe('tags', () => {
  it('are 3 2 2 for an entity, 12 8 8 for a phrase, the sum for both', () => {
    expect([...written(8, [entity(1, 4), phrase(2, 5), entity(6, 7)])]).toEqual([0, 3, 14, 10, 8, 0, 3, 0]);
  });

  it('give their spans back, neighbours apart', () => {
    const tags = written(10, [entity(0, 2), entity(2, 3), phrase(0, 10), entity(7, 10)]);
    expect(taggedSpans(tags, 'entity')).toEqual([
      [0, 1],
      [2, 2],
      [7, 9],
    ]);
    expect(taggedSpans(tags, 'phrase')).toEqual([[0, 9]]);
    expect(taggedSpans(tags, 'entity', 8)).toEqual([
      [0, 1],
      [2, 2],
      [7, 7],
    ]);
    expect(countTags(tags)).toEqual({ entity: 3, phrase: 1 });
  });

  it('take what a cut left of a span for one', () => {
    const rest = written(6, [entity(0, 4)]).subarray(2);
    expect(taggedSpans(rest, 'entity')).toEqual([[0, 1]]);
    expect(countTags(rest)).toEqual({ entity: 1, phrase: 0 });
    expect(countTags(rest, 3)).toEqual({ entity: 0, phrase: 0 });
  });

  it('keep the longest of overlapping spans of a kind, then the first', () => {
    expect(taggedSpans(written(9, [entity(0, 2), entity(1, 5), entity(4, 8)]), 'entity')).toEqual([[1, 4]]);
    expect(taggedSpans(written(9, [entity(2, 4), entity(3, 5)]), 'entity')).toEqual([[2, 3]]);
    expect(taggedSpans(written(9, [entity(0, 3), phrase(0, 9)]), 'entity')).toEqual([[0, 2]]);
  });
});

describe('spans of characters', () => {
  // "New York ##ers ate .": places of the pieces in "New Yorkers ate."
  const offsets = [0, 3, 4, 8, 8, 11, 12, 15, 15, 16];

  it('become the tokens that have a character of them', () => {
    expect(tokenSpans([entity(0, 8)], offsets)).toEqual([entity(0, 2)]);
    expect(tokenSpans([entity(0, 11)], offsets)).toEqual([entity(0, 3)]);
    expect(tokenSpans([entity(5, 6)], offsets)).toEqual([entity(1, 2)]);
    expect(tokenSpans([phrase(15, 16), entity(0, 16)], offsets)).toEqual([phrase(4, 5), entity(0, 5)]);
  });

  it('are left out where no token stands', () => {
    expect(tokenSpans([entity(3, 4), entity(11, 12)], offsets)).toEqual([]);
    expect(tokenSpans([entity(0, 4)], [])).toEqual([]);
  });
});

describe('the spans of a record', () => {
  const text = 'Ann 👩 met Bob';

  it('come as pairs, with a label or without, or as objects', () => {
    const record = {
      entities: [
        [0, 3],
        [11, 14, 'PERSON'],
      ],
      phrases: [{ start: 4, end: 10, label: 'x' }],
    };
    expect(recordTags(record, text, 'utf16')).toEqual([entity(0, 3), entity(11, 14), phrase(4, 10)]);
    expect(recordTags({}, text, 'utf16')).toEqual([]);
    expect(recordTags({ entities: null }, text, 'utf16')).toEqual([]);
  });

  it('are turned into UTF-16 units where they count code points', () => {
    expect(text.slice(11, 14)).toBe('Bob'); // 👩 is two units
    expect(
      recordTags(
        {
          entities: [
            [4, 5],
            [10, 13],
          ],
        },
        text,
        'codePoint',
      ),
    ).toEqual([entity(4, 6), entity(11, 14)]);
    expect(recordTags({ entities: [[0, 3]] }, 'Ann', 'codePoint')).toEqual([entity(0, 3)]);
  });

  it.each([
    [[[0, 15]], 'has [0,15] in "entities"; expected [start, end] with 0 <= start < end <= 14'],
    [[[3, 3]], 'has [3,3] in "entities"'],
    [[[-1, 3]], 'has [-1,3]'],
    [[['0', 3]], 'has ["0",3]'],
    [[{ start: 0 }], 'has {"start":0}'],
    [[7], 'has 7'],
    [[null], 'has null'],
    ['PERSON', 'has no list in "entities"'],
  ])('are refused by name: %j', (entities, problem) => {
    expect(recordTags({ entities }, text, 'utf16')).toEqual({ problem: expect.stringContaining(problem) });
  });

  it('cannot lie beyond the last code point', () => {
    expect(recordTags({ entities: [[10, 14]] }, text, 'codePoint')).toEqual({
      problem: expect.stringContaining('<= 13, the length of the text (codePoint)'),
    });
  });
});
