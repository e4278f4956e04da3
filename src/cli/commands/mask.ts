import { MAX_SPAN_TARGETS } from '../../data/masking/spans.js';
import type { MaskStatistics } from '../../data/masking/statistics.js';
import type { Shards } from '../../data/shards.js';
import type { TagKind, TagSpan } from '../../data/tags.js';
import { SettingsError } from '../../errors/errors.js';
import {
  maskStatistics,
  type ShowMaskOptions,
  type ShownMask,
  type ShownSpan,
  type ShownToken,
  showMask,
  textShards,
} from '../../pipelines/showMask.js';
import { maskingFields } from '../../pretraining/maskingSettings.js';
import { openTrainingShards } from '../../pretraining/pretrain.node.js';
import { pretrainingSchema, type SettingName } from '../../pretraining/settings.js';
import { kebabCase } from '../../settings/commandLine.js';
import { describeSettings, settingsFromWords } from '../../settings/describeSettings.js';
import { loadTokenizer } from '../../text/tokenizer.node.js';
import { wordVocabulary } from '../../text/wordVocabulary.js';
import { displayWidth, padToWidth } from '../columns.js';
import type { CommandDefinition, OptionDefinition, OptionValues } from '../command.js';
import { collectProblems, grouped, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { settingsOptions } from '../settingsOptions.js';
import { FILE_OPTION, readTexts, TEXT_ARGUMENT, TEXT_OPTION } from '../textInput.js';

/** The settings of pre-training that decide on masks; the scheme has a flag of its own here. */
const SETTINGS = (Object.keys(maskingFields) as SettingName[]).filter((name) => name !== 'masking');

/** Settings of masking that help shows; `--help-all` the others too. */
const COMMON = ['--mask-prob', '--geometric-p', '--max-span-length'];

export const mask: CommandDefinition = {
  name: 'mask',
  summary: 'Shows what a masking scheme does to a text, or with --stats on average to many.',
  arguments: [TEXT_ARGUMENT],
  options: [
    { flags: '--scheme <names>', description: schemeDescription() },
    {
      flags: '--tokenizer <path>',
      description: 'folder of a tokenizer or model, or a vocab.txt. Default: every word is a token.',
    },
    FILE_OPTION,
    TEXT_OPTION,
    {
      flags: '--seed <number>',
      description:
        'seed of the masks. Default: the first from 0 that shows a span with text on both sides; with --stats 0.',
    },
    { flags: '--epoch <number>', description: 'each epoch masks a text anew. Default 0.' },
    { flags: '--length <number>', description: 'tokens in a block, [CLS] and [SEP] included. Default 512.' },
    {
      flags: '--entities <ranges>',
      description: 'where the text has entities, for the scheme entity: characters start:end,start:end, end exclusive',
    },
    { flags: '--phrases <ranges>', description: 'where the text has phrases, for the scheme phrase; as --entities' },
    {
      flags: '--stats',
      group: 'Statistics',
      description: 'figures over all blocks of the text; blank lines separate documents',
    },
    {
      flags: '--data <folder>',
      group: 'Statistics',
      description: 'with --stats, the training text of prepared shards instead of a text',
    },
    {
      flags: '--epochs <number>',
      group: 'Statistics',
      description: 'with --stats, mask each block so many times. Default 1.',
    },
    ...maskingOptions(),
  ],
  examples: [
    'pleiad mask --scheme span "You are expected to know the laws of your country"',
    'pleiad mask --scheme span --stats --tokenizer vocab/ --length 128 --file book.txt',
    'pleiad mask --scheme entity --stats --data shards/',
  ],

  flagNames: { masking: '--scheme', entity: '--entities', phrase: '--phrases' },

  async run(words, options, { output }) {
    const json = options.stats ? await showStatistics(words, options, output) : await showText(words, options, output);
    if (options.tokenizer === undefined && options.data === undefined) {
      output.line();
      output.line('Every word is a token here, for no --tokenizer is given.');
    }
    return { json };
  },
};

/** Without an objective, the defaults are those of a masked language model. */
function maskingOptions(): OptionDefinition[] {
  const descriptions: Readonly<Record<string, string>> = {
    '--mask-prob': 'fraction of tokens that is masked, 0 to 1. Default 0.15.',
    '--mask-keep-prob': 'fraction of the spans that keep their tokens, 0 to 1. Default 0.1.',
    '--mask-random-prob': 'fraction of the spans that show random tokens, 0 to 1. Default 0.1.',
  };
  return settingsOptions(pretrainingSchema, SETTINGS).map((option) => {
    const [flag] = option.flags.split(' ');
    const isCommon = COMMON.includes(flag);
    return {
      ...option,
      description: descriptions[flag] ?? option.description,
      ...(!isCommon && { group: 'Further settings of masking', shownBy: 'all' }),
    };
  });
}

function schemeDescription(): string {
  const { choices = [] } = describeSettings(pretrainingSchema).find(({ name }) => name === 'masking')!;
  return `masking scheme, or several, as span,whole-word, of which one is picked for each block: ${choices.join(', ')}. Default span.`;
}

/** What both forms have in common; what is wrong with it, the library says. */
function maskingInput(options: OptionValues): ShowMaskOptions & { tags?: string } {
  const names = [...SETTINGS, 'seed', 'length'];
  const words = Object.fromEntries(names.map((name) => [name, options[name]]));
  return settingsFromWords(pretrainingSchema, {
    ...words,
    ...(options.scheme !== undefined && { masking: options.scheme }),
  });
}

async function showText(
  words: readonly string[],
  options: OptionValues,
  output: Output,
): Promise<ShownMask & { seed: number }> {
  refuse(options, ['data', 'epochs', 'tags'], 'only --stats has it');
  const { epoch, entity, phrase } = collectProblems({
    epoch: () => wholeNumber('--epoch', options.epoch, 0),
    entity: () => tagSpans('entity', '--entities', options.entities),
    phrase: () => tagSpans('phrase', '--phrases', options.phrases),
  });
  const [text] = await readTexts(words, options);
  const tokenizer = typeof options.tokenizer === 'string' ? loadTokenizer(options.tokenizer) : undefined;
  const input = { ...maskingInput(options), tokenizer, epoch, tagSpans: [...entity, ...phrase] };
  const seed = options.seed === undefined ? telltaleSeed(text, input) : Number(options.seed);
  const result = showMask(text, { ...input, ...(options.seed === undefined && { seed }) });
  for (const line of maskLines(result, output)) output.line(line);
  output.line();
  output.paragraph(NUMBERING);
  output.line();
  output.paragraph(
    options.seed === undefined
      ? `Drawn with --seed ${seed}${seed === 0 ? '' : ', the first that shows a span with text on both sides'}; every other seed is as likely.`
      : `Drawn with --seed ${seed}.`,
  );
  return { ...result, seed };
}

/** Seeds that are tried. A short text has few spans, and many of them begin or end it. */
const MOST_SEEDS = 50;

/**
 * The first seed whose mask shows what the scheme is about: a span with text on both sides, shown as [MASK], of several tokens
 * where the scheme draws such; else the first with any boundary target; else 0.
 */
function telltaleSeed(text: string, input: ShowMaskOptions): number {
  const { masking = 'span' } = input;
  const drawsSpans = /span|entity|phrase/.test(String(masking));
  let fallback: number | undefined;
  for (let seed = 0; seed < MOST_SEEDS; seed++) {
    const { spans, masked } = showMask(text, { ...input, seed });
    const isShown = ({ start, end, left, right }: ShownSpan) =>
      left !== null &&
      right !== null &&
      (end > start || !drawsSpans) &&
      masked.every(({ position, action }) => position < start || position > end || action === 'mask');
    if (spans.some(isShown)) return seed;
    if (masked.some(({ spanPosition }) => spanPosition !== undefined)) fallback ??= seed;
  }
  return fallback ?? 0;
}

async function showStatistics(
  words: readonly string[],
  options: OptionValues,
  output: Output,
): Promise<MaskStatistics> {
  refuse(options, ['epoch', 'entities', 'phrases'], '--stats has no use for it');
  if (options.data !== undefined) refuse(options, ['file', 'tokenizer'], '--data has text and tokenizer of its own');
  else refuse(options, ['tags'], 'only the shards of --data can have them');
  const epochs = wholeNumber('--epochs', options.epochs, 1);
  const input = maskingInput(options);
  const shards = await statisticsShards(words, options, input.tags);
  try {
    const statistics = maskStatistics(shards, { ...input, epochs });
    output.line(output.style(shards.source, 'bold'));
    for (const line of statisticsLines(statistics)) output.line(line);
    return statistics;
  } finally {
    shards.close();
  }
}

async function statisticsShards(words: readonly string[], options: OptionValues, tags?: string): Promise<Shards> {
  if (typeof options.data === 'string') {
    if (words.length > 0) throw new SettingsError(['a text and --data are both given; give one']);
    return openTrainingShards(options.data, { tags });
  }
  const [text] = await readTexts(words, options);
  const tokenizer = typeof options.tokenizer === 'string' ? loadTokenizer(options.tokenizer) : wordVocabulary(text);
  return textShards(text, tokenizer, typeof options.file === 'string' ? options.file : 'the text');
}

function refuse(options: OptionValues, names: readonly string[], why: string): void {
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length > 0) throw new SettingsError(given.map((name) => `--${kebabCase(name)} is given; ${why}`));
}

/** "4:9,12:20" as spans of characters. */
function tagSpans(kind: TagKind, flag: string, word: string | boolean | undefined): TagSpan[] {
  if (typeof word !== 'string') return [];
  const parts = word.split(',').map((part) => /^\s*(\d+):(\d+)\s*$/.exec(part));
  if (parts.some((part) => part === null)) {
    throw new SettingsError([`${flag} is ${JSON.stringify(word)}; expected ranges of characters such as 4:9,12:20`]);
  }
  return parts.map((part) => ({ kind, start: Number(part![1]), end: Number(part![2]) }));
}

function maskLines(result: ShownMask, output: Output): string[] {
  const { tokens, shown, spans, masked, omitted } = result;
  const text = tokens.length - 2;
  const positions = new Set(masked.map(({ position }) => position));
  const sentence = shown.map((token, position) => (positions.has(position) ? output.style(token, 'bold') : token));
  const rest = omitted > 0 ? ` (${grouped(omitted)} more have no room in a block of --length)` : '';
  return [
    sentence.join(' '),
    `${masked.length} of ${text} tokens are masked${rest}`,
    ...(masked.length === 0 && text > 0 ? [NO_WORD_FITS] : []),
    ...spans.flatMap((span) => ['', ...spanLines(span, result)]),
  ];
}

const NO_WORD_FITS =
  'Every word has more pieces than may be masked, and words are not cut here: raise --mask-prob, or give more text.';

/** Said once, under the spans. */
const NUMBERING =
  '[CLS] is x0, so x1 is the first token. The span boundary objective predicts a masked token xi from R, what the ' +
  'encoder makes of the tokens on both sides of its span, and P, the embedding of its place in the span (P1, P2, …). ' +
  'Where no text stands on one side, there is no such target; the masked LM predicts the token all the same.';

function spanLines({ start, end, left, right }: ShownSpan, { tokens, shown, masked }: ShownMask): string[] {
  const words = tokens.slice(start, end + 1).join(' ');
  const place = start === end ? `x${start}` : `x${start}..x${end}`;
  const beside = (position: number | null, special: number) =>
    position === null ? tokens[special] : `x${position} "${tokens[position]}"`;
  const width = Math.max(...tokens.slice(start, end + 1).map(displayWidth));
  const outside = [...(left === null ? [start - 1] : []), ...(right === null ? [end + 1] : [])];
  const reason =
    outside.length > 0
      ? `no boundary target: ${outside.map((position) => tokens[position]).join(' and ')} beside its span`
      : `no boundary target: beyond the first ${MAX_SPAN_TARGETS} tokens of its span`;
  const lines = masked
    .filter(({ position }) => position >= start && position <= end)
    .map((token) => {
      const name = `x${token.position}`.padEnd(`x${end}`.length);
      return `  ${name}  ${padToWidth(tokens[token.position], width)}  ${actionText(token, shown)}  ${targetText(token) ?? reason}`;
    });
  return [`span ${place} "${words}", between ${beside(left, start - 1)} and ${beside(right, end + 1)}`, ...lines];
}

function actionText({ position, action }: ShownToken, shown: readonly string[]): string {
  const texts = { mask: '[MASK]', random: `replaced by ${shown[position]}`, keep: 'kept' };
  return padToWidth(texts[action], '[MASK]'.length);
}

function targetText({ boundaryLeft, boundaryRight, spanPosition }: ShownToken): string | undefined {
  if (spanPosition === undefined) return undefined;
  return `from R${boundaryLeft}, R${boundaryRight} and P${spanPosition}`;
}

function statisticsLines(s: MaskStatistics): string[] {
  const percent = (share: number, digits = 2) => `${(100 * share).toFixed(digits)} %`;
  const rows: readonly (readonly [string, string])[] = [
    ['blocks', grouped(s.blocks)],
    ['tokens', grouped(s.tokens)],
    ['masked', percent(s.maskedFraction)],
    ['spans in a block', s.spansPerBlock.toFixed(2)],
    ['tokens in a span', s.piecesPerSpan.toFixed(2)],
    ['words in a span', s.wordsPerSpan.toFixed(2)],
    [`spans of more than ${MAX_SPAN_TARGETS} tokens`, percent(s.longSpans)],
    ['masked tokens with a boundary target', percent(s.sboShare)],
    ['anchors drawn in vain for each span', s.rejectsPerSpan.toFixed(3)],
    ['spans merged into others in a block', s.mergesPerBlock.toFixed(2)],
    [
      'shown as [MASK], as a random token, as they are',
      (['mask', 'random', 'keep'] as const).map((action) => percent(s.actions[action], 1)).join(', '),
    ],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}
