import { describe, expect, it } from 'vitest';
import { documentsOf } from './documents.js';
import { chooseProbes } from './probes.js';

const LINES = [
  'The old keeper climbed the stairs every evening.',
  'A small boat came slowly into the harbour.',
  'My sister read the letter twice before dinner.',
  '"Never say that again to him," he said angrily now.',
  'Nobody had seen the doctor since last winter.',
  'The children played behind the church all afternoon.',
  'Two horses waited patiently beside the broken gate.',
  'Too short.',
];

describe('the six sentences', () => {
  const probes = chooseProbes([LINES.join(' ')], () => true);

  it('are whole sentences, each with a gap in its second half', () => {
    expect(probes).toHaveLength(6);
    for (const { masked, answer } of probes) {
      const words = masked.split(' ');
      expect(words.indexOf('[MASK]')).toBeGreaterThanOrEqual(words.length / 2);
      expect(LINES).toContain(masked.replace('[MASK]', answer));
      expect(masked).not.toMatch(/["(]/);
    }
  });

  it('have one wrong word, out of another sentence, in place of their own', () => {
    for (const { wrong, intruder, original, masked, answer } of probes) {
      const sentence = masked.replace('[MASK]', answer);
      expect(sentence).not.toContain(` ${intruder} `);
      expect(wrong.replace(intruder, original)).toBe(sentence);
      expect(LINES.some((line) => line !== sentence && line.includes(intruder))).toBe(true);
    }
  });

  it('are the same for the same text, and hide only words that one mask can stand for', () => {
    expect(chooseProbes([LINES.join(' ')], () => true)).toEqual(probes);
    const some = chooseProbes([LINES.join(' ')], (word) => word === 'every');
    expect(some.map(({ answer }) => answer)).toEqual(['every']);
    expect(chooseProbes(['Too short.'], () => true)).toEqual([]);
  });
});

describe('a pasted text', () => {
  it('becomes documents of a few paragraphs, as many as there are', () => {
    const paragraph = 'word '.repeat(50).trim(); // 249 characters
    const documents = documentsOf([paragraph, paragraph, paragraph].join('\r\n\r\n'));
    expect(documents).toEqual([`${paragraph} ${paragraph}`, paragraph]);
    const long = documentsOf(Array.from({ length: 4000 }, () => paragraph).join('\n'));
    expect(long.length).toBeLessThanOrEqual(300);
    expect(long.length).toBeGreaterThan(250);
    expect(documentsOf(' \n \n')).toEqual([]);
    expect(documentsOf('one\n two')).toEqual(['one two']);
  });
});
