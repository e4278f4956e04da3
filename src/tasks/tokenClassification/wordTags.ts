/** What a tagger must beat: each word's most frequent tag in the training data, whatever stands around it. */
import { DataError } from '../../errors/errors.js';
import type { Metrics } from '../../training/objective.js';
import type { TaggedSentence } from './sentences.js';
import { tagAccuracy, taggingMetrics } from './spanMetrics.js';
import type { TagForm } from './tags.js';

/** The file that a run keeps them in, beside the model. */
export const WORD_TAGS_FILE = 'word_tags.json';

export interface WordTags {
  readonly format: 'pleiad-word-tags';
  readonly version: 1;
  /** Tags that some word has, the most frequent of all first: it is the one of words that were never seen. */
  readonly tags: readonly string[];
  /** By word, an index into `tags`; words whose tag is the first are left out. */
  readonly words: Readonly<Record<string, number>>;
}

export function fitWordTags(sentences: readonly TaggedSentence[]): WordTags {
  const all = new Map<string, number>();
  const byWord = new Map<string, Map<string, number>>();
  for (const { words, tags } of sentences) {
    for (const [i, word] of words.entries()) {
      const own = byWord.get(word) ?? new Map<string, number>();
      byWord.set(word, own);
      own.set(tags[i], (own.get(tags[i]) ?? 0) + 1);
      all.set(tags[i], (all.get(tags[i]) ?? 0) + 1);
    }
  }
  const tags = inOrder(all).map(([tag]) => tag);
  const index = new Map(tags.map((tag, i) => [tag, i]));
  // Of equally frequent tags of a word, the one that is more frequent in all.
  const best = [...byWord].map(([word, own]) => {
    const highest = Math.max(...own.values());
    return [word, Math.min(...[...own].filter(([, n]) => n === highest).map(([tag]) => index.get(tag)!))] as const;
  });
  return {
    format: 'pleiad-word-tags',
    version: 1,
    tags,
    words: Object.fromEntries(best.filter(([, tag]) => tag > 0)),
  };
}

/** The most frequent first, equals by name. */
const inOrder = (counts: ReadonlyMap<string, number>) =>
  [...counts].sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1));

export function predictWordTags({ tags, words }: WordTags, sentences: readonly TaggedSentence[]): string[][] {
  const known = new Map(Object.entries(words));
  return sentences.map((sentence) => sentence.words.map((word) => tags[known.get(word) ?? 0]));
}

/** `wordTagF1` and `wordTagAccuracy`, by each word's tag; `majorityAccuracy`, of the most frequent tag everywhere. */
export function wordTagMetrics(baseline: WordTags, sentences: readonly TaggedSentence[], form: TagForm): Metrics {
  const expected = sentences.map(({ tags }) => tags);
  const { f1, accuracy } = taggingMetrics(expected, predictWordTags(baseline, sentences), form);
  return {
    ...(f1 !== undefined && { wordTagF1: f1 }),
    wordTagAccuracy: accuracy,
    majorityAccuracy: accuracyOf(baseline.tags[0], expected),
  };
}

/** Of a model that comes without baselines: the accuracy of the data's own most frequent tag. */
export function majorityTagMetrics(sentences: readonly TaggedSentence[]): Metrics {
  const counts = new Map<string, number>();
  for (const tag of sentences.flatMap(({ tags }) => tags)) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  const [[most]] = inOrder(counts);
  return {
    majorityAccuracy: accuracyOf(
      most,
      sentences.map(({ tags }) => tags),
    ),
  };
}

function accuracyOf(tag: string, expected: readonly (readonly string[])[]): number {
  return tagAccuracy(
    expected,
    expected.map((tags) => tags.map(() => tag)),
  );
}

/** @throws DataError when it is no such file */
export function parseWordTags(json: string): WordTags {
  const value = JSON.parse(json) as Partial<WordTags>;
  if (value.format === 'pleiad-word-tags' && value.version === 1) return value as WordTags;
  throw new DataError(`${WORD_TAGS_FILE} is ${value.format} ${value.version}, expected pleiad-word-tags 1`, {
    subject: WORD_TAGS_FILE,
    advice: 'Remove it to go without this baseline, or use the version of Pleiad that wrote it',
  });
}
