/** A tokenizer from the files that model folders hold, each of which may be absent. */
import { DataError } from '../errors.js';
import { casingOfVocabulary, checkCasing } from './casing.js';
import { PUBLISHED_NORMALIZATION } from './normalization.js';
import { WordPieceTokenizer } from './tokenizer.js';
import {
  addTokens,
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
  const { tokens, settings } = vocabularyOf(files, tokenizerClass, source);
  const readsJson = files.tokenizerJson !== undefined;
  const casing = readsJson ? (JSON_CLASS.test(String(tokenizerClass)) ? {} : casingOf(said)) : said;
  const names = specialTokensFromJson(files.specialTokensMap ?? {}, 'special_tokens_map.json');
  const specialTokens = { ...settings.specialTokens, ...said.specialTokens, ...names.specialTokens };
  const added = addTokens(tokens, config, files.addedTokens ?? {});
  const five = new Set(Object.values({ ...DEFAULT_SPECIAL_TOKENS, ...specialTokens }));
  const additional = [
    ...(settings.additionalSpecialTokens ?? []),
    ...(said.additionalSpecialTokens ?? []),
    ...names.additionalSpecialTokens,
    ...added,
  ];
  const resolved = asPublished(withCasing(tokens, { ...settings, ...casing }, overrides));
  const tokenizer = WordPieceTokenizer.fromVocabulary(tokens, {
    ...resolved,
    specialTokens,
    additionalSpecialTokens: [...new Set(additional)].filter((token) => !five.has(token)),
  });
  if (overrides.lowercase === undefined) checkCasing(tokenizer.tokens, tokenizer.settings, source);
  return tokenizer;
}

function vocabularyOf(
  { tokenizerJson, vocabText }: TokenizerFiles,
  tokenizerClass: unknown,
  source: string,
): { tokens: string[]; settings: TokenizerOptions } {
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
  return { tokens: tokensFromVocabText(vocabText), settings: {} };
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
