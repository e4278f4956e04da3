/** Answers as people read them: the answer in its sentence, with where it stands. */
import type { Answer } from '../pipelines/answers.js';
import { characterStart, sentenceAround } from '../text/sentenceAround.js';
import type { Output } from './output.js';

/** Characters on each side of an answer, at most. */
const MOST_AROUND = 150;

export interface AnswerInSentence {
  readonly before: string;
  readonly answer: string;
  readonly after: string;
}

/** The sentence around an answer, on one line, cut where it is long. */
export function inSentence(context: string, { start, end }: Pick<Answer, 'start' | 'end'>): AnswerInSentence {
  const { from, to } = sentenceAround(context, { start, end });
  const before = context.slice(from, start).trimStart();
  const after = context.slice(end, to).trimEnd();
  const isCut = [before.length > MOST_AROUND, after.length > MOST_AROUND];
  return {
    before: (isCut[0] ? `…${before.slice(characterStart(before, before.length - MOST_AROUND))}` : before).replace(
      /\s+/g,
      ' ',
    ),
    answer: context.slice(start, end).replace(/\s+/g, ' '),
    after: (isCut[1] ? `${after.slice(0, characterStart(after, MOST_AROUND))}…` : after).replace(/\s+/g, ' '),
  };
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
