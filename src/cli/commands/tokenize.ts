import { SettingsError } from '../../errors/errors.js';
import { locateTokenizer } from '../../pretrained/locateTokenizer.node.js';
import type { WordPieceTokenizer } from '../../text/tokenizer.js';
import { loadTokenizer } from '../../text/tokenizer.node.js';
import { type Column, tableLines } from '../columns.js';
import type { CommandDefinition, OptionValues } from '../command.js';
import { LOADING_OPTIONS, loadingOptions } from '../modelOption.js';
import { grouped } from '../numbers.js';
import type { Output } from '../output.js';
import { readTexts, TEXT_ARGUMENT, TEXT_OPTIONS } from '../textInput.js';

export const tokenize: CommandDefinition = {
  name: 'tokenize',
  summary: 'Shows the tokens of a text: their ids, and which characters of the text each stands for.',
  arguments: [TEXT_ARGUMENT],
  options: [
    ...LOADING_OPTIONS,
    {
      flags: '--tokenizer <place>',
      description: 'instead of --model: a folder of a tokenizer, its tokenizer.json or vocab.txt, or a name on the hub',
    },
    { flags: '--pair <text>', description: 'a second text, such as the context of a question' },
    { flags: '--no-special-tokens', description: 'the tokens of the text alone, without [CLS] and [SEP]' },
    ...TEXT_OPTIONS,
  ],
  examples: [
    'pleiad tokenize --model run/ "the chef cooked the meal"',
    'pleiad tokenize --tokenizer google/electra-small-discriminator --json < text.txt',
  ],

  async run(words, options, { output }) {
    const place = tokenizerPlace(options);
    const loading = loadingOptions(options, output);
    const texts = await readTexts(words, options);
    const tokenizer = loadTokenizer(await locateTokenizer(place, loading), loading);
    const pair = typeof options.pair === 'string' ? options.pair : undefined;
    const addSpecialTokens = options.specialTokens !== false;
    const results = texts.map((text) => ({
      text,
      ...(pair !== undefined && { pair }),
      tokens: shownTokens(tokenizer, text, { pair, addSpecialTokens }),
    }));
    results.forEach(({ tokens }, i) => {
      if (i > 0) output.line();
      showTokens(tokens, tokenizer, output);
    });
    return { json: options.lines ? { texts: results } : results[0] };
  },
};

function tokenizerPlace({ model, tokenizer }: OptionValues): string {
  const given = [model, tokenizer].filter((place) => typeof place === 'string' && place !== '');
  if (given.length === 1) return given[0] as string;
  throw new SettingsError([
    given.length > 1
      ? '--model and --tokenizer are both given; give one'
      : '--model is missing; expected a run folder, a model folder or a name on the hub, or --tokenizer with a tokenizer',
  ]);
}

/** A token as the command shows it. */
interface ShownToken {
  readonly token: string;
  readonly id: number;
  /** Characters of the text, or of its pair, that it stands for, in UTF-16 units; 0 and 0 of one that was added. */
  readonly start: number;
  readonly end: number;
  /** 0 in the text, 1 in the pair, -1 added around them. */
  readonly sequence: number;
}

function shownTokens(
  tokenizer: WordPieceTokenizer,
  text: string,
  options: { pair?: string; addSpecialTokens: boolean },
): ShownToken[] {
  const { ids, offsets, sequenceIds, tokens } = tokenizer.encode(text, options);
  return tokens.map((token, i) => {
    const [start, end] = [offsets[2 * i], offsets[2 * i + 1]];
    return { token, id: ids[i], start, end, sequence: sequenceIds[i] };
  });
}

const COLUMNS: readonly Column[] = [
  { title: 'token' },
  { title: 'id', align: 'right' },
  { title: 'start', align: 'right' },
  { title: 'end', align: 'right' },
];

function showTokens(tokens: readonly ShownToken[], tokenizer: WordPieceTokenizer, output: Output): void {
  const rows = tokens.map(({ token, id, start, end, sequence }) => {
    const place = sequence < 0 ? ['', ''] : [`${start}`, `${end}`];
    return [visible(token), `${id}`, ...place];
  });
  const [titles, ...lines] = tableLines(COLUMNS, rows);
  output.line(output.style(titles, 'bold'));
  for (const line of lines) output.line(line);
  const unknown = tokens.filter(({ id }) => id === tokenizer.unkId).length;
  const unk = tokenizer.settings.specialTokens.unk;
  output.line(`${countOf(tokens.length, 'token')}${unknown > 0 ? `, ${grouped(unknown)} of them ${unk}` : ''}`);
}

function countOf(count: number, name: string): string {
  return `${grouped(count)} ${name}${count === 1 ? '' : 's'}`;
}

/** Tokens of line breaks and other blanks, which users add, in the spelling of JSON. */
function visible(token: string): string {
  return /[\p{Cc}\p{Zl}\p{Zp}]|^\s|\s$/u.test(token) ? JSON.stringify(token) : token;
}
