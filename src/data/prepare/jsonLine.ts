/** One JSON value in a line: parsed as JSON, and as Python writes it; and where exactly it is none. */

/** What JSON has beside texts, and the three words for numbers that Python's json module, and with it pandas, adds. */
const TOKEN = /[ \t\r\n]+|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity|[{}[\],:]/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const NOT_FINITE = /-?(?:NaN|Infinity)/y;

export interface JsonProblem {
  /** UTF-16 unit of the line at which it stops being JSON. */
  readonly at: number;
  /** What was expected there and what stands there. */
  readonly reason: string;
  /** The line is the beginning of JSON that ends too early. */
  readonly isUnfinished: boolean;
}

/**
 * Parses a line. `NaN`, `Infinity` and `-Infinity`, which Python writes for numbers, are read as null.
 * @returns the value, or what is wrong
 */
export function parseJsonLine(line: string): { readonly value: unknown } | { readonly problem: JsonProblem } {
  try {
    return { value: JSON.parse(line) };
  } catch {
    // Rare, so the quick way comes first.
  }
  try {
    return { value: JSON.parse(withNulls(line)) };
  } catch (error) {
    return { problem: jsonProblem(line) ?? { at: 0, reason: (error as Error).message, isUnfinished: false } };
  }
}

/** The line with null for each number of Python's that JSON has not. */
function withNulls(line: string): string {
  let result = '';
  let from = 0;
  for (let at = 0; at < line.length; ) {
    if (line[at] === '"') {
      at = textEnd(line, at).end;
      continue;
    }
    NOT_FINITE.lastIndex = at;
    const found = NOT_FINITE.exec(line)?.[0];
    if (found) {
      result += `${line.slice(from, at)}null`;
      from = at + found.length;
    }
    at += found?.length ?? 1;
  }
  return result + line.slice(from);
}

/** Where the text that begins with the quote at `at` ends, or where it stops being one. By hand: texts can be of any length. */
function textEnd(line: string, at: number): { readonly end: number; readonly isWhole: boolean } {
  for (let i = at + 1; i < line.length; i++) {
    const unit = line.charCodeAt(i);
    if (unit === QUOTE) return { end: i + 1, isWhole: true };
    if (unit < 0x20) return { end: i, isWhole: false };
    if (unit !== BACKSLASH) continue;
    ESCAPE.lastIndex = i;
    const escaped = ESCAPE.exec(line)?.[0];
    if (!escaped) return { end: i, isWhole: false };
    i += escaped.length - 1;
  }
  return { end: line.length, isWhole: false };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

type State = 'value' | 'valueOrEnd' | 'nameOrEnd' | 'name' | 'colon' | 'commaOrEnd' | 'end';

/** What may follow, in words. */
const EXPECTED: Readonly<Record<State, (open: string | undefined) => string>> = {
  value: () => 'a value',
  valueOrEnd: () => 'a value or ]',
  nameOrEnd: () => 'a name in double quotes or }',
  name: () => 'a name in double quotes',
  colon: () => 'a colon',
  commaOrEnd: (open) => `a comma or ${open === '{' ? '}' : ']'}`,
  end: () => 'the end of the record',
};

/** Where a line stops being one JSON value; undefined when it is one. */
export function jsonProblem(line: string): JsonProblem | undefined {
  const open: string[] = [];
  let state: State = 'value';
  let at = 0;
  while (at < line.length) {
    const token = tokenAt(line, at);
    if (token === undefined) return wordProblem(line, at, state, open);
    if (!/\s/.test(token[0])) {
      const next = after(state, token, open);
      if (!next) return problemAt(line, at, state, open);
      state = next;
    }
    at += token.length;
  }
  if (state === 'end') return undefined;
  return { at, reason: `expected ${EXPECTED[state](open.at(-1))}, found the end`, isUnfinished: true };
}

/** The token that begins at `at`; undefined where none does. */
function tokenAt(line: string, at: number): string | undefined {
  if (line[at] === '"') {
    const { end, isWhole } = textEnd(line, at);
    return isWhole ? line.slice(at, end) : undefined;
  }
  TOKEN.lastIndex = at;
  return TOKEN.exec(line)?.[0];
}

/** The state after a token; undefined where it must not stand. Keeps account of what is open. */
function after(state: State, token: string, open: string[]): State | undefined {
  const inside = (): State => (open.length > 0 ? 'commaOrEnd' : 'end');
  const close = (): State => {
    open.pop();
    return inside();
  };
  const wantsValue = state === 'value' || state === 'valueOrEnd';
  const inObject = open.at(-1) === '{';
  switch (token) {
    case '{':
    case '[':
      if (!wantsValue) return undefined;
      open.push(token);
      return token === '{' ? 'nameOrEnd' : 'valueOrEnd';
    case '}':
      return state === 'nameOrEnd' || (state === 'commaOrEnd' && inObject) ? close() : undefined;
    case ']':
      return state === 'valueOrEnd' || (state === 'commaOrEnd' && !inObject) ? close() : undefined;
    case ',':
      if (state !== 'commaOrEnd') return undefined;
      return inObject ? 'name' : 'value';
    case ':':
      return state === 'colon' ? 'value' : undefined;
  }
  if (wantsValue) return inside();
  return (state === 'name' || state === 'nameOrEnd') && token.startsWith('"') ? 'colon' : undefined;
}

function problemAt(line: string, at: number, state: State, open: readonly string[]): JsonProblem {
  const found = /^[\w.+-]+|^./su.exec(line.slice(at, at + 40))![0];
  return { at, reason: `expected ${EXPECTED[state](open.at(-1))}, found ${shown(found)}`, isUnfinished: false };
}

/** A string that is not whole or has something in it that must be escaped, or what is no token at all. */
function wordProblem(line: string, at: number, state: State, open: readonly string[]): JsonProblem {
  if (line[at] !== '"') return problemAt(line, at, state, open);
  const { end } = textEnd(line, at);
  const rest = line.slice(end, end + 6);
  if (rest === '' || /^\\(u[0-9a-fA-F]{0,3})?$/.test(rest)) {
    return {
      at: end,
      reason: `expected ", found the end of the text that begins with ${quoted(line, at)}`,
      isUnfinished: true,
    };
  }
  const reason =
    rest[0] === '\\'
      ? `${shown(rest.slice(0, 2))} is no escape of JSON`
      : `${shown(rest[0])} must be escaped in a text`;
  return { at: end, reason, isUnfinished: false };
}

function quoted(line: string, at: number): string {
  return line.slice(at, at + 20);
}

/** A character that may not be visible, by its number too. */
function shown(found: string): string {
  const codePoint = found.codePointAt(0)!;
  if (/^[\x21-\x7e]+$/.test(found)) return found;
  const number = `U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}`;
  return /^[\p{L}\p{N}\p{P}\p{S}]/u.test(found) ? `${found} (${number})` : number;
}

/** The surroundings of a place in a line, for messages. */
export function around(line: string, at: number): string {
  const from = Math.max(0, at - 30);
  const to = Math.min(line.length, at + 30);
  const visible = line.slice(from, to).replace(/\p{Cc}|\ufeff/gu, ' ');
  return `${from > 0 ? '…' : ''}${visible}${to < line.length ? '…' : ''}`;
}
