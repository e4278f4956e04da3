/** The lines of TypeScript that make a round. */

export const ROUND_CODE = `import { loadReplacedTokenDetection, loadTextCorruption } from 'pleiad/node';

const corrupter = await loadTextCorruption('pleiad-en');
const detector = await loadReplacedTokenDetection('pleiad-en');
const { text, replacements } = await corrupter.corrupt('The chef cooked the meal.', { fraction: 0.3, seed: 1 });
const doubts = (await detector.detect(text)).sort((a, b) => b.replaced - a.replaced);
console.log(text, replacements, doubts.slice(0, replacements.length));`;
