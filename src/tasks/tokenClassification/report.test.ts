import { describe, expect, it } from 'vitest';
import { taggingSections } from './report.js';
import { countSpans, spanScores } from './spanMetrics.js';

const sentence = (text: string, tags: string, place: string) => ({
  words: text.split(' '),
  tags: tags.split(' '),
  place,
});
const SENTENCES = [
  sentence('Ada Lovelace lived in London', 'B-PER I-PER O O B-LOC', 'd:1'),
  sentence('Paris is a town', 'B-LOC O O O', 'd:7'),
  sentence('all is well', 'O O O', 'd:12'),
];
const PREDICTED = ['B-PER I-PER O O B-ORG', 'O O B-LOC I-LOC', 'O O O'].map((tags) => tags.split(' '));
const form = 'prefixed' as const;

describe('where a tagger is wrong', () => {
  it('counts types taken for others, missed and made up, and its table is that of conlleval', () => {
    const [classes, confusion] = taggingSections(SENTENCES, PREDICTED, { form });
    expect(confusion).toMatchObject({
      labels: ['LOC', 'ORG', 'PER'],
      hasNothing: true,
      counts: [
        [0, 1, 0, 1],
        [0, 0, 0, 0],
        [0, 0, 1, 0],
        [1, 0, 0, 0],
      ],
    });
    const counted = countSpans(
      SENTENCES.map(({ tags }) => tags),
      PREDICTED,
      form,
    );
    const expected = [...counted].map(([name, own]) => ({
      name,
      ...spanScores(own),
      rows: own.expected,
      predicted: own.predicted,
    }));
    expect(classes).toMatchObject({ classes: expected });
  });

  it('counts spans of which only the ends are wrong', () => {
    const one = [sentence('Ada Lovelace of Ockham came', 'B-PER I-PER O B-LOC O', 'd:1')];
    const said = ['B-PER I-PER I-PER I-PER O'.split(' ')];
    expect(taggingSections(one, said, { form })[1]).toMatchObject({
      otherEnds: 1,
      largest: [
        { wanted: 'LOC', count: 1 },
        { wanted: 'PER', count: 1 },
        { got: 'PER', count: 1 },
      ],
    });
  });

  it('shows the sentences with the surest wrong word first, spans marked', () => {
    // London as ORG at 0.6; Paris missed at 0.9.
    const probabilities = Float64Array.from([1, 1, 1, 1, 0.6, 0.9, 1, 0.5, 0.5, 1, 1, 1]);
    const sections = taggingSections(SENTENCES, PREDICTED, { form, probabilities });
    const [worst, next, ...others] = sections.flatMap((each) => (each.kind === 'examples' ? each.examples : []));
    expect(others).toEqual([]);
    expect(worst).toMatchObject({ place: 'd:7', wanted: 'LOC Paris', got: 'LOC a town', probability: 0.9 });
    expect(next.texts).toEqual([
      {
        name: 'wanted',
        text: 'Ada Lovelace lived in London',
        marks: [
          { start: 0, end: 12, kind: 'wanted', label: 'PER' },
          { start: 22, end: 28, kind: 'wanted', label: 'LOC' },
        ],
      },
      {
        name: 'got',
        text: 'Ada Lovelace lived in London',
        marks: [
          { start: 0, end: 12, kind: 'got', label: 'PER' },
          { start: 22, end: 28, kind: 'got', label: 'ORG' },
        ],
      },
    ]);
    const [reliability] = sections.flatMap((each) => (each.kind === 'reliability' ? [each] : []));
    expect(reliability.bins.map(({ count }) => count)).toEqual([0, 0, 0, 0, 2, 1, 0, 0, 1, 8]);
  });

  it('says nothing of probabilities that are not known', () => {
    const kinds = taggingSections(SENTENCES, PREDICTED, { form }).map(({ kind }) => kind);
    expect(kinds).toEqual(['classes', 'confusion', 'examples']);
  });
});
