/** Whether a vocabulary and a tokenizer's handling of case and accents belong together. */
import { DataError } from '../errors/errors.js';
import { settingWith } from '../settings/settingNames.js';
import { type NormalizationSettings, normalize, stripsAccents } from './normalization.js';
import { CONTINUATION_PREFIX } from './wordpiece.js';

/**
 * From this part of the vocabulary on, pieces that no text can ever give mean that it was made for another casing. Published
 * uncased vocabularies have none; bert-base-cased, lower-cased, has 31 %; KoELECTRA's, with its Hangul torn apart, 97 %.
 */
const TOO_MANY = 0.02;

export interface Unreachable {
  readonly count: number;
  /** Of how many pieces, special tokens left out. */
  readonly of: number;
  readonly examples: readonly string[];
}

/** The pieces that lower-casing and the removal of accents turn into something else, so that they are never met. */
export function unreachablePieces(tokens: readonly string[], settings: NormalizationSettings): Unreachable {
  const casing = { ...settings, nfc: false, cleanText: false, handleChineseChars: false };
  const pieces = tokens.filter((token) => !/^(\[.*\]|<.*>)$/.test(token));
  const lost = pieces.filter((piece) => {
    // Most pieces are plain lower case, which nothing changes.
    if (/^[a-z0-9#]*$/.test(piece)) return false;
    const text = piece.startsWith(CONTINUATION_PREFIX) ? piece.slice(CONTINUATION_PREFIX.length) : piece;
    return normalize(text, casing) !== text;
  });
  return { count: lost.length, of: pieces.length, examples: lost.slice(0, 3) };
}

/**
 * What kind of text a vocabulary was made from, by what it holds: cased; of lower case with accents (not one capital, though
 * the removal of accents would cost many pieces); or of lower case without them. What the settings say of accents holds.
 */
export function casingOfVocabulary(
  tokens: readonly string[],
  uncased: NormalizationSettings,
): Pick<NormalizationSettings, 'lowercase' | 'stripAccents'> {
  const { stripAccents } = uncased;
  const isUncased = !isMany(unreachablePieces(tokens, { ...uncased, lowercase: true, stripAccents: undefined }));
  if (isUncased) return { lowercase: true, stripAccents };
  const capitals = unreachablePieces(tokens, { ...uncased, lowercase: true, stripAccents: false });
  const hasLowerCase = tokens.some((token) => /\p{Ll}/u.test(token));
  const isLower = capitals.count === 0 && hasLowerCase && stripAccents === undefined;
  return isLower ? { lowercase: true, stripAccents: false } : { lowercase: false, stripAccents };
}

function isMany({ count, of }: Unreachable): boolean {
  return count > TOO_MANY * of;
}

/**
 * Refuses a cased vocabulary that is read with lower-casing, as happens to SpanBERT where nothing says that it is cased:
 * names and sentence starts would become other words, in silence.
 * @param source  file or folder, for messages
 * @throws DataError naming what to say instead
 */
export function checkCasing(tokens: readonly string[], settings: NormalizationSettings, source: string): void {
  if (!settings.lowercase && !stripsAccents(settings)) return;
  const lost = unreachablePieces(tokens, settings);
  if (!isMany(lost)) return;
  const does = [
    ...(settings.lowercase ? ['lower-cases'] : []),
    ...(stripsAccents(settings) ? ['removes accents'] : []),
  ];
  const examples = lost.examples.map((piece) => JSON.stringify(piece)).join(', ');
  throw new DataError(
    `${source}: the vocabulary is cased, but the tokenizer ${does.join(' and ')}: ` +
      `${lost.count} of ${lost.of} pieces, such as ${examples}, could never be met`,
    {
      subject: source,
      found: { lowercase: settings.lowercase, stripAccents: stripsAccents(settings), unreachable: lost.count },
      expected: 'a tokenizer that keeps case',
      advice: `Say ${settingWith('lowercase', false)} to read it as it was made; ${settingWith('lowercase', true)} if this is meant`,
    },
  );
}
