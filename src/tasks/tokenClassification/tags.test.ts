import { describe, expect, it } from 'vitest';
import { labelsOfTags, schemeOf, spansOf, tagForm, typesOf } from './tags.js';

const spans = (tags: string, form = tagForm(tags.split(' '))) =>
  spansOf(tags.split(' '), form).map(({ type, start, end }) => `${type} ${start}-${end}`);

describe('spans of tags', () => {
  it('begin at B, or where the type changes, or where I continues nothing', () => {
    expect(spans('B-NP I-NP O B-NP B-NP I-VP')).toEqual(['NP 0-2', 'NP 3-4', 'NP 4-5', 'VP 5-6']);
    expect(spans('I-NP I-NP O I-NP')).toEqual(['NP 0-2', 'NP 3-4']);
    expect(spans('I-NP I-NP B-NP')).toEqual(['NP 0-2', 'NP 2-3']); // IOB1
  });

  it('end at E and S, by whatever letters', () => {
    expect(spans('B-PER I-PER E-PER S-PER B-PER E-PER')).toEqual(['PER 0-3', 'PER 3-4', 'PER 4-6']);
    expect(spans('B-PER I-PER L-PER U-PER')).toEqual(['PER 0-3', 'PER 3-4']); // BILOU
    expect(spans('B-PER M-PER E-PER S-LOC')).toEqual(['PER 0-3', 'LOC 3-4']); // BMES
    expect(spans('B-PER E-PER I-PER')).toEqual(['PER 0-2', 'PER 2-3']);
  });

  it('have types with hyphens, and of bare tags are what stands side by side', () => {
    expect(spans('B-creative-work I-creative-work')).toEqual(['creative-work 0-2']);
    expect(spans('PER PER O PER LOC')).toEqual(['PER 0-2', 'PER 3-4', 'LOC 4-5']);
    expect(spans('S-Bahn O', 'bare')).toEqual(['S-Bahn 0-1']);
  });

  it('of plain tags are the words', () => {
    expect(spans('NOUN NOUN VERB')).toEqual(['NOUN 0-1', 'NOUN 1-2', 'VERB 2-3']);
  });
});

describe('the scheme of tags', () => {
  const scheme = (...sentences: string[]) => schemeOf(sentences.map((tags) => tags.split(' ')));

  it('is told by where B stands', () => {
    expect(scheme('B-NP I-NP O', 'O B-VP')).toMatchObject({ scheme: 'BIO', form: 'prefixed', loose: 0 });
    expect(scheme('I-NP I-NP B-NP', 'O I-VP')).toMatchObject({ scheme: 'IOB1' });
    expect(scheme('I-NP I-NP I-VP O')).toMatchObject({ scheme: 'IO', form: 'prefixed' });
    expect(scheme('PER PER O')).toMatchObject({ scheme: 'IO', form: 'bare' });
    expect(scheme('B-NP I-NP', 'S-NP')).toMatchObject({ scheme: 'BIOES' });
    expect(scheme('NOUN VERB')).toMatchObject({ scheme: 'plain', form: 'plain' });
  });

  it('is BIO also where some tags do not keep to it, and says how many', () => {
    expect(scheme('B-NP I-NP I-VP', 'O I-NP')).toMatchObject({ scheme: 'BIO', loose: 2 });
  });
});

describe('labels of tags', () => {
  it('begin with O, and every type has all prefixes of the set', () => {
    expect(labelsOfTags(['O', 'B-VP', 'I-NP', 'B-NP'])).toEqual(['O', 'B-NP', 'I-NP', 'B-VP', 'I-VP']);
    expect(labelsOfTags(['B-NP', 'O'])).toEqual(['O', 'B-NP', 'I-NP']);
    expect(labelsOfTags(['I-NP', 'I-VP', 'O'])).toEqual(['O', 'I-NP', 'I-VP']);
    expect(labelsOfTags(['O', 'S-A', 'B-A', 'E-A'])).toEqual(['O', 'B-A', 'I-A', 'E-A', 'S-A']);
    expect(labelsOfTags(['VERB', 'NOUN'])).toEqual(['NOUN', 'VERB']);
  });

  it('have types', () => {
    expect(typesOf(['O', 'B-NP', 'I-NP', 'B-VP', 'I-VP'])).toEqual(['NP', 'VP']);
    expect(typesOf(['NOUN', 'VERB'])).toEqual(['NOUN', 'VERB']);
  });
});
