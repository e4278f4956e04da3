/** Answers as people read them: the answer in its sentence, with where it stands. */
import type { Answer } from '../pipelines/answers.js';
import type { Output } from './output.js';

/** Characters on each side of an answer, at most. */
const MOST_AROUND = 150;
/** Characters on each side in which its sentence is looked for: segmenting a whole book for one answer would take long. */
const SEARCHED = 600;

const SENTENCES = new Intl.Segmenter('und', { granularity: 'sentence' });

export interface AnswerInSentence {
  readonly before: string;
  readonly answer: string;
  readonly after: string;
}

/** The sentence around an answer, on one line, cut where it is long. */
export function inSentence(context: string, { start, end }: Pick<Answer, 'start' | 'end'>): AnswerInSentence {
  const from = characterStart(context, Math.max(0, start - SEARCHED));
  const text = context.slice(from, characterStart(context, Math.min(context.length, end + SEARCHED)));
  const [first, last] = [start - from, end - from];
  let [sentenceStart, sentenceEnd] = [0, text.length];
  for (const { index, segment } of SENTENCES.segment(text)) {
    if (index <= first) sentenceStart = index;
    if (index + segment.length >= last) {
      sentenceEnd = index + segment.length;
      break;
    }
  }
  const before = text.slice(sentenceStart, first).trimStart();
  const after = text.slice(last, sentenceEnd).trimEnd();
  const isCut = [before.length > MOST_AROUND, after.length > MOST_AROUND];
  return {
    before: (isCut[0] ? `…${before.slice(characterStart(before, before.length - MOST_AROUND))}` : before).replace(
      /\s+/g,
      ' ',
    ),
    answer: text.slice(first, last).replace(/\s+/g, ' '),
    after: (isCut[1] ? `${after.slice(0, characterStart(after, MOST_AROUND))}…` : after).replace(/\s+/g, ' '),
  };
}

/** The same place, or one before it that tears no character apart. */
function characterStart(text: string, at: number): number {
  return /[\udc00-\udfff]/.test(text.charAt(at)) ? at - 1 : at;
}

/** Answers of one question. @param names  of the documents, where there are several or they are files */
export function showAnswers(
  question: string,
  found: readonly Answer[],
  { texts, names }: { readonly texts: readonly string[]; readonly names?: readonly string[] },
  output: Output,
): void {
  output.line(output.style(question, 'bold'));
  for (const answer of found) {
    const { contextIndex = 0, score, start, end } = answer;
    if (answer.answer === '') {
      output.line(`  ${score.toFixed(3)}  (no answer)`);
      continue;
    }
    const place = [...(names ? [names[contextIndex]] : []), `${start}–${end}`].join(' ');
    output.line(`  ${score.toFixed(3)}  ${answer.answer.replace(/\s+/g, ' ')}  ${output.style(place, 'dim')}`);
    const { before, answer: own, after } = inSentence(texts[contextIndex], answer);
    const marked = output.hasColor ? output.style(own, 'bold', 'green') : `[${own}]`;
    output.line(`         ${before}${marked}${after}`);
  }
}
