/** The lines of TypeScript that make what screen "Proofread" shows. */

/** @param line  from which doubt on words are marked, or how many right words may be */
export function proofCode(model: string, line: { threshold: number } | { falseAlarms: number }): string {
  return `import { readFile } from 'node:fs/promises';
import { pipeline } from 'pleiad/node';

const proofread = await pipeline('proofread', { model: ${JSON.stringify(model)} });
const text = await readFile('text.txt', 'utf8');
const found = await proofread(text, ${JSON.stringify(line)
    .replace(/"(\w+)":/, '$1: ')
    .replace(/^\{|\}$/g, (brace) => (brace === '{' ? '{ ' : ' }'))});
for (const { text: word, doubt, proposals } of found) {
  console.log(doubt.toFixed(2), word, proposals.map(({ text: proposal }) => proposal));
}`;
}
