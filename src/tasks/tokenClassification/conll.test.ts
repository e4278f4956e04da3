import { describe, expect, it } from 'vitest';
import { conll } from './conll.js';

const parse = (text: string) => conll.parse(text, 'a.conll');

describe('a CoNLL file', () => {
  it('is a sentence a row, its columns numbered, at the line of its first word', () => {
    const { columns, rows } = parse('Rockwell NNP B-NP\nsaid VBD B-VP\n\n\nit PRP B-NP\n');
    expect(columns).toEqual(['0', '1', '2']);
    expect(rows).toEqual([
      { values: { 0: ['Rockwell', 'said'], 1: ['NNP', 'VBD'], 2: ['B-NP', 'B-VP'] }, place: 'a.conll:1' },
      { values: { 0: ['it'], 1: ['PRP'], 2: ['B-NP'] }, place: 'a.conll:5' },
    ]);
  });

  it('may begin with a byte order mark, end lines with CR LF, and have tabs on its blank lines', () => {
    const { rows } = parse('\ufeffa\tO\r\nb\tB-X\r\n\t\r\nc\tO\r\n');
    expect(rows.map(({ values }) => values)).toEqual([
      { 0: ['a', 'b'], 1: ['O', 'B-X'] },
      { 0: ['c'], 1: ['O'] },
    ]);
  });

  it('is parted by any spaces, or, where there are tabs, by these alone: a word may be a space', () => {
    expect(parse('a   O\nb O').rows[0].values).toEqual({ 0: ['a', 'b'], 1: ['O', 'O'] });
    expect(parse('New York\tB-LOC\n \tO\nx\tO').rows[0].values).toEqual({
      0: ['New York', ' ', 'x'],
      1: ['B-LOC', 'O', 'O'],
    });
  });

  it('has lines that begin documents, and comments before sentences; a word may be #', () => {
    const { rows } = parse('-DOCSTART- -X- O\n\n# text = a b\na N O\n# N O\n\n# # B-NP\n3 N I-NP\n');
    expect(rows.map(({ values, place }) => [values[0], place])).toEqual([
      [['a', '#'], 'a.conll:4'],
      [['#', '3'], 'a.conll:7'],
    ]);
    const klue = parse('## CHAR\tTAG\n## doc-1\t<경:OG>\n경\tB-OG\n\n## doc-2\tx\nx\tO\n');
    expect(klue.rows.map(({ values }) => values[0])).toEqual([['경'], ['x']]);
  });

  it('is told by its ending, and a .tsv by its blank lines', () => {
    expect(conll.matches('a O\n', 'test.conll')).toBe(true);
    expect(conll.matches('a O\n', 'emerging.test.annotated')).toBe(true);
    expect(conll.matches('a\tO\n\nb\tO\n', 'train.tsv')).toBe(true);
    expect(conll.matches('tokens\ttags\na b\tO O\n', 'train.tsv')).toBe(false);
    expect(conll.matches('{"tokens": []}', 'train.jsonl')).toBe(false);
  });

  it('with a line of other columns is refused, by its number', () => {
    expect(() => parse('a N O\nb N O\n\nc O\n')).toThrow('a.conll:4 has 2 columns, most lines have 3: "c O"');
  });
});
