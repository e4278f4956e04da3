/** What a folder is that was given for token shards and is none, and what to do then. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DataError } from '../errors/errors.js';
import { MANIFEST_FILE } from './manifest.js';

/** A folder of another kind, recognised by the name of a file in it. */
interface Kind {
  readonly has: RegExp;
  readonly is: string;
  readonly advice: (folder: string) => string;
}

/** What `prepare` reads in a folder, as src/data/prepare/inputs.node.ts has it. */
const TEXT_FILE = /\.(?:txt|jsonl?|ndjson|csv|tsv|parquet)(?:\.gz)?$|\.gz$/i;

/** The first that fits; looked for before text, since models and runs hold JSON too. */
const KINDS: readonly Kind[] = [
  {
    // prepare's journal: src/data/prepare/journal.node.ts
    has: /^progress\.jsonl$/,
    is: 'is not prepared to its end: preparing was interrupted',
    advice: () => 'Run the same `pleiad prepare` command again; it continues where it stopped',
  },
  {
    has: /^run\.json$/,
    is: 'is the folder of a run, not of token shards',
    advice: (folder) => `Give the folder that the run was trained on${dataOf(folder)}`,
  },
  {
    has: /^(?:config|trainer)\.json$/,
    is: 'is the folder of a model, not of token shards',
    advice: () => 'Give the folder that `pleiad prepare` wrote',
  },
  {
    has: /^(?:vocab\.txt|tokenizer\.json)$/,
    is: 'is the folder of a tokenizer, not of token shards',
    advice: (folder) => `Prepare text with it: pleiad prepare TEXT/ --tokenizer ${folder} --out SHARDS/`,
  },
];

/** The shards that a run names, after a colon. */
function dataOf(folder: string): string {
  try {
    const { settings } = JSON.parse(readFileSync(join(folder, 'run.json'), 'utf8'));
    return typeof settings.data === 'string' ? `: ${settings.data}` : '';
  } catch {
    return '';
  }
}

function howToPrepare(path: string): string {
  return `Prepare it first: pleiad prepare ${path} --tokenizer VOCAB/ --out SHARDS/; a vocabulary is made by pleiad vocab ${path} --out VOCAB/`;
}

/** The error for a folder, or a file, that is there and has no manifest. */
export function notPrepared(path: string): DataError {
  const expected = 'a folder of token shards, as `pleiad prepare` writes it';
  const refuse = (problem: string, advice: string) =>
    new DataError(`${path} ${problem}`, { subject: path, expected, advice });
  if (!statSync(path).isDirectory()) return refuse('is a file, not a folder of token shards', howToPrepare(path));
  const entries = readdirSync(path, { withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  const kind = KINDS.find(({ has }) => files.some((name) => has.test(name)));
  if (kind) return refuse(kind.is, kind.advice(path));
  const prepared = folders.filter((folder) => existsSync(join(folder, MANIFEST_FILE)));
  if (prepared.length > 0) return refuse('is not the folder of token shards itself', `Give ${prepared.join(' or ')}`);
  if ([...files, ...folders.flatMap(namesIn)].some((name) => TEXT_FILE.test(name))) {
    return refuse('holds text, not token shards', howToPrepare(path));
  }
  return refuse(
    `has no ${MANIFEST_FILE}: it is not a folder that \`pleiad prepare\` wrote`,
    'Check its name, or make it: pleiad prepare TEXT/ --tokenizer VOCAB/ --out SHARDS/',
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not ours to read: it says nothing of what this is
  }
}
