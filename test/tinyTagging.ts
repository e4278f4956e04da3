/** Sentences with a known answer for taggers, for end-to-end tests: what is in a town depends on the word before. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RandomStream } from '../src/random/philox.js';

const PLACES = ['town', 'dog', 'film'];
const OTHER = ['the', 'is', 'a', 'story', 'of', 'two', 'and', 'their', ','];

export interface TinySentence {
  readonly words: string[];
  readonly tags: string[];
}

/** After "in" stand one or two words of a place; the same words elsewhere are none. */
export function tinySentence(random: RandomStream): TinySentence {
  const words: string[] = [];
  const tags: string[] = [];
  const add = (word: string, tag = 'O') => {
    words.push(word);
    tags.push(tag);
  };
  const place = () => PLACES[random.integer(PLACES.length)];
  for (let part = 0; part < 3; part++) {
    for (let i = 0; i < 1 + random.integer(3); i++) add(OTHER[random.integer(OTHER.length)]);
    const isPlace = random.integer(2) === 0;
    if (isPlace) add('in');
    add(place(), isPlace ? 'B-PLACE' : 'O');
    if (random.integer(2) === 0) add(place(), isPlace ? 'I-PLACE' : 'O');
  }
  return { words, tags };
}

export function tinySentences(count: number, seed: number): TinySentence[] {
  const random = new RandomStream(seed, 'test');
  return Array.from({ length: count }, () => tinySentence(random));
}

export function conllText(sentences: readonly TinySentence[]): string {
  return sentences.map(({ words, tags }) => words.map((word, i) => `${word}\t_\t${tags[i]}\n`).join('')).join('\n');
}

/** train.conll and dev.conll, of three columns. */
export function writeTinySentences(folder: string): void {
  writeFileSync(join(folder, 'train.conll'), conllText(tinySentences(400, 1)));
  writeFileSync(join(folder, 'dev.conll'), conllText(tinySentences(100, 2)));
}
