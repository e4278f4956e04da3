/** What deserves a word about the data of a tagger before it is trained. */
import { joinFirst } from '../../errors/joinFirst.js';
import { nearestName } from '../../settings/nearestName.js';
import { settingName } from '../../settings/settingNames.js';
import { cutNotice } from '../notices.js';
import type { TaskNotice } from '../task.js';
import type { EncodedSentences } from './rows.js';
import { placeOfWord, type TaggedSentence } from './sentences.js';
import { schemeOf, type TagForm, tagParts } from './tags.js';

const tagsOf = (sentences: readonly TaggedSentence[]) => sentences.map(({ tags }) => tags);

/** Tags that are neither BIO nor plain; BIO that is not kept to. */
export function schemeNotices(train: readonly TaggedSentence[], dev: readonly TaggedSentence[]): TaskNotice[] {
  const { scheme, loose } = schemeOf(tagsOf(train));
  const ofDev = schemeOf(tagsOf(dev));
  const notices: TaskNotice[] = [];
  if (scheme === 'BIO' && loose > 0) {
    notices.push({
      code: 'tag-scheme',
      message: `The tags are BIO, and ${loose} tags I- continue no span of their type`,
      advice: 'Each is read as the beginning of a span, as conlleval does.',
    });
  } else if (scheme !== 'BIO' && scheme !== 'plain') {
    notices.push({
      code: 'tag-scheme',
      message: `The tags are ${SCHEMES[scheme]}`,
      advice: 'They are learned as they stand, and spans are read from them by the rules of conlleval.',
    });
  }
  // A few sentences may not show what the scheme is; prefixes for ends are another matter.
  if ((ofDev.scheme === 'BIOES') !== (scheme === 'BIOES')) {
    notices.push({
      code: 'tag-scheme-differs',
      message: `The training tags are ${scheme}, those of the dev data ${ofDev.scheme}`,
      advice: 'The model can only learn the one; convert the other.',
    });
  }
  return notices;
}

const SCHEMES = {
  IOB1: 'IOB1: B- stands only between neighbouring spans of one type',
  IO: 'IO: neighbouring spans of one type are one',
  BIOES: 'BIOES: spans have their ends marked, too',
} as const;

/** Tags that only the dev data have: they count as missed whatever is trained. */
export function unknownTagNotices(dev: readonly TaggedSentence[], labels: readonly string[]): TaskNotice[] {
  const unknown = unknownTags(dev, labels);
  if (unknown.size === 0) return [];
  const names = [...unknown.keys()];
  const nearest = nearestName(names[0], labels);
  const first = unknown.get(names[0])!;
  const words = [...unknown.values()].reduce((sum, { count }) => sum + count, 0);
  return [
    {
      code: 'unknown-tags',
      message: `${words} ${words === 1 ? 'word' : 'words'} of the dev data have tags that no training sentence has: ${joinFirst(names, 5)}; the first is ${first.place.slice(0, -1)}`,
      advice: `They count as missed. ${nearest === undefined ? '' : `If ${nearest} is meant, mend the file; `}${nearest === undefined ? 'T' : 't'}o make them labels of the model, name all labels in order by ${settingName('labels')}.`,
    },
  ];
}

/** Tags that are no label: how many words have each, and where it is first. */
export function unknownTags(
  sentences: readonly TaggedSentence[],
  labels: readonly string[],
): Map<string, { count: number; place: string }> {
  const known = new Set(labels);
  const unknown = new Map<string, { count: number; place: string }>();
  for (const sentence of sentences) {
    for (const [at, tag] of sentence.tags.entries()) {
      if (known.has(tag)) continue;
      const before = unknown.get(tag);
      if (before) before.count++;
      else unknown.set(tag, { count: 1, place: placeOfWord(sentence, at) });
    }
  }
  return unknown;
}

/** From so many words on, a type that one word alone has is most likely a slip of the pen. */
const MANY_WORDS = 1000;

/** A type that stands once and is nearly the name of another. */
export function misspeltTypeNotices(train: readonly TaggedSentence[], form: TagForm): TaskNotice[] {
  const places = new Map<string, { count: number; place: string }>();
  let words = 0;
  for (const sentence of train) {
    words += sentence.tags.length;
    for (const [at, tag] of sentence.tags.entries()) {
      const { type } = tagParts(tag, form);
      if (type === '') continue;
      const before = places.get(type);
      if (before) before.count++;
      else places.set(type, { count: 1, place: placeOfWord(sentence, at) });
    }
  }
  if (words < MANY_WORDS) return [];
  const frequent = [...places].filter(([, { count }]) => count > 10).map(([type]) => type);
  return [...places].flatMap(([type, { count, place }]) => {
    const meant = count === 1 && type.length > 2 ? nearestName(type, frequent) : undefined;
    if (meant === undefined) return [];
    return [
      {
        code: 'rare-tag',
        message: `${place} has the type ${type}, which no other word has`,
        advice: `If ${meant} is meant, mend the file.`,
      },
    ];
  });
}

export function encodingNotices(
  { cut, emptied }: Pick<EncodedSentences, 'cut' | 'emptied'>,
  { numSentences, length }: { readonly numSentences: number; readonly length: number },
): TaskNotice[] {
  const notices: TaskNotice[] = [];
  if (cut.sentences > 0) {
    notices.push(
      cutNotice(
        `${cut.sentences} of ${numSentences} training sentences are longer than ${length} tokens and lose their last words, ${cut.words} in all`,
        ' Sentences are evaluated whole.',
      ),
    );
  }
  if (emptied > 0) {
    notices.push({
      code: 'words-without-pieces',
      message: `Of ${emptied} training words the tokenizer leaves nothing, such as of control characters`,
      advice: 'They are read as [UNK].',
    });
  }
  return notices;
}
