/** The lines of TypeScript that make what screen "Ask" shows. */

const quoted = (text: string) => JSON.stringify(text);

export function askCode(
  model: string,
  question: string,
  options: { maxLength?: number; nullThreshold: number },
): string {
  const { maxLength, nullThreshold } = options;
  return `import { readFile } from 'node:fs/promises';
import { pipeline } from 'pleiad/node';

const ask = await pipeline('question-answering', { model: ${quoted(model)} });
const context = await readFile('text.txt', 'utf8');
const answers = await ask(
  { question: ${quoted(question)}, context },
  { topK: 5, handleImpossibleAnswer: true, nullThreshold: ${nullThreshold}${maxLength === undefined ? '' : `, maxLength: ${maxLength}`} },
);
for (const { answer, score } of answers) console.log(score.toFixed(2), answer || '(no answer)');`;
}
