/** Tokenizers in folders: `tokenizer.json`, or `vocab.txt` with `tokenizer_config.json`, as model folders hold them. */

import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DataError, withSource } from '../errors/errors.js';
import { makeFolder, writeFileDurably } from '../files/durableFile.node.js';
import type { WordPieceTokenizer } from './tokenizer.js';
import { maxLengthFromTokenizerConfig, type TokenizerConfigOptions } from './tokenizerFiles.js';
import { type TokenizerFiles, type TokenizerOverrides, tokenizerFromFiles } from './tokenizerFolder.js';

const CONFIG_FILE = 'tokenizer_config.json';

/**
 * Loads the tokenizer of a folder: `tokenizer.json` if it is there, else `vocab.txt`; with `tokenizer_config.json`,
 * `special_tokens_map.json` and `added_tokens.json` where they are. Either of the first two may be named itself. A
 * `vocab.txt` alone does not say its casing; it is looked up in the vocabulary.
 * @throws DataError when the folder has neither file, one is damaged, or a cased vocabulary would be lower-cased
 */
export function loadTokenizer(path: string, overrides: TokenizerOverrides = {}): WordPieceTokenizer {
  const isFile = existsSync(path) && statSync(path).isFile();
  const folder = isFile ? dirname(path) : path;
  const at = (name: string) => join(folder, name);
  const jsonPath = isFile && path.endsWith('.json') ? path : isFile ? undefined : at('tokenizer.json');
  const vocabPath = isFile && !path.endsWith('.json') ? path : at('vocab.txt');
  const files: TokenizerFiles = {
    tokenizerJson: jsonPath && readJsonIfThere(jsonPath),
    vocabText: existsSync(vocabPath) ? readFileSync(vocabPath, 'utf8') : undefined,
    tokenizerConfig: readJsonIfThere(at(CONFIG_FILE)),
    specialTokensMap: readJsonIfThere(at('special_tokens_map.json')),
    addedTokens: readJsonIfThere(at('added_tokens.json')),
  };
  return withSource(path, () => tokenizerFromFiles(files, path, overrides));
}

/** Whether a folder holds a tokenizer. */
export function hasTokenizer(folder: string): boolean {
  return ['tokenizer.json', 'vocab.txt'].some((name) => existsSync(join(folder, name)));
}

/**
 * As `loadTokenizer`; undefined where the folder holds none.
 * @throws as `loadTokenizer`
 */
export function loadTokenizerIfThere(folder: string, overrides?: TokenizerOverrides): WordPieceTokenizer | undefined {
  return hasTokenizer(folder) ? loadTokenizer(folder, overrides) : undefined;
}

/** The longest input that a folder's `tokenizer_config.json` allows; undefined where it does not say. */
export function loadMaxLength(folder: string): number | undefined {
  return maxLengthFromTokenizerConfig(readJsonIfThere(join(folder, CONFIG_FILE)) ?? {});
}

/**
 * Writes `tokenizer.json`, `vocab.txt` and `tokenizer_config.json`; makes the folder when it is absent.
 * @param files  `withJson` false leaves out tokenizer.json, which repeats the other two; default true
 */
export async function saveTokenizer(
  tokenizer: WordPieceTokenizer,
  folder: string,
  options?: TokenizerConfigOptions,
  { withJson = true }: { withJson?: boolean } = {},
): Promise<void> {
  makeFolder(folder);
  const json = (value: unknown) => [`${JSON.stringify(value, null, 2)}\n`];
  if (withJson) await writeFileDurably(join(folder, 'tokenizer.json'), json(tokenizer.toTokenizerJson()));
  await writeFileDurably(join(folder, 'vocab.txt'), [tokenizer.toVocabText()]);
  await writeFileDurably(join(folder, CONFIG_FILE), json(tokenizer.toTokenizerConfig(options)));
}

function readJsonIfThere(path: string): unknown {
  return existsSync(path) ? readJson(path) : undefined;
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
