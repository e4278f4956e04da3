/**
 * Added tokens as the files of a tokenizer's folder name them. There are five places, of several ages; where they say
 * different things of one token, the one that transformers (5.24) goes by counts.
 */
import { DataError } from '../errors/errors.js';
import { type AddedToken, type AddedTokenInput, addedToken, isPlainSpecial } from './addedTokens.js';
import { check, type Json, list, record, tokenText } from './jsonChecks.js';

/** What one place says of one token. */
export interface TokenEntry {
  readonly content: string;
  /** For messages. */
  readonly source: string;
  /** Undefined where the place gives none: the token's in the vocabulary, or the next. */
  readonly id?: number;
  /** How it is matched, where the place says that; `special` and `normalized` may be left open. */
  readonly flags?: Omit<AddedTokenInput, 'content'>;
  /** It is named as a special token. */
  readonly isNamed?: boolean;
  /** It is part of the vocabulary, whether or not it is in there. */
  readonly isAdded?: boolean;
}

/** `added_tokens_decoder` of `tokenizer_config.json`, by id. */
export function decoderEntries(config: unknown): TokenEntry[] {
  const decoder = record(record(config, 'tokenizer_config.json').added_tokens_decoder ?? {}, 'added_tokens_decoder');
  return Object.entries(decoder).map(([id, token]) => {
    const source = `tokenizer_config.json: added_tokens_decoder[${id}]`;
    return describedEntry(record(token, source), Number(id), source);
  });
}

/** `added_tokens` of `tokenizer.json`. */
export function tokenizerJsonEntries(json: unknown): TokenEntry[] {
  return list(json ?? [], 'tokenizer.json: added_tokens').map((token) => {
    const source = 'tokenizer.json: added token';
    const described = record(token, source);
    return describedEntry(described, described.id as number, source);
  });
}

/** `added_tokens.json` of older folders: ids alone. What is not named as special elsewhere is a word. */
export function addedTokensJsonEntries(json: unknown): TokenEntry[] {
  const source = 'added_tokens.json';
  const ids = Object.entries(record(json ?? {}, source));
  return ids.map(([content, id]) => ({ content, id: id as number, source, isAdded: true }));
}

/**
 * Special tokens by name in `tokenizer_config.json` or `special_tokens_map.json`: the five, lists of others, others alone.
 * @param options.adds  those of the lists are part of the vocabulary, whether or not they are in there. Default true
 */
export function namedEntries(json: unknown, source: string, { adds = true } = {}): TokenEntry[] {
  const fields = record(json, source);
  const entries: TokenEntry[] = [];
  const add = (token: unknown, name: string, isAdded: boolean) => {
    const content = tokenText(token, `${source}: ${name}`);
    const flags = typeof token === 'object' ? { flags: flagsOf(token as Json, `${source}: ${name}`) } : {};
    entries.push({ content, source: `${source}: ${name}`, isNamed: true, isAdded, ...flags });
  };
  for (const [name, token] of Object.entries(fields)) {
    const isToken = typeof token === 'string' || (typeof token === 'object' && token !== null && 'content' in token);
    if (name.endsWith('_token') && isToken) add(token, name, false);
  }
  // transformers 5 calls extra what had been additional; it may be a table of names and tokens.
  for (const name of ['additional_special_tokens', 'extra_special_tokens']) {
    const value = fields[name] ?? [];
    const tokens = Array.isArray(value) ? value : Object.values(record(value, `${source}: ${name}`));
    for (const token of tokens) add(token, name, adds);
  }
  return entries;
}

function describedEntry(token: Json, id: number, source: string): TokenEntry {
  const content = check(token.content, typeof token.content === 'string', source, 'text') as string;
  return { content, id, source, flags: flagsOf(token, `${source} ${content}`), isAdded: true };
}

function flagsOf(token: Json, subject: string): Omit<AddedTokenInput, 'content'> {
  const flag = (name: string) => {
    const value = token[name] ?? undefined;
    const isFlag = value === undefined || typeof value === 'boolean';
    return check(value, isFlag, `${name} of ${subject}`, 'true or false') as boolean | undefined;
  };
  const [special, normalized, singleWord] = [flag('special'), flag('normalized'), flag('single_word')];
  return { special, normalized, singleWord, lstrip: flag('lstrip'), rstrip: flag('rstrip') };
}

export interface ResolvedTokens {
  /** The vocabulary with the tokens that were behind it. */
  readonly tokens: string[];
  /** Undefined when none was. */
  readonly wordPieceSize?: number;
  /** Of all that was named, by id. */
  readonly added: readonly AddedToken[];
}

/**
 * Puts together what all places say.
 * @param pieces   the vocabulary of WordPiece; empty ones at its end may be places that are kept for added tokens
 * @param entries  those that count first; of a token, the first with flags says how it is matched
 * @throws DataError for an id that is not the token's
 */
export function resolveAddedTokens(pieces: readonly string[], entries: readonly TokenEntry[]): ResolvedTokens {
  const tokens = [...pieces];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const byContent = new Map<string, TokenEntry[]>();
  for (const entry of entries) {
    if (entry.content !== '') byContent.set(entry.content, [...(byContent.get(entry.content) ?? []), entry]);
  }
  const said = [...byContent].map(([content, group]) => ({ content, group, id: saidId(group) }));
  const byId = said.sort((a, b) => (a.id ?? Infinity) - (b.id ?? Infinity));
  const added = byId.flatMap(({ content, group, id }) => {
    const place = ids.get(content) ?? placeFor(content, id, tokens, group);
    if (place === undefined) return [];
    if (id !== undefined && id !== place) wrongId(content, id, group, `${place}, its id in the vocabulary`);
    tokens[place] = content;
    return [{ token: mergedToken(content, group), place }];
  });
  added.sort((a, b) => a.place - b.place);
  const numPieces = withoutBlankEnd(pieces).length;
  const firstBehind = added.find(({ place }) => place >= numPieces);
  return {
    tokens,
    ...(firstBehind && { wordPieceSize: firstBehind.place }),
    added: added.map(({ token }) => token),
  };
}

/** The vocabulary without empty lines at its end, which editors and scripts leave there. */
export function withoutBlankEnd(tokens: readonly string[]): string[] {
  return tokens.slice(0, tokens.findLastIndex((token) => token !== '') + 1);
}

/**
 * Added tokens as settings. Special ones that are matched as special tokens are by default need no more than their names.
 * @param five   the special tokens that have settings of their own
 * @param order  contents whose order counts before that of the ids
 */
export function addedTokenSettings(
  added: readonly AddedToken[],
  five: readonly string[],
  order: readonly string[] = [],
): { additionalSpecialTokens: string[]; addedTokens: AddedToken[] } {
  const special = new Set(added.filter((token) => token.special).map(({ content }) => content));
  return {
    additionalSpecialTokens: [...new Set([...order, ...special])].filter(
      (content) => special.has(content) && !five.includes(content),
    ),
    addedTokens: added.filter((token) => !isPlainSpecial(token)),
  };
}

function saidId(group: readonly TokenEntry[]): number | undefined {
  const withId = group.filter(({ id }) => id !== undefined);
  const first = withId[0]?.id;
  const other = withId.find(({ id }) => id !== first);
  if (other) wrongId(other.content, other.id, [other], `${first}, as ${withId[0].source} says`);
  return first;
}

/** Where a token that is not in the vocabulary goes; undefined for a name that stands for nothing. */
function placeFor(
  content: string,
  id: number | undefined,
  tokens: readonly string[],
  group: readonly TokenEntry[],
): number | undefined {
  if (!group.some(({ isAdded }) => isAdded)) return undefined;
  if (id === undefined) return tokens.length;
  if (id === tokens.length || tokens[id] === '') return id;
  const isTaken = tokens[id] === undefined ? '' : `: that is ${JSON.stringify(tokens[id])}`;
  return wrongId(content, id, group, `${tokens.length}, the next after the vocabulary${isTaken}`);
}

function mergedToken(content: string, group: readonly TokenEntry[]): AddedToken {
  const flags = group.find((entry) => entry.flags)?.flags;
  const isNamed = group.some((entry) => entry.isNamed);
  return addedToken({ content, ...flags, special: isNamed || flags?.special });
}

function wrongId(content: string, id: unknown, group: readonly TokenEntry[], expected: string): never {
  const subject = `${group[0].source}: id of the added token ${content}`;
  throw new DataError(`${subject} is ${JSON.stringify(id) ?? 'missing'}; expected ${expected}`, {
    subject,
    found: id,
    expected,
    advice: 'The model may have been trained with either; correct the id in the file when you know which.',
  });
}
