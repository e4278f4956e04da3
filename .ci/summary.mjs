// Repeats the test runner's closing line in a plain form: "N passed, N failed, N skipped".
import { readFileSync } from 'node:fs';

const plain = readFileSync(process.argv[2], 'utf8').replaceAll(/\x1b\[[0-9;]*m/g, '');
const line = plain.split('\n').findLast((text) => /^\s*Tests\s/.test(text)) ?? '';
const count = (kind) => Number(new RegExp(`(\\d+) ${kind}`).exec(line)?.[1] ?? 0);
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
