import { existsSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  trainVocabulary,
  type VocabularyCharacters,
  type VocabularyProgress,
} from '../../data/prepare/trainVocabulary.node.js';
import { SettingsError } from '../../errors/errors.js';
import { isPublishedNormalization, stripsAccents } from '../../text/normalization.js';
import type { TokenizerSettings, WordPieceTokenizer } from '../../text/tokenizer.js';
import { hasTokenizer, saveTokenizer } from '../../text/tokenizer.node.js';
import type { CommandDefinition } from '../command.js';
import { ENCODING_OPTION, encodingOption, FIELD_OPTION, inputLines } from '../corpusOptions.js';
import { collectProblems, grouped, megabytes, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { tellWarnings } from '../unknownWarning.js';

export const vocab: CommandDefinition = {
  name: 'vocab',
  summary: 'Trains a WordPiece vocabulary and writes vocab.txt, tokenizer.json and tokenizer_config.json.',
  arguments: [
    {
      name: '<files...>',
      description: 'plain text, JSON Lines, JSON, CSV, TSV, any of them gzipped, Parquet; or folders of these',
    },
  ],
  options: [
    { flags: '--size <number>', description: 'tokens of the vocabulary, special ones included. Default 8192.' },
    { flags: '--out <folder>', description: 'folder to write' },
    { flags: '--overwrite', description: 'replace a vocabulary that is in the folder already' },
    { flags: '--cased', description: 'keep upper case' },
    { flags: '--uncased', description: 'lower-case (default)' },
    {
      flags: '--strip-accents',
      description:
        'remove accents (é becomes e), and with them the vowel, tone and voicing signs of many other scripts, as uncased BERT does',
    },
    { flags: '--no-strip-accents', description: 'keep them (default)' },
    {
      flags: '--bert-normalization',
      description:
        'do to text exactly what the published BERT and ELECTRA do: lower-case and remove accents (with --cased neither), tear Hangul, remove joiners such as ZWNJ, make a word of more than 100 characters one [UNK]',
    },
    { flags: '--min-frequency <number>', description: 'do not merge a pair of pieces met less often. Default 2.' },
    {
      flags: '--alphabet-limit <number>',
      description:
        'distinct characters to keep. Default: all that take no more than a quarter of the vocabulary, or as many as make up 99.95 % of the text.',
    },
    { flags: '--preserve-hangul', description: 'with --strip-accents, keep Hangul syllables whole (default)' },
    {
      flags: '--no-preserve-hangul',
      description: 'tear Hangul into jamo, as uncased BERT does; removes accents unless --no-strip-accents is given',
    },
    FIELD_OPTION,
    ENCODING_OPTION,
    {
      flags: '--invalid-utf8 <what>',
      description: 'what to do with bytes that are no UTF-8. Default error.',
      choices: ['error', 'replace'],
    },
  ],
  examples: [
    'pleiad vocab corpus/ --size 8192 --out vocab/',
    'pleiad vocab wiki.jsonl.gz --cased --out vocab-cased/',
    'pleiad vocab corpus/ --bert-normalization --out vocab-bert/',
  ],

  async run(files, options, { output }) {
    const given = collectProblems({
      size: () => wholeNumber('--size', options.size, 1) ?? 8192,
      minFrequency: () => wholeNumber('--min-frequency', options.minFrequency, 0),
      alphabetLimit: () => wholeNumber('--alphabet-limit', options.alphabetLimit, 1),
      out: () => outFolder(options.out),
      encoding: () => encodingOption(options.encoding),
      casing: () => {
        if (options.cased && options.uncased)
          throw new SettingsError(['--cased and --uncased are both given; give one']);
      },
    });
    // Before anything is read: training may take long.
    refuseVocabulary(given.out, options.overwrite === true);
    const startedAt = performance.now();
    const trained = await trainVocabulary({
      inputs: files,
      out: given.out,
      size: given.size,
      minFrequency: given.minFrequency,
      alphabetLimit: given.alphabetLimit,
      cased: options.cased === true,
      stripAccents: options.stripAccents as boolean | undefined,
      preserveHangul: options.preserveHangul as boolean | undefined,
      published: options.bertNormalization === true,
      field: options.field as string | undefined,
      encoding: given.encoding,
      invalidUtf8: options.invalidUtf8 as 'error' | 'replace' | undefined,
      onProgress: (progress) => output.status(progressLine(progress)),
    });
    const { tokenizer, textBytes, distinctWords, words, unknownWords, characters, skipped } = trained;
    await saveNew(tokenizer, given.out);
    const seconds = (performance.now() - startedAt) / 1000;
    for (const line of inputLines({ ...trained, field: String(options.field ?? 'text') })) output.line(line);
    warnWhenSmall(tokenizer.vocabSize, given.size, output);
    warnOfCharacters(characters, output);
    const normalization = describeNormalization(tokenizer.settings);
    if (options.preserveHangul === false && !normalization.stripAccents) {
      output.line('--no-preserve-hangul changed nothing: only removing accents tears Hangul. Add --strip-accents.');
    }
    output.line(
      `${grouped(tokenizer.vocabSize)} tokens from ${megabytes(textBytes)} of text (${grouped(distinctWords)} different words) in ${seconds.toFixed(1)} s: ${given.out}`,
    );
    if (unknownWords > 0 && trained.warnings.length === 0) {
      output.line(
        `${grouped(unknownWords)} of ${grouped(words)} words have characters that are too rare, and become [UNK]`,
      );
    }
    const { recordsWithoutText, replacedCharacters } = trained;
    output.line(normalizationLine(normalization));
    return {
      json: {
        out: given.out,
        size: tokenizer.vocabSize,
        textBytes,
        recordsWithoutText,
        replacedCharacters,
        distinctWords,
        words,
        unknownWords,
        characters,
        normalization,
        seconds,
        tokenizerHash: tokenizer.hash(),
        skipped,
        warnings: tellWarnings(trained.warnings, output),
      },
    };
  },
};

/** @throws SettingsError when the folder is a file or holds a tokenizer; a model's is the last that one wants to lose */
function refuseVocabulary(folder: string, overwrite: boolean): void {
  if (existsSync(folder) && !statSync(folder).isDirectory()) {
    throw new SettingsError([`--out is ${folder}, which is a file; expected a folder`]);
  }
  if (overwrite || !hasTokenizer(folder)) return;
  const there = TOKENIZER_FILES.filter((name) => existsSync(join(folder, name)));
  throw new SettingsError([
    `--out ${folder} holds a vocabulary already (${there.join(', ')}); give another folder, or --overwrite to replace it`,
  ]);
}

/** Saves the vocabulary; when that fails, nothing of it is in the way of the next attempt. */
async function saveNew(tokenizer: WordPieceTokenizer, folder: string): Promise<void> {
  const isNew = !hasTokenizer(folder);
  try {
    await saveTokenizer(tokenizer, folder);
  } catch (error) {
    if (isNew) for (const name of TOKENIZER_FILES) rmSync(join(folder, name), { force: true });
    throw error;
  }
}

const TOKENIZER_FILES = ['tokenizer.json', 'vocab.txt', 'tokenizer_config.json'];

export function outFolder(word: string | boolean | undefined): string {
  if (typeof word === 'string' && word !== '') return word;
  throw new SettingsError(['--out is missing; expected the folder to write']);
}

function progressLine(progress: VocabularyProgress): string {
  return progress.stage === 'reading'
    ? `reading ${(100 * progress.fraction).toFixed(0)} %, ${megabytes(progress.textBytes)}`
    : `merging ${grouped(progress.tokens)} of ${grouped(progress.size)} tokens`;
}

/** What the tokenizer does to text, as the JSON line says it. */
function describeNormalization(settings: TokenizerSettings) {
  const stripAccents = stripsAccents(settings);
  return {
    cased: !settings.lowercase,
    stripAccents,
    preserveHangul: !(stripAccents && settings.tearHangul),
    nfc: settings.nfc,
    keepFormat: settings.keepFormat,
    cutLongWords: settings.cutLongWords,
    maxCharsPerWord: settings.maxCharsPerWord,
    asPublished: isPublishedNormalization(settings),
  };
}

function normalizationLine(said: ReturnType<typeof describeNormalization>): string {
  const parts = [
    said.cased ? 'upper case kept' : 'lower case',
    said.stripAccents ? 'accents removed' : 'accents kept',
    ...(said.preserveHangul ? [] : ['Hangul torn into jamo']),
    said.cutLongWords
      ? `words of more than ${said.maxCharsPerWord} characters cut`
      : `words of more than ${said.maxCharsPerWord} characters are [UNK]`,
  ];
  return `${parts.join(', ')}${said.asPublished ? ': as BERT was published' : ''}`;
}

/** Below this part of the text, what is left out is seldom worth a larger vocabulary. */
const ENOUGH_COVERAGE = 0.999;

function warnOfCharacters({ distinct, kept, coverage }: VocabularyCharacters, output: Output): void {
  if (coverage >= ENOUGH_COVERAGE) return;
  output.line(
    `It holds ${grouped(kept)} of ${grouped(distinct)} different characters, ${(100 * coverage).toFixed(1)} % of the text; ` +
      'words with others become [UNK]. Raise --size, or --alphabet-limit where it is given.',
  );
}

function warnWhenSmall(found: number, asked: number, output: Output): void {
  if (found < asked) {
    output.line(
      `The text gave ${grouped(found)} of ${grouped(asked)} tokens: it has no more pairs that are frequent enough.`,
    );
  }
}
