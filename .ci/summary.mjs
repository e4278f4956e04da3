// Repeats the test runner's closing line in a plain form: "N passed, N failed, N skipped".
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const plain = stripVTControlCharacters(readFileSync(process.argv[2], 'utf8'));
const line = plain.split('\n').findLast((text) => /^\s*Tests\s/.test(text)) ?? '';
const count = (kind) => Number(new RegExp(`(\\d+) ${kind}`).exec(line)?.[1] ?? 0);
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`);
