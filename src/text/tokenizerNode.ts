/** Tokenizers in folders: `tokenizer.json`, or `vocab.txt` with `tokenizer_config.json`, as model folders hold them. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeFolder, writeFileDurably } from '../checkpoint/durableFileNode.js';
import { DataError } from '../errors.js';
import { WordPieceTokenizer } from './tokenizer.js';
import { settingsFromTokenizerConfig } from './tokenizerFiles.js';

/**
 * Loads the tokenizer of a folder: `tokenizer.json` if it is there, else `vocab.txt` read with `tokenizer_config.json`.
 * Either file may be named itself. A `vocab.txt` alone does not say its casing; it is taken as cased when any token holds
 * an upper-case letter beside the bracketed special ones.
 * @throws DataError when the folder has neither file, or one is damaged
 */
export function loadTokenizer(folder: string): WordPieceTokenizer {
  if (existsSync(folder) && statSync(folder).isFile()) {
    return folder.endsWith('.json') ? WordPieceTokenizer.fromTokenizerJson(readJson(folder)) : loadVocabulary(folder);
  }
  const jsonPath = join(folder, 'tokenizer.json');
  if (existsSync(jsonPath)) return WordPieceTokenizer.fromTokenizerJson(readJson(jsonPath));
  const vocabPath = join(folder, 'vocab.txt');
  if (!existsSync(vocabPath)) {
    throw new DataError(`${folder} has neither tokenizer.json nor vocab.txt`, {
      subject: folder,
      expected: 'tokenizer.json, or vocab.txt with tokenizer_config.json',
      advice: 'Give the folder of a tokenizer or a model; `pleiad vocab` trains a vocabulary',
    });
  }
  return loadVocabulary(vocabPath);
}

function loadVocabulary(path: string): WordPieceTokenizer {
  const text = readFileSync(path, 'utf8');
  const configPath = join(dirname(path), 'tokenizer_config.json');
  const config = existsSync(configPath) ? readJson(configPath) : { do_lower_case: !hasUpperCase(text) };
  return WordPieceTokenizer.fromVocabText(text, settingsFromTokenizerConfig(config));
}

/** Writes `tokenizer.json`, `vocab.txt` and `tokenizer_config.json`; makes the folder when it is absent. */
export async function saveTokenizer(tokenizer: WordPieceTokenizer, folder: string): Promise<void> {
  makeFolder(folder);
  const json = (value: unknown) => [`${JSON.stringify(value, null, 2)}\n`];
  await writeFileDurably(join(folder, 'tokenizer.json'), json(tokenizer.toTokenizerJson()));
  await writeFileDurably(join(folder, 'vocab.txt'), [tokenizer.toVocabText()]);
  await writeFileDurably(join(folder, 'tokenizer_config.json'), json(tokenizer.toTokenizerConfig()));
}

function hasUpperCase(vocabText: string): boolean {
  return vocabText.split('\n').some((token) => /\p{Lu}/u.test(token) && !/^\[.*\]$/.test(token.trim()));
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new DataError(`${path} is not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      subject: path,
      advice: 'Save or download the tokenizer again',
      cause,
    });
  }
}
