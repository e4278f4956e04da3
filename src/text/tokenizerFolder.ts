/** A tokenizer from the files that model folders hold, each of which may be absent. */
import { DataError } from '../errors/errors.js';
import {
  addedTokenSettings,
  addedTokensJsonEntries,
  decoderEntries,
  namedEntries,
  resolveAddedTokens,
  withoutBlankEnd,
} from './addedTokenFiles.js';
import { casingOfVocabulary, checkCasing } from './casing.js';
import { PUBLISHED_NORMALIZATION } from './normalization.js';
import { WordPieceTokenizer } from './tokenizer.js';
import {
  type FileVocabulary,
  maxLengthFromTokenizerConfig,
  settingsFromTokenizerConfig,
  specialTokensFromJson,
  tokensFromVocabText,
  vocabularyFromTokenizerJson,
} from './tokenizerFiles.js';
import { DEFAULT_SPECIAL_TOKENS, type TokenizerOptions } from './tokenizerSettings.js';

/** Contents of a tokenizer's files; JSON parsed. */
export interface TokenizerFiles {
  /** `tokenizer.json`; goes before `vocab.txt`. */
  readonly tokenizerJson?: unknown;
  /** `vocab.txt` */
  readonly vocabText?: string;
  /** `tokenizer_config.json` */
  readonly tokenizerConfig?: unknown;
  /** `special_tokens_map.json` */
  readonly specialTokensMap?: unknown;
  /** `added_tokens.json` */
  readonly addedTokens?: unknown;
}

/** What a caller knows better than the files. */
export interface TokenizerOverrides {
  /** Lower-case, and remove accents unless the files or the vocabulary keep them; or keep both. Not questioned. */
  readonly lowercase?: boolean;
}

/** Classes of transformers whose `tokenizer_config.json` describes BERT's normalisation and WordPiece. */
const WORDPIECE_CLASS =
  /^(Bert|Electra|DistilBert|MobileBert|ConvBert|PreTrained)Tokenizer(Fast)?$|^TokenizersBackend$/;
/** Those that read `tokenizer.json` alone; the others build the normalisation from their own flags. */
const JSON_CLASS = /^(PreTrainedTokenizerFast|ConvBertTokenizer(Fast)?|TokenizersBackend)$/;

/**
 * Builds a tokenizer. Where files disagree, the one that transformers (5.23) goes by counts: the flags of
 * `tokenizer_config.json` before `tokenizer.json`, names in `special_tokens_map.json` before both. Where none says the
 * casing, the vocabulary does; transformers would lower-case.
 * @param source  folder, for messages
 * @throws DataError for files that are damaged, of another kind of tokenizer, or of another casing than the vocabulary
 */
export function tokenizerFromFiles(
  files: TokenizerFiles,
  source: string,
  overrides: TokenizerOverrides = {},
): WordPieceTokenizer {
  const config = files.tokenizerConfig ?? {};
  const said = settingsFromTokenizerConfig(config);
  const tokenizerClass = (config as { tokenizer_class?: unknown }).tokenizer_class;
  const vocabulary = vocabularyOf(files, tokenizerClass, source);
  const { settings } = vocabulary;
  const readsJson = files.tokenizerJson !== undefined;
  const casing = readsJson ? (JSON_CLASS.test(String(tokenizerClass)) ? {} : casingOf(said)) : said;
  const names = specialTokensFromJson(files.specialTokensMap ?? {}, 'special_tokens_map.json');
  const specialTokens = { ...settings.specialTokens, ...said.specialTokens, ...names.specialTokens };
  const five = Object.values({ ...DEFAULT_SPECIAL_TOKENS, ...specialTokens });
  const order = [said.additionalSpecialTokens ?? [], names.additionalSpecialTokens].flat();
  const { tokens, ...added } = addedTokensOfFiles(files, vocabulary, five, order);
  // What is found as it was added says nothing of the casing of the pieces.
  const addedContents = new Set([...five, ...added.additionalSpecialTokens, ...added.addedTokens.map(contentOf)]);
  const pieces = tokens.slice(0, added.wordPieceSize).filter((token) => !addedContents.has(token));
  const resolved = asPublished(withCasing(pieces, { ...settings, ...casing }, overrides));
  const tokenizer = WordPieceTokenizer.fromVocabulary(
    tokens,
    { ...resolved, specialTokens, ...added },
    { maxLength: maxLengthOf(config) },
  );
  if (overrides.lowercase === undefined) checkCasing(pieces, tokenizer.settings, source);
  return tokenizer;
}

/** Where it is no number of tokens, who needs it complains. */
function maxLengthOf(config: object): number | undefined {
  const length = (config as { model_max_length?: unknown }).model_max_length;
  return Number.isInteger(length) && (length as number) >= 1 ? maxLengthFromTokenizerConfig(config) : undefined;
}

/**
 * The vocabulary with its added tokens, and the settings that they make.
 * @param five   the special tokens that have settings of their own
 * @param order  of additional ones, behind those of tokenizer.json, or before them in a folder that we wrote; the hash of a
 *               tokenizer depends on it
 */
function addedTokensOfFiles(
  files: TokenizerFiles,
  vocabulary: FileVocabulary,
  five: readonly string[],
  order: readonly string[],
): ReturnType<typeof addedTokenSettings> & { tokens: string[]; wordPieceSize?: number } {
  const config = files.tokenizerConfig ?? {};
  // A name of old that another token has taken over.
  const inJson = vocabulary.entries.filter(({ content }) => five.includes(content) || !RENAMED.includes(content));
  const inConfig = namedEntries(config, 'tokenizer_config.json');
  const decoder = decoderEntries(config);
  // What transformers does not read beside these adds nothing to the vocabulary.
  const isComplete = decoder.length > 0;
  const inMap = namedEntries(files.specialTokensMap ?? {}, 'special_tokens_map.json', {
    adds: !isComplete && !inConfig.some(({ isAdded }) => isAdded),
  });
  const older = isComplete ? [] : addedTokensJsonEntries(files.addedTokens);
  const entries = [...decoder, ...inJson, ...inMap, ...inConfig, ...older];
  const { tokens, added, ...size } = resolveAddedTokens(vocabulary.tokens, entries);
  const ofJson = inJson.map(contentOf);
  const isOurs = (config as { pleiad?: unknown }).pleiad !== undefined;
  return {
    // Empty tokens at the end that a tokenizer.json has, or that we wrote, are there on purpose.
    tokens: files.tokenizerJson === undefined && !isOurs ? withoutBlankEnd(tokens) : tokens,
    ...size,
    ...addedTokenSettings(added, five, isOurs ? [...order, ...ofJson] : [...ofJson, ...order]),
  };
}

const contentOf = ({ content }: { readonly content: string }) => content;

const RENAMED: readonly string[] = [DEFAULT_SPECIAL_TOKENS.pad, DEFAULT_SPECIAL_TOKENS.mask];

function vocabularyOf(
  { tokenizerJson, vocabText }: TokenizerFiles,
  tokenizerClass: unknown,
  source: string,
): FileVocabulary {
  if (tokenizerJson !== undefined) return vocabularyFromTokenizerJson(tokenizerJson);
  if (vocabText === undefined) {
    throw new DataError(`${source} has neither tokenizer.json nor vocab.txt`, {
      subject: source,
      expected: 'tokenizer.json, or vocab.txt with tokenizer_config.json',
      advice: 'Give the folder of a tokenizer or a model; `pleiad vocab` trains a vocabulary',
    });
  }
  if (tokenizerClass !== undefined && tokenizerClass !== null && !WORDPIECE_CLASS.test(String(tokenizerClass))) {
    throw new DataError(`${source}: tokenizer_config.json has tokenizer_class ${JSON.stringify(tokenizerClass)}`, {
      subject: source,
      found: tokenizerClass,
      expected: 'BertTokenizer, ElectraTokenizer or another of their kind',
      advice: 'Its vocab.txt is for words that are found in another way, so the ids would be wrong',
    });
  }
  return { tokens: tokensFromVocabText(vocabText), settings: {}, entries: [] };
}

/** The flags that go before `tokenizer.json`. Lower-casing that is said takes accents with it unless they are said too. */
function casingOf({ lowercase, stripAccents, handleChineseChars }: TokenizerOptions): TokenizerOptions {
  const accents = lowercase === undefined && stripAccents === undefined ? {} : { stripAccents };
  return { ...defined({ lowercase, handleChineseChars }), ...accents };
}

function withCasing(
  tokens: readonly string[],
  settings: TokenizerOptions,
  { lowercase }: TokenizerOverrides,
): TokenizerOptions {
  // Who keeps case keeps accents; who lower-cases against the files' word may still want what they say of accents.
  if (lowercase === false) return { ...settings, lowercase, stripAccents: undefined };
  if (settings.lowercase !== undefined) return { ...settings, lowercase: lowercase ?? settings.lowercase };
  const found = casingOfVocabulary(tokens, { ...PUBLISHED_NORMALIZATION, ...defined(settings) });
  return { ...settings, ...found, ...defined({ lowercase }) };
}

/** What no file says is as it was published; our defaults are for vocabularies of our own, whose files say them. */
function asPublished(settings: TokenizerOptions): TokenizerOptions {
  return { ...settings, ...PUBLISHED_NORMALIZATION, ...defined(settings) };
}

/** Without the fields that are undefined, which would hide others' when spread over them. */
function defined<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<T>;
}
