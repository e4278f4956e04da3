/** The lines of TypeScript that make what the figures of this screen show. A pair is named as the command line names it. */

const quoted = (text: string) => JSON.stringify(text);

const pairOf = (model: string) => `import { loadReplacedTokenDetection, loadTextCorruption } from 'pleiad/node';

const corrupter = await loadTextCorruption(${quoted(model)});
const detector = await loadReplacedTokenDetection(${quoted(model)});`;

export interface StepOptions {
  readonly temperature: number;
  readonly seed: number;
}

export const stepCode = (model: string, text: string, { temperature, seed }: StepOptions) => `${pairOf(model)}
const options = { fraction: 0.15, seed: ${seed}, temperature: ${temperature}, unit: 'piece' } as const;
const corrupted = await corrupter.corrupt(${quoted(text)}, options);
console.log(corrupted.masked, corrupted.text);
console.log(await detector.detect(corrupted.text));`;

export const fillCode = (model: string, masked: string, count: number) => `import { loadFillMask } from 'pleiad/node';

const filler = await loadFillMask(${quoted(model)});
const { masks } = await filler.fill(${quoted(masked)}, { topK: ${count} });
for (const { token, score } of masks[0].candidates) console.log(token, score);`;

export const lossCode = (lambda: number) => `import { pretrainToFolder } from 'pleiad/node';

const settings = { data: 'shards/', out: 'run/', size: 'tiny', time: '60s', discWeight: ${lambda} } as const;
for await (const event of pretrainToFolder(settings)) {
  if (event.type === 'step') console.log(event.step, event.losses);
}`;

export const rocCode = (model: string, text: string, corruptions: number) => `${pairOf(model)}
for (let seed = 0; seed < ${corruptions}; seed++) {
  const { text, replacements } = await corrupter.corrupt(${quoted(text)}, { fraction: 0.15, seed, unit: 'piece' });
  const isReplaced = (start: number) => replacements.some((each) => each.start === start);
  for (const { start, replaced } of await detector.detect(text)) console.log(replaced, isReplaced(start));
}`;

export const twoCode = (model: string, first: string, second: string) => `import { loadFillMask } from 'pleiad/node';

const filler = await loadFillMask(${quoted(model)});
const results = await filler.fill([${quoted(first)}, ${quoted(second)}], { topK: 10 });
for (const { masks } of results) console.log(masks[0].candidates.map(({ token, score }) => [token, score]));`;
