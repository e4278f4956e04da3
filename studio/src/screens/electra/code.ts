/** The lines of TypeScript that make what the figures of this screen show. */

const text = (value: string) => JSON.stringify(value);

export const stepCode = (
  sentence: string,
  fraction: number,
  temperature: number,
  seed: number,
) => `import { loadReplacedTokenDetection, loadTextCorruption } from 'pleiad/node';

const corrupter = await loadTextCorruption('runs/quickstart/run');
const detector = await loadReplacedTokenDetection('runs/quickstart/run');
const corrupted = await corrupter.corrupt(${text(sentence)}, { fraction: ${fraction}, seed: ${seed}, temperature: ${temperature}, unit: 'piece' });
console.log(corrupted.masked, corrupted.text, await detector.detect(corrupted.text));`;

export const fillCode = (masked: string, count: number) => `import { loadFillMask } from 'pleiad/node';

const filler = await loadFillMask('runs/quickstart/run');
const { masks } = await filler.fill(${text(masked)}, { topK: ${count} });
for (const { token, score } of masks[0].candidates) console.log(token, score);`;

export const lossCode = (lambda: number) => `import { pretrainToFolder } from 'pleiad/node';

// Each event of kind "step" has both losses; lossWeight is λ.
for await (const event of pretrainToFolder({ data: 'shards/', out: 'run/', size: 'tiny', time: '60s', discriminatorWeight: ${lambda} })) {
  if (event.type === 'step') console.log(event.losses);
}`;

export const rocCode = (
  sentence: string,
) => `import { loadReplacedTokenDetection, loadTextCorruption } from 'pleiad/node';

const corrupter = await loadTextCorruption('runs/quickstart/run');
const detector = await loadReplacedTokenDetection('runs/quickstart/run');
for (let seed = 0; seed < 32; seed++) {
  const { text, replacements } = await corrupter.corrupt(${text(sentence)}, { fraction: 0.15, seed, unit: 'piece' });
  for (const { start, replaced } of await detector.detect(text)) console.log(replaced, replacements.some((each) => each.start === start));
}`;

export const twoCode = (first: string, second: string) => `import { loadFillMask } from 'pleiad/node';

const filler = await loadFillMask('runs/quickstart/run');
const results = await filler.fill([${text(first)}, ${text(second)}], { topK: 150 });
for (const { masks } of results) console.log(masks[0].candidates.map(({ token, score }) => [token, score]));`;
