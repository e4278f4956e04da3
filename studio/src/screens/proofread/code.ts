/** The lines of TypeScript that make what screen "Proofread" shows. */

export function proofCode(model: string, threshold: number): string {
  return `import { readFile } from 'node:fs/promises';
import { pipeline } from 'pleiad/node';

const detect = await pipeline('replaced-token-detection', { model: ${JSON.stringify(model)} });
const text = await readFile('text.txt', 'utf8');
for (const { start, end, replaced } of await detect(text)) {
  if (replaced >= ${threshold}) console.log(replaced.toFixed(2), text.slice(start, end));
}`;
}
