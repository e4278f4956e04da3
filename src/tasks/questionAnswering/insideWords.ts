/** Whether answers of a language are whole words. */
import type { Question } from './questions.js';

/**
 * Share of answers that begin or end inside a word, next to a letter or number: of KorQuAD, where particles are written onto
 * nouns, six in ten; of SQuAD one in 400.
 */
export function shareInsideWords(questions: readonly Question[]): number {
  const isLetter = (text: string) => /^[\p{L}\p{N}]$/u.test(text);
  const answered = questions.flatMap(({ context, answers }) =>
    answers.slice(0, 1).map((answer) => ({ context, answer })),
  );
  const inside = answered.filter(({ context, answer: { start, end } }) => {
    const cuts = (at: number) => isLetter(context.slice(at - 1, at)) && isLetter(context.slice(at, at + 1));
    return (start > 0 && cuts(start)) || cuts(end);
  });
  return answered.length === 0 ? 0 : inside.length / answered.length;
}
