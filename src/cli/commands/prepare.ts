import { mergeParts } from '../../data/prepare/parts.node.js';
import { type PrepareResult, prepareCorpus } from '../../data/prepare/prepareCorpus.node.js';
import type { PrepareProgress } from '../../data/prepare/progress.js';
import { TAG_OFFSETS, type TagOffsets } from '../../data/prepare/recordTags.js';
import { type Part, parsePart } from '../../data/prepare/slices.node.js';
import { SettingsError } from '../../errors/errors.js';
import { locateTokenizer } from '../../pretrained/locateTokenizer.node.js';
import { kebabCase } from '../../settings/commandLine.js';
import { type CommandDefinition, type CommandResult, EXIT, type OptionValues } from '../command.js';
import { ENCODING_OPTION, encodingOption, FIELD_OPTION, inputLines } from '../corpusOptions.js';
import { listenForInterrupts } from '../interrupts.js';
import { CASING_OPTIONS, loadingOptions, REVISION_OPTION } from '../modelOption.js';
import { collectProblems, duration, fractionBelowOne, grouped, megabytes, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { tellWarnings } from '../unknownWarning.js';
import { outFolder } from './vocab.js';

/** Between two plain lines of progress, where there is no terminal. */
const LINE_INTERVAL_MS = 10_000;

export const prepare: CommandDefinition = {
  name: 'prepare',
  summary:
    'Turns text into token shards, with a held-out split. Running it again does nothing; interrupted, it continues.',
  arguments: [
    {
      name: '[files...]',
      description: 'plain text, JSON Lines, JSON, CSV, TSV, any of them gzipped, Parquet; or folders of these',
    },
  ],
  options: [
    {
      flags: '--tokenizer <model>',
      description: 'folder of the tokenizer, or of a model or run with its tokenizer, or a name on the hub',
    },
    REVISION_OPTION,
    ...CASING_OPTIONS,
    { flags: '--out <folder>', description: 'folder to write' },
    { flags: '--workers <number>', description: 'threads that tokenize. Default: one a core.' },
    {
      flags: '--part <i/n>',
      description:
        'prepare part i of n only, into a folder of its own in --out; the same command with another i on each machine',
    },
    { flags: '--merge', description: 'make one prepared folder of all parts in --out; takes nothing but --out' },
    {
      flags: '--held-out-fraction <fraction>',
      description:
        'part of the text that is held out, 0 to below 1, by a hash of documents or 16k sections of long ones. Default 0.01.',
    },
    {
      flags: '--document-per <unit>',
      description: 'what separates documents in plain text. Default blankLine.',
      choices: ['blankLine', 'line', 'file'],
    },
    FIELD_OPTION,
    ENCODING_OPTION,
    { flags: '--shard-tokens <number>', description: 'tokens after which a shard is written. Default 1048576.' },
    {
      flags: '--tags <unit>',
      description:
        'keep entities and phrases for masking: JSONL records hold "entities" and "phrases", lists of [start, end], counted in UTF-16 units (JavaScript) or code points (Python). Default: none are read.',
      choices: TAG_OFFSETS,
    },
    {
      flags: '--invalid-utf8 <what>',
      description: 'what to do with bytes that are no UTF-8. Default error.',
      choices: ['error', 'replace'],
    },
  ],
  examples: [
    'pleiad prepare corpus/ --tokenizer vocab/ --out shards/',
    'pleiad prepare corpus/ --tokenizer google/electra-small-discriminator --out shards/',
    'pleiad prepare corpus/ --tokenizer vocab/ --out shards/ --part 2/8     on the second of eight machines',
    'pleiad prepare --merge --out shards/                                   when all eight are done',
  ],

  async run(files, options, { output }) {
    if (options.merge) return merge(files, options, output);
    const given = collectProblems({
      files: () => {
        if (files.length === 0) throw new SettingsError(['no files are given; expected text to prepare']);
      },
      part: () => (options.part === undefined ? undefined : partOf(options.part)),
      out: () => outFolder(options.out),
      encoding: () => encodingOption(options.encoding),
      tokenizer: () => tokenizerWord(options.tokenizer),
      loading: () => loadingOptions(options, output),
      workers: () => wholeNumber('--workers', options.workers, 0),
      shardTokens: () => wholeNumber('--shard-tokens', options.shardTokens, 1),
      heldOutFraction: () => fractionBelowOne('--held-out-fraction', options.heldOutFraction),
    });
    let shownAt = performance.now();
    const onProgress = (progress: PrepareProgress) => {
      if (output.isLive) return output.status(progressLine(progress));
      if (performance.now() - shownAt < LINE_INTERVAL_MS) return;
      shownAt = performance.now();
      output.line(progressLine(progress));
    };
    const interrupts = listenForInterrupts(() => output.line('interrupted: keeping the shards that are complete'));
    try {
      const { tokenizer, loading, ...rest } = given;
      const { out, part } = rest;
      const { lowercase, ...fetching } = loading;
      const result = await prepareCorpus({
        inputs: files,
        ...rest,
        tokenizerDir: await locateTokenizer(tokenizer, { ...fetching, signal: interrupts.signal }),
        lowercase,
        documentPer: options.documentPer as 'blankLine' | 'line' | 'file' | undefined,
        field: options.field as string | undefined,
        tags: options.tags as TagOffsets | undefined,
        invalidUtf8: options.invalidUtf8 as 'error' | 'replace' | undefined,
        onProgress,
        signal: interrupts.signal,
      });
      const { status, elapsedMs, manifest, skipped, warnings } = result;
      for (const line of inputLines({ ...manifest, skipped, field: manifest.identity.field })) output.line(line);
      tellWarnings(warnings, output);
      output.line(`${status}: ${summary(manifest)}; ${duration(elapsedMs)}: ${result.out}`);
      if (part) output.line(`when all ${part.count} parts are there: pleiad prepare --merge --out ${out}`);
      return {
        json: {
          out: result.out,
          status,
          ...(part && { part: options.part }),
          ...counts(manifest),
          seconds: elapsedMs / 1000,
          skipped,
          warnings,
        },
      };
    } catch (error) {
      if (!interrupts.signal.aborted) throw error;
      return { json: { out: given.out, status: 'interrupted' }, exitCode: EXIT.interrupted };
    } finally {
      interrupts.stop();
    }
  },
};

function tokenizerWord(word: string | boolean | undefined): string {
  if (typeof word === 'string' && word !== '') return word;
  throw new SettingsError([
    '--tokenizer is missing; expected the folder that `pleiad vocab` wrote, or a model folder or name',
  ]);
}

function partOf(word: string | boolean): Part {
  try {
    return parsePart(String(word));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError(error.problems.map((problem) => `--${problem}`));
  }
}

async function merge(files: readonly string[], options: OptionValues, output: Output): Promise<CommandResult> {
  const others = Object.keys(options).filter((name) => !['merge', 'out', 'json', 'verbose'].includes(name));
  const given = collectProblems({
    out: () => outFolder(options.out),
    nothingElse: () => {
      const much = [...(files.length > 0 ? ['files'] : []), ...others.map((name) => `--${kebabCase(name)}`)];
      if (much.length > 0) throw new SettingsError([`--merge takes nothing but --out; given too: ${much.join(', ')}`]);
    },
  });
  const { out, status, parts, manifest } = await mergeParts(given.out);
  output.line(`${status}: ${parts} parts, ${summary(manifest)}: ${out}`);
  return { json: { out, status, parts, ...counts(manifest) } };
}

type Manifest = PrepareResult['manifest'];

function summary({ textBytes, train, heldOut }: Manifest): string {
  return `${megabytes(textBytes)} of text; ${splitLine('training', train)}; ${splitLine('held out', heldOut)}`;
}

function counts({ textBytes, recordsWithoutText = 0, replacedCharacters = 0, train, heldOut }: Manifest) {
  const count = ({ documents, tokens, shards }: Manifest['train']) => ({ documents, tokens, shards: shards.length });
  return { textBytes, recordsWithoutText, replacedCharacters, train: count(train), heldOut: count(heldOut) };
}

function splitLine(name: string, { documents, tokens }: { documents: number; tokens: number }): string {
  return `${name} ${grouped(documents)} documents, ${grouped(tokens)} tokens`;
}

function progressLine({ fraction, textBytes, megabytesPerSecond, remainingMs }: PrepareProgress): string {
  const rest = remainingMs === undefined ? '' : `, ${duration(remainingMs)} left`;
  return `${(100 * fraction).toFixed(0)} %, ${megabytes(textBytes)}, ${megabytesPerSecond.toFixed(1)} MB/s${rest}`;
}
