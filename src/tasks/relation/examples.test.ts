import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markedPair, relationExamples } from './examples.js';
import { SEMEVAL_FORMAT } from './semevalFormat.js';
import { tableOf } from './testTable.js';

const FILE = `\ufeff1\t"The <e1>child</e1> slept in the <e2>cradle</e2>."\r
Other\r
Comment: none\r
\r
2\t"A "new" <e2>keygen</e2> by an <e1>author</e1>."\r
Product-Producer(e2,e1)\r
Comment:\r
\r
`;

describe('a file of SemEval-2010 task 8', () => {
  it('is read as it is', () => {
    expect(SEMEVAL_FORMAT.matches(FILE, 'TRAIN_FILE.TXT')).toBe(true);
    const table = SEMEVAL_FORMAT.parse(FILE, 'f.txt');
    expect(relationExamples(table, {})).toEqual([
      {
        text: 'The child slept in the cradle.',
        head: { start: 4, end: 9 },
        tail: { start: 23, end: 29 },
        label: 'Other',
        place: 'f.txt:1',
      },
      {
        text: 'A "new" keygen by an author.',
        head: { start: 21, end: 27 },
        tail: { start: 8, end: 14 },
        label: 'Product-Producer(e2,e1)',
        place: 'f.txt:5',
      },
    ]);
  });

  it('without relations, or with a line that is none, is told with its line', () => {
    const unlabelled = SEMEVAL_FORMAT.parse(
      '1\t"A <e1>b</e1> <e2>c</e2>."\n\n2\t"A <e1>b</e1> <e2>c</e2>."\n',
      'f.txt',
    );
    expect(unlabelled.rows).toHaveLength(2);
    expect(() => relationExamples(unlabelled, {})).toThrow('f.txt:1 has no label');
    expect(() => SEMEVAL_FORMAT.parse(`${FILE}nonsense`, 'f.txt')).toThrow('f.txt:9 is no sentence of SemEval-2010');
    expect(SEMEVAL_FORMAT.matches('text,label\n', 'a.csv')).toBe(false);
  });
});

describe('examples of relations', () => {
  it('have spans as objects, lists, or two columns', () => {
    const wanted = [{ head: { start: 0, end: 1 }, tail: { start: 2, end: 3 }, label: 'r' }];
    const text = { text: 'a b', label: 'r' };
    expect(relationExamples(tableOf({ ...text, head: { start: 0, end: 1 }, tail: [2, 3] }), {})).toMatchObject(wanted);
    const columns = { head_start: '0', head_end: '1', tail_start: '2', tail_end: '3' };
    expect(relationExamples(tableOf({ ...text, ...columns }), {})).toMatchObject(wanted);
    const named = { sentence: 'a b', relation: 'r', subject: [0, 1], object: [2, 3] };
    expect(relationExamples(tableOf(named), {})).toMatchObject(wanted);
  });

  it('that cannot be used are refused with their place', () => {
    const row = { text: 'a b', label: 'r', head: [0, 1], tail: [2, 3] };
    const refused = (change: object) => expect(() => relationExamples(tableOf({ ...row, ...change }), {}));
    refused({ head: [0, 9] }).toThrow('x.jsonl:1 has a head from 0 to 9 that lies outside of the text, which has 3');
    refused({ tail: [1, 2] }).toThrow('x.jsonl:1 has a tail from 1 to 2 that is empty');
    refused({ tail: 'b' }).toThrow('x.jsonl:1 has "b" in column "tail"');
    const { tail: _, ...headAlone } = row;
    expect(() => relationExamples(tableOf(headAlone), {})).toThrow('has no column called tail or e2 or object');
    expect(() => markedPair('a <e1>b</e1> c', 'x:1')).toThrow('x:1 has no <e2>');
    expect(() => markedPair('<e1>a</e1> <e1>b</e1> <e2>c</e2>', 'x:1')).toThrow('x:1 has <e1> 2 times');
  });

  it('stand where their marks were, in any text', () => {
    const part = fc.string({ unit: 'grapheme', maxLength: 6 }).filter((text) => !/<\/?e[12]>/.test(text));
    const entity = part.filter((text) => text.trim() !== '');
    fc.assert(
      fc.property(part, entity, part, entity, part, fc.boolean(), (before, a, between, b, after, swapped) => {
        const [x, y] = swapped ? ['e2', 'e1'] : ['e1', 'e2'];
        const pair = markedPair(`${before}<${x}>${a}</${x}>${between}<${y}>${b}</${y}>${after}`, 'x');
        expect(pair.text).toBe(before + a + between + b + after);
        const [first, second] = swapped ? [pair.tail, pair.head] : [pair.head, pair.tail];
        expect([first, second].map(({ start, end }) => pair.text.slice(start, end))).toEqual([a, b]);
        expect(first.start).toBe(before.length);
      }),
    );
  });
});
