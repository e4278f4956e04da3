/** Where a tagger is wrong: types of spans, by the rules of conlleval, and the sentences that it is the most wrong about. */
import { classScores, confusionOf, type WantedGot } from '../report/confusion.js';
import { reliabilityOf } from '../report/reliability.js';
import type { ConfusionSection, ExampleText, ReportSection } from '../report/report.js';
import { worstExamples } from '../report/worstExamples.js';
import { unitsOf } from './rows.js';
import type { TaggedSentence } from './sentences.js';
import type { Tags } from './spanMetrics.js';
import { spansOf, type TagForm, type TagSpan } from './tags.js';

export interface TaggingReportOptions {
  readonly form: TagForm;
  /** Of each word's tag, sentence after sentence; 0 where none was predicted. Of predictions from elsewhere there are none. */
  readonly probabilities?: Float64Array;
}

/** @param predicted  tags of the same words */
export function taggingSections(
  sentences: readonly TaggedSentence[],
  predicted: Tags,
  { form, probabilities }: TaggingReportOptions,
): ReportSection[] {
  const spans = sentences.map(({ tags }, i) => ({ wanted: spansOf(tags, form), got: spansOf(predicted[i], form) }));
  const types = [...new Set(spans.flatMap(({ wanted, got }) => [...wanted, ...got].map(({ type }) => type)))].sort();
  const index = new Map(types.map((type, i) => [type, i]));
  const confusion: ConfusionSection = {
    ...confusionOf(
      'type',
      types,
      spans.flatMap(({ wanted, got }) => pairedSpans(wanted, got, index)),
    ),
    otherEnds: spans.reduce((sum, { wanted, got }) => sum + withOtherEnds(wanted, got), 0),
  };
  const words = wordsJudged(sentences, predicted, probabilities);
  const gap = unitsOf(sentences) === 'characters' ? '' : ' ';
  const mistakes = sentences.flatMap((sentence, i) => {
    const wrong = words[i].filter(({ isRight }) => !isRight);
    if (wrong.length === 0) return [];
    const worst = wrong.reduce((most, { confidence }) => Math.max(most, confidence), 0);
    const { wanted, got } = spans[i];
    const example = () => ({
      place: sentence.place,
      texts: [
        markedSentence(sentence.words, wanted, { name: 'wanted', gap }),
        markedSentence(sentence.words, got, { name: 'got', gap }),
      ],
      wanted: inWords(sentence.words, wanted, gap),
      got: inWords(sentence.words, got, gap),
      ...(probabilities && { probability: worst }),
    });
    // Of predictions that come without probabilities the sentences with the most wrong words.
    return [{ badness: probabilities ? worst : wrong.length, example }];
  });
  const asked = words.flat().filter(({ confidence }) => confidence > 0);
  return [
    classScores(confusion),
    confusion,
    ...(asked.length > 0 ? [reliabilityOf('word', asked)] : []),
    worstExamples(mistakes),
  ];
}

/** Spans of the same words are one taken for the other; all others were missed, or made up. */
function pairedSpans(
  wanted: readonly TagSpan[],
  got: readonly TagSpan[],
  index: ReadonlyMap<string, number>,
): WantedGot[] {
  const place = ({ start, end }: TagSpan) => `${start}:${end}`;
  const [ofWanted, ofGot] = [wanted, got].map(
    (spans) => new Map(spans.map((span) => [place(span), index.get(span.type)])),
  );
  return [
    ...[...ofWanted].map(([where, type]) => ({ wanted: type, got: ofGot.get(where) })),
    ...[...ofGot].flatMap(([where, type]) => (ofWanted.has(where) ? [] : [{ got: type }])),
  ];
}

/** Spans that were found, if not from their first to their last word. */
function withOtherEnds(wanted: readonly TagSpan[], got: readonly TagSpan[]): number {
  const isSame = (a: TagSpan, b: TagSpan) => a.start === b.start && a.end === b.end;
  const missed = wanted.filter((span) => !got.some((other) => isSame(span, other)));
  return missed.filter(({ type, start, end }) =>
    got.some((other) => other.type === type && other.start < end && other.end > start),
  ).length;
}

/** Word by word, how sure the model was of its tag and whether that is right. */
function wordsJudged(sentences: readonly TaggedSentence[], predicted: Tags, probabilities?: Float64Array) {
  let at = 0;
  return sentences.map(({ tags }, i) =>
    tags.map((tag, word) => ({ confidence: probabilities?.[at++] ?? 0, isRight: tag === predicted[i][word] })),
  );
}

function markedSentence(
  words: readonly string[],
  spans: readonly TagSpan[],
  { name, gap }: { readonly name: 'wanted' | 'got'; readonly gap: string },
): ExampleText {
  const starts: number[] = [];
  let length = 0;
  for (const word of words) {
    starts.push(length);
    length += word.length + gap.length;
  }
  const marks = spans.map(({ type, start, end }) => ({
    start: starts[start],
    end: starts[end - 1] + words[end - 1].length,
    kind: name,
    label: type,
  }));
  return { name, text: words.join(gap), marks };
}

/** "PER Ada Lovelace, LOC London" */
function inWords(words: readonly string[], spans: readonly TagSpan[], gap: string): string {
  return spans.map(({ type, start, end }) => `${type} ${words.slice(start, end).join(gap)}`).join(', ') || 'nothing';
}
