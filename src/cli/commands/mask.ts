import { MAX_SPAN_TARGETS } from '../../data/masking/spans.js';
import type { MaskStatistics } from '../../data/masking/statistics.js';
import type { Shards } from '../../data/shards.js';
import type { TagKind, TagSpan } from '../../data/tags.js';
import { SettingsError } from '../../errors.js';
import {
  maskStatistics,
  type ShowMaskOptions,
  type ShownMask,
  type ShownSpan,
  type ShownToken,
  showMask,
  textShards,
} from '../../pipelines/showMask.js';
import { loadTokenizer } from '../../text/tokenizerNode.js';
import { wordVocabulary } from '../../text/wordVocabulary.js';
import { maskingFields } from '../../training/maskingSettings.js';
import { openTrainingShards } from '../../training/pretrainNode.js';
import { describeSettings, type SettingName, settingsFromWords } from '../../training/settings.js';
import type { CommandDefinition, OptionDefinition, OptionValues } from '../command.js';
import { collectProblems, grouped, wholeNumber } from '../numbers.js';
import type { Output } from '../output.js';
import { kebabCase, settingsOptions } from '../settingsOptions.js';
import { readTexts, TEXT_ARGUMENT } from '../textInput.js';

/** The settings of pre-training that decide on masks; the scheme has a flag of its own here. */
const SETTINGS = (Object.keys(maskingFields) as SettingName[]).filter((name) => name !== 'masking');

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
    { flags: '--file <path>', description: 'read the text from a file' },
    { flags: '--seed <number>', description: 'seed of the masks. Default 0.' },
    { flags: '--epoch <number>', description: 'each epoch masks a text anew. Default 0.' },
    { flags: '--length <number>', description: 'tokens in a block, [CLS] and [SEP] included. Default 512.' },
    {
      flags: '--entities <ranges>',
      description: 'where the text has entities, for the scheme entity: characters start:end,start:end, end exclusive',
    },
    { flags: '--phrases <ranges>', description: 'where the text has phrases, for the scheme phrase; as --entities' },
    { flags: '--stats', description: 'figures over all blocks of the text; blank lines separate documents' },
    { flags: '--data <folder>', description: 'with --stats, the training text of prepared shards instead of a text' },
    { flags: '--epochs <number>', description: 'with --stats, mask each block so many times. Default 1.' },
    ...maskingOptions(),
  ],
  examples: [
    'pleiad mask --scheme span "You are expected to know the laws of your country"',
    'pleiad mask --scheme span --stats --tokenizer vocab/ --length 128 --file book.txt',
    'pleiad mask --scheme entity --stats --data shards/',
  ],

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
  return settingsOptions(SETTINGS).map((option) => ({
    ...option,
    description: descriptions[option.flags.split(' ')[0]] ?? option.description,
  }));
}

function schemeDescription(): string {
  const { choices = [] } = describeSettings().find(({ name }) => name === 'masking')!;
  return `masking scheme, or several, as span,whole-word, of which one is picked for each block: ${choices.join(', ')}. Default span.`;
}

/** What both forms have in common; what is wrong with it, the library says. */
function maskingInput(options: OptionValues): ShowMaskOptions & { tags?: string } {
  const names = [...SETTINGS, 'seed', 'length'];
  const words = Object.fromEntries(names.map((name) => [name, options[name]]));
  return settingsFromWords({ ...words, ...(options.scheme !== undefined && { masking: options.scheme }) });
}

async function showText(words: readonly string[], options: OptionValues, output: Output): Promise<ShownMask> {
  refuse(options, ['data', 'epochs', 'tags'], 'only --stats has it');
  const { epoch, entity, phrase } = collectProblems({
    epoch: () => wholeNumber('--epoch', options.epoch, 0),
    entity: () => tagSpans('entity', '--entities', options.entities),
    phrase: () => tagSpans('phrase', '--phrases', options.phrases),
  });
  const [text] = await readTexts(words, options);
  const tokenizer = typeof options.tokenizer === 'string' ? loadTokenizer(options.tokenizer) : undefined;
  const result = showMask(text, { ...maskingInput(options), tokenizer, epoch, tagSpans: [...entity, ...phrase] });
  for (const line of maskLines(result, output)) output.line(line);
  return result;
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
    ...(masked.some(({ spanPosition }) => spanPosition !== undefined) ? ['', ...NUMBERING] : []),
  ];
}

const NO_WORD_FITS =
  'Every word has more pieces than may be masked, and words are not cut here: raise --mask-prob, or give more text.';

/** Said once, under the spans. */
const NUMBERING = [
  '[CLS] is x0, so x1 is the first token. The span boundary objective predicts a masked token xi from R, what the',
  'encoder makes of the tokens on both sides of its span, and P, the embedding of its place in the span (P1, P2, …).',
];

function spanLines({ start, end, left, right }: ShownSpan, { tokens, shown, masked }: ShownMask): string[] {
  const words = tokens.slice(start, end + 1).join(' ');
  const place = start === end ? `x${start}` : `x${start}..x${end}`;
  const beside = (position: number | null, special: number) =>
    position === null ? tokens[special] : `x${position} "${tokens[position]}"`;
  const width = Math.max(...tokens.slice(start, end + 1).map((token) => token.length));
  const lines = masked
    .filter(({ position }) => position >= start && position <= end)
    .map((token) => {
      const name = `x${token.position}`.padEnd(`x${end}`.length);
      return `  ${name}  ${tokens[token.position].padEnd(width)}  ${actionText(token, shown)}  ${targetText(token)}`;
    });
  return [`span ${place} "${words}", between ${beside(left, start - 1)} and ${beside(right, end + 1)}`, ...lines];
}

function actionText({ position, action }: ShownToken, shown: readonly string[]): string {
  const texts = { mask: '[MASK]', random: `replaced by ${shown[position]}`, keep: 'kept' };
  return texts[action].padEnd('[MASK]'.length);
}

function targetText({ boundaryLeft, boundaryRight, spanPosition }: ShownToken): string {
  if (spanPosition === undefined) return 'no boundary target';
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
