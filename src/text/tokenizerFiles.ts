import { type TokenEntry, tokenizerJsonEntries } from './addedTokenFiles.js';
import type { AddedToken } from './addedTokens.js';
import { IDEOGRAPH, REMOVED_CAREFULLY, SPACES_CAREFULLY } from './characters.js';
import { check, type Json, list, record, tokenText, unsupported } from './jsonChecks.js';
import {
  isPublishedNormalization,
  type NormalizationSettings,
  PUBLISHED_NORMALIZATION,
  stripsAccents,
} from './normalization.js';
import {
  addedTokensOf,
  additionalSpecialTokensOf,
  type SpecialTokens,
  type TokenizerOptions,
  type TokenizerSettings,
} from './tokenizerSettings.js';
import { CONTINUATION_PREFIX } from './wordpiece.js';
import { wordPart } from './words.js';

const replace = (regex: string, content: string): Json => ({ type: 'Replace', pattern: { Regex: regex }, content });
/** A character class that Oniguruma reads too, which does not know `\\u{…}`. */
const characterClass = (source: string): string =>
  `[${source.replace(/\\u\{(\w+)\}/g, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)))}]`;

const REMOVE_NONSPACING_MARKS = replace('\\p{Mn}', '');
/** Takes the place of BertNormalizer's cleaning. */
const CLEAN_CAREFULLY = [
  replace(characterClass(REMOVED_CAREFULLY), ''),
  replace(characterClass(SPACES_CAREFULLY), ' '),
];
/** transformers.js lower-cases whole texts, which makes Σ at a word's end ς; all others go letter by letter. */
const LOWER_SIGMA = replace('Σ', 'σ');
/** transformers.js sets apart only ideographs of the basic plane. */
const SET_IDEOGRAPHS_APART = {
  type: 'Split',
  pattern: { Regex: characterClass(IDEOGRAPH) },
  behavior: 'Isolated',
  invert: false,
};

/** Writes the tokenizers package's `tokenizer.json`. */
export function tokenizerJson(tokens: readonly string[], settings: TokenizerSettings): Json {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const pieces = tokens.slice(0, settings.wordPieceSize).map((token, id) => [token, id]);
  const { cls, sep, unk } = settings.specialTokens;
  const frame = ids.has(cls) && ids.has(sep);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokensById(tokens, settings).map(([id, token]) => ({ id, ...token })),
    normalizer: normalizerJson(settings),
    pre_tokenizer: preTokenizerJson(settings),
    post_processor: frame ? templateProcessing(cls, ids.get(cls)!, sep, ids.get(sep)!) : null,
    decoder: { type: 'WordPiece', prefix: CONTINUATION_PREFIX, cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: unk,
      continuing_subword_prefix: CONTINUATION_PREFIX,
      max_input_chars_per_word: settings.maxCharsPerWord,
      vocab: Object.fromEntries(pieces),
    },
  };
}

function addedTokensById(tokens: readonly string[], settings: TokenizerSettings): [id: number, token: Json][] {
  const byContent = new Map(addedTokensOf(settings).map((token) => [token.content, token]));
  return tokens.flatMap((content, id) => {
    const token = byContent.get(content);
    return token ? [[id, addedTokenJson(token)]] : [];
  });
}

function addedTokenJson({ content, singleWord, lstrip, rstrip, normalized, special }: AddedToken): Json {
  return { content, single_word: singleWord, lstrip, rstrip, normalized, special };
}

/**
 * BertNormalizer, and around it what it cannot say: NFC goes before it, careful cleaning takes the place of its own, and
 * keeping Hangul whole means removing accents in steps, with NFC after them.
 */
function normalizerJson(settings: NormalizationSettings): Json {
  const composesAgain = stripsAccents(settings) && !settings.tearHangul;
  const cleansCarefully = settings.cleanText && settings.keepFormat;
  const bert = {
    type: 'BertNormalizer',
    clean_text: settings.cleanText && !cleansCarefully,
    handle_chinese_chars: settings.handleChineseChars,
    strip_accents: composesAgain ? false : stripsAccents(settings),
    lowercase: composesAgain ? false : settings.lowercase,
  };
  const steps = [
    ...(settings.nfc ? [{ type: 'NFC' }] : []),
    ...(cleansCarefully ? CLEAN_CAREFULLY : []),
    ...(settings.lowercase ? [LOWER_SIGMA] : []),
    bert,
    ...(composesAgain ? [{ type: 'NFD' }, REMOVE_NONSPACING_MARKS, { type: 'NFC' }] : []),
    ...(composesAgain && settings.lowercase ? [{ type: 'Lowercase' }] : []),
  ];
  return steps.length === 1 ? bert : { type: 'Sequence', normalizers: steps };
}

/** BertPreTokenizer, and around it what it does not do: ideographs for transformers.js, and cutting long words. */
function preTokenizerJson(settings: NormalizationSettings & { maxCharsPerWord: number }): Json {
  const cutLongWords = {
    type: 'Split',
    pattern: { Regex: wordPart(settings.maxCharsPerWord) },
    behavior: 'Isolated',
    invert: false,
  };
  const steps: Json[] = [
    ...(settings.handleChineseChars ? [SET_IDEOGRAPHS_APART] : []),
    { type: 'BertPreTokenizer' },
    ...(settings.cutLongWords ? [cutLongWords] : []),
  ];
  return steps.length === 1 ? steps[0] : { type: 'Sequence', pretokenizers: steps };
}

function templateProcessing(cls: string, clsId: number, sep: string, sepId: number): Json {
  const special = (id: string, type_id: number) => ({ SpecialToken: { id, type_id } });
  const sequence = (id: string, type_id: number) => ({ Sequence: { id, type_id } });
  const single = [special(cls, 0), sequence('A', 0), special(sep, 0)];
  return {
    type: 'TemplateProcessing',
    single,
    pair: [...single, sequence('B', 1), special(sep, 1)],
    special_tokens: {
      [cls]: { id: cls, ids: [clsId], tokens: [cls] },
      [sep]: { id: sep, ids: [sepId], tokens: [sep] },
    },
  };
}

/** Names of tokenizer classes in transformers. */
export type TokenizerClass = 'BertTokenizer' | 'ElectraTokenizer' | 'ConvBertTokenizer' | 'PreTrainedTokenizerFast';

/** What `tokenizer_config.json` says beside the tokenizer's own settings. */
export interface TokenizerConfigOptions {
  /** Longest input in tokens. Default 512. */
  modelMaxLength?: number;
  /** Of the model that the tokenizer is for. Default 'electra'. */
  modelType?: 'electra' | 'bert';
  /**
   * transformers.js is to give segment ids. It does so only for classes of some names, and reads `tokenizer.json` for all of
   * them. Default false.
   */
  segmentIds?: boolean;
  /** Default: that of `tokenizerClassFor`. */
  tokenizerClass?: TokenizerClass;
}

/** Writes `tokenizer_config.json` for transformers; what it has no field for goes under "pleiad". */
export function tokenizerConfig(
  tokens: readonly string[],
  settings: TokenizerSettings,
  {
    modelMaxLength = 512,
    modelType = 'electra',
    segmentIds = false,
    tokenizerClass = tokenizerClassFor(settings, modelType, segmentIds),
  }: TokenizerConfigOptions = {},
): Json {
  const { pad, unk, cls, sep, mask } = settings.specialTokens;
  return {
    tokenizer_class: tokenizerClass,
    do_lower_case: settings.lowercase,
    strip_accents: stripsAccents(settings),
    tokenize_chinese_chars: settings.handleChineseChars,
    model_max_length: modelMaxLength,
    model_input_names: ['input_ids', 'token_type_ids', 'attention_mask'],
    pad_token: pad,
    unk_token: unk,
    cls_token: cls,
    sep_token: sep,
    mask_token: mask,
    ...addedTokenFields(tokens, settings),
    pleiad: {
      nfc: settings.nfc,
      clean_text: settings.cleanText,
      keep_format: settings.keepFormat,
      tear_hangul: settings.tearHangul,
      cut_long_words: settings.cutLongWords,
      max_chars_per_word: settings.maxCharsPerWord,
    },
  };
}

/** What `vocab.txt` and the names of the special tokens leave open; with the decoder, all of them must be in it. */
function addedTokenFields(tokens: readonly string[], settings: TokenizerSettings): Json {
  const { addedTokens, wordPieceSize = tokens.length } = settings;
  const additional = additionalSpecialTokensOf(settings);
  const isDecoderNeeded = addedTokens.length > 0 || wordPieceSize < tokens.length;
  return {
    ...(additional.length > 0 && { additional_special_tokens: additional }),
    ...(isDecoderNeeded && { added_tokens_decoder: Object.fromEntries(addedTokensById(tokens, settings)) }),
  };
}

/**
 * The class with which transformers gives the tokenizer's ids. `ElectraTokenizer` and `BertTokenizer` build BERT's published
 * normalisation from flags (transformers 5) and do not read that of `tokenizer.json`, so they are only for tokenizers that
 * have it. `PreTrainedTokenizerFast` reads the file. For transformers.js, which gives no segment ids with that one, there is
 * `ConvBertTokenizer`: the only name that has them there and in Python leaves the file as it is (transformers 4 and 5).
 */
function tokenizerClassFor(
  settings: TokenizerSettings,
  modelType: 'electra' | 'bert',
  segmentIds: boolean,
): TokenizerClass {
  if (!isPublishedNormalization(settings) || settings.maxCharsPerWord !== 100) {
    return segmentIds ? 'ConvBertTokenizer' : 'PreTrainedTokenizerFast';
  }
  return modelType === 'bert' ? 'BertTokenizer' : 'ElectraTokenizer';
}

/**
 * Settings from a parsed `tokenizer_config.json`, to read a `vocab.txt` with; what it does not say is left out. Without our
 * "pleiad" entry the folder was published by others, so their normalisation applies (no NFC first, uncased tears Hangul).
 * @throws DataError when a field has the wrong type, or asks for what our tokenizer does not do
 */
export function settingsFromTokenizerConfig(json: unknown): TokenizerOptions {
  const config = record(json, 'tokenizer_config.json');
  const ours = config.pleiad === undefined ? {} : record(config.pleiad, 'tokenizer_config.json: pleiad');
  const flag = (from: Json, name: string): boolean | undefined => {
    const value = from[name] ?? undefined;
    const isFlag = value === undefined || typeof value === 'boolean';
    return check(value, isFlag, `tokenizer_config.json: ${name}`, 'true or false') as boolean | undefined;
  };
  const neverSplit = config.never_split ?? [];
  check(neverSplit, Array.isArray(neverSplit) && neverSplit.length === 0, 'tokenizer_config.json: never_split', 'none');
  check(false, flag(config, 'do_basic_tokenize') !== false, 'tokenizer_config.json: do_basic_tokenize', 'true');
  const maxChars = ours.max_chars_per_word;
  return {
    lowercase: flag(config, 'do_lower_case'),
    stripAccents: flag(config, 'strip_accents'),
    handleChineseChars: flag(config, 'tokenize_chinese_chars'),
    nfc: flag(ours, 'nfc') ?? PUBLISHED_NORMALIZATION.nfc,
    cleanText: flag(ours, 'clean_text') ?? PUBLISHED_NORMALIZATION.cleanText,
    keepFormat: flag(ours, 'keep_format') ?? PUBLISHED_NORMALIZATION.keepFormat,
    tearHangul: flag(ours, 'tear_hangul') ?? PUBLISHED_NORMALIZATION.tearHangul,
    cutLongWords: flag(ours, 'cut_long_words') ?? PUBLISHED_NORMALIZATION.cutLongWords,
    ...(typeof maxChars === 'number' ? { maxCharsPerWord: maxChars } : {}),
    ...specialTokensFromJson(config, 'tokenizer_config.json'),
  };
}

/**
 * Special tokens by name, of a parsed `tokenizer_config.json` or `special_tokens_map.json`.
 * @param source  file name for messages
 */
export function specialTokensFromJson(
  json: unknown,
  source: string,
): { specialTokens: Partial<SpecialTokens>; additionalSpecialTokens: string[] } {
  const fields = record(json, source);
  const special: Partial<SpecialTokens> = {};
  for (const name of ['pad', 'unk', 'cls', 'sep', 'mask'] as const) {
    const token = fields[`${name}_token`];
    if (token !== undefined && token !== null) special[name] = tokenText(token, `${source}: ${name}_token`);
  }
  const subject = `${source}: additional_special_tokens`;
  const additional = list(fields.additional_special_tokens ?? [], subject).map((token) => tokenText(token, subject));
  return { specialTokens: special, additionalSpecialTokens: additional };
}

/**
 * The longest input by `tokenizer_config.json`; undefined when it does not say. transformers writes int(1e30) where it was
 * unknown, which is no length.
 * @throws DataError for what is no number of tokens
 */
export function maxLengthFromTokenizerConfig(json: unknown): number | undefined {
  const length = record(json, 'tokenizer_config.json').model_max_length ?? undefined;
  if (length === undefined) return undefined;
  const isCount = typeof length === 'number' && Number.isInteger(length) && length >= 1;
  check(length, isCount, 'tokenizer_config.json: model_max_length', 'a number of tokens');
  return (length as number) < NO_LENGTH ? (length as number) : undefined;
}

/** No model has so many positions. */
const NO_LENGTH = 1e9;

/** Reads `vocab.txt`: one token a line, the line number being the id; an empty line takes an id as well. */
export function tokensFromVocabText(text: string): string[] {
  const lines = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

/** A vocabulary as a file holds it. */
export interface FileVocabulary {
  /** Those of WordPiece. */
  readonly tokens: readonly string[];
  /** But for the added tokens. */
  readonly settings: TokenizerOptions;
  readonly entries: readonly TokenEntry[];
}

/** Vocabulary and settings from a parsed `tokenizer.json`; see WordPieceTokenizer.fromTokenizerJson. */
export function vocabularyFromTokenizerJson(json: unknown): FileVocabulary {
  const root = record(json, 'tokenizer.json');
  const model = record(root.model, 'tokenizer.json: model');
  // Files written before 2020 name no type; a vocabulary with a continuation prefix is WordPiece.
  const isWordPiece = model.type === 'WordPiece' || (model.type === undefined && 'continuing_subword_prefix' in model);
  check(model.type, isWordPiece, 'tokenizer.json: model.type', 'WordPiece');
  const prefix = model.continuing_subword_prefix;
  check(prefix, prefix === CONTINUATION_PREFIX, 'tokenizer.json: model.continuing_subword_prefix', CONTINUATION_PREFIX);
  const unk = check(
    model.unk_token,
    typeof model.unk_token === 'string',
    'tokenizer.json: model.unk_token',
    'text',
  ) as string;
  const maxChars = model.max_input_chars_per_word ?? 100;
  const maxCharsPerWord = check(
    maxChars,
    typeof maxChars === 'number',
    'tokenizer.json: max_input_chars_per_word',
    'a number',
  ) as number;
  const tokens = vocabularyInOrder(record(model.vocab, 'tokenizer.json: model.vocab'));
  const frame = frameTokens(root.post_processor);
  const named = { pad: padToken(root.padding), unk, ...frame };
  const special: Partial<SpecialTokens> = Object.fromEntries(Object.entries(named).filter(([, token]) => token));
  return {
    tokens,
    settings: {
      ...wordRulesFromJson(root, maxCharsPerWord),
      maxCharsPerWord,
      specialTokens: special,
    },
    entries: tokenizerJsonEntries(root.added_tokens),
  };
}

function padToken(padding: unknown): string | undefined {
  const token = typeof padding === 'object' && padding !== null ? (padding as Json).pad_token : undefined;
  return typeof token === 'string' ? token : undefined;
}

/** Ids that no token has, as a vocab.txt with empty or repeated lines leaves them, are the empty text. */
function vocabularyInOrder(vocab: Json): string[] {
  const entries = Object.entries(vocab);
  const tokens: string[] = [];
  for (const [token, id] of entries) {
    // More such ids than tokens are no such lines.
    const isFree = Number.isInteger(id) && tokens[id as number] === undefined && (id as number) < 2 * entries.length;
    const expected = `an id from 0 to ${2 * entries.length - 1} that no other token has`;
    check(id, isFree && (id as number) >= 0, `tokenizer.json: model.vocab[${JSON.stringify(token)}]`, expected);
    tokens[id as number] = token;
  }
  return Array.from(tokens, (token) => token ?? '');
}

/** What the normalizer and the pre-tokenizer do. */
function wordRulesFromJson(root: Json, maxCharsPerWord: number): NormalizationSettings {
  const settings = normalizationFromJson(root.normalizer);
  const json = record(root.pre_tokenizer, 'tokenizer.json: pre_tokenizer');
  const isOurs = (cutLongWords: boolean) =>
    sameJson(json, preTokenizerJson({ ...settings, cutLongWords, maxCharsPerWord }));
  const cutLongWords = isOurs(true);
  if (cutLongWords || isOurs(false) || json.type === 'BertPreTokenizer') return { ...settings, cutLongWords };
  return unsupported(
    'tokenizer.json: pre_tokenizer.type',
    json.type,
    'BertPreTokenizer, or what toTokenizerJson() writes',
  );
}

function normalizationFromJson(json: unknown): NormalizationSettings {
  const normalizer = record(json, 'tokenizer.json: normalizer');
  const given = normalizer.type === 'Sequence' ? list(normalizer.normalizers, 'tokenizer.json: normalizers') : [json];
  // Files of others, and our older ones, have no step for Σ.
  const steps = withoutSigma(given.map((step) => record(step, 'tokenizer.json: normalizer')));
  const bert = steps.find(({ type }) => type === 'BertNormalizer');
  const types = steps.map((step) => step.type).join(', ');
  if (!bert) unsupported('tokenizer.json: normalizer', types, 'BertNormalizer');
  const lowercase = bert.lowercase === true || types.endsWith('Lowercase');
  const composesAgain = types.includes('NFD');
  const keepFormat = steps.some((step) => sameJson(step, CLEAN_CAREFULLY[0]));
  const settings: NormalizationSettings = {
    nfc: steps[0].type === 'NFC',
    cleanText: keepFormat || bert.clean_text !== false,
    keepFormat,
    handleChineseChars: bert.handle_chinese_chars !== false,
    lowercase,
    stripAccents: composesAgain ? true : ((bert.strip_accents as boolean | null | undefined) ?? undefined),
    tearHangul: !composesAgain,
    cutLongWords: false,
  };
  // Whatever we would not write ourselves for these settings does something else than we would.
  const ours = normalizerJson(settings);
  const ourSteps = withoutSigma(ours.type === 'Sequence' ? (ours.normalizers as Json[]) : [ours]);
  const same =
    ourSteps.length === steps.length &&
    ourSteps.every((step, i) => step.type === 'BertNormalizer' || sameJson(step, steps[i])) &&
    !(keepFormat && bert.clean_text !== false);
  if (!same) unsupported('tokenizer.json: normalizer', types, 'BertNormalizer, or what toTokenizerJson() writes');
  return settings;
}

const withoutSigma = (steps: readonly Json[]): Json[] => steps.filter((step) => !sameJson(step, LOWER_SIGMA));

/** [CLS] and [SEP] of the post-processor. */
function frameTokens(json: unknown): { cls: string; sep: string } {
  const processor = record(json, 'tokenizer.json: post_processor');
  if (processor.type === 'BertProcessing') {
    const [[sep], [cls]] = [processor.sep, processor.cls] as [[string, number], [string, number]];
    return { cls, sep };
  }
  const single =
    processor.type === 'TemplateProcessing' ? list(processor.single, 'tokenizer.json: post_processor.single') : [];
  const name = (part: unknown) => ((part as Json)?.SpecialToken as Json | undefined)?.id;
  const [cls, sep] = [name(single[0]), name(single[2])];
  if (typeof cls === 'string' && typeof sep === 'string') {
    const ours = templateProcessing(cls, 0, sep, 0);
    if (sameJson(ours.single, processor.single) && sameJson(ours.pair, processor.pair)) return { cls, sep };
  }
  return unsupported(
    'tokenizer.json: post_processor',
    processor.type,
    '[CLS] A [SEP] and [CLS] A [SEP] B [SEP] with types 0 and 1',
  );
}

/** Equality of parsed JSON, whatever the order of the keys. */
function sameJson(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => sameJson((a as Json)[key], (b as Json)[key]));
}
