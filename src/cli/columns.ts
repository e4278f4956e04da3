/**
 * How many columns of a terminal a text takes, and texts padded and wrapped by that. A Hangul syllable and most emoji are two
 * columns wide, a combining mark none; `length` counts neither so.
 */
import { stripVTControlCharacters } from 'node:util';

const GRAPHEMES = new Intl.Segmenter('en', { granularity: 'grapheme' });

/**
 * Blocks whose characters are wide (W or F in Unicode's EastAsianWidth.txt): Hangul, CJK, Kana, Yi, full-width forms, Tangut.
 * Emoji are wide where they are shown as pictures, by themselves or because U+FE0F asks for it.
 */
const WIDE =
  /^[\u1100-\u115f\u2329\u232a\u2e80-\u303e\u3041-\u3247\u3250-\u4dbf\u4e00-\ua4c6\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe10-\ufe19\ufe30-\ufe6b\uff01-\uff60\uffe0-\uffe6\u{16fe0}-\u{18d08}\u{1aff0}-\u{1b2fb}\u{1f200}-\u{1f265}\u{20000}-\u{3fffd}\p{Emoji_Presentation}]|\ufe0f/u;
/** What takes no column of its own. A conjoining vowel or final is drawn into its syllable also when it stands alone. */
const ZERO = /^[\p{Mn}\p{Me}\p{Cc}\p{Cf}\u1160-\u11ff\ud7b0-\ud7fb]+$/u;

/** Columns that a text takes on a terminal, colours not counted. */
export function displayWidth(text: string): number {
  const plain = stripVTControlCharacters(text);
  let width = 0;
  for (const { segment } of GRAPHEMES.segment(plain)) width += ZERO.test(segment) ? 0 : WIDE.test(segment) ? 2 : 1;
  return width;
}

/** The text with spaces after it, so that it takes at least `width` columns. */
export function padToWidth(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** The text with spaces before it, for numbers. */
export function padStartToWidth(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - displayWidth(text))) + text;
}

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers stand at the right. Default left. */
  readonly align?: 'left' | 'right';
}

/** A table's lines, its titles first, two spaces between columns and none at the end. */
export function tableLines(columns: readonly Column[], rows: readonly (readonly string[])[]): string[] {
  const widths = columns.map(({ title }, i) => Math.max(...[title, ...rows.map((row) => row[i])].map(displayWidth)));
  return [columns.map(({ title }) => title), ...rows].map((cells) =>
    cells
      .map((cell, i) => (columns[i].align === 'right' ? padStartToWidth : padToWidth)(cell, widths[i]))
      .join('  ')
      .trimEnd(),
  );
}

/** A line that is a command to copy: a line break in it would be typed along. */
const COMMAND = /^\s*(?:(?:npx|npm|pleiad|mpirun|iconv|cat)\s|[A-Z_]+=\S+ )/;

/** Words, or, in a line of things that two spaces stand between, these things, each with the spaces before it. */
function unitsOf(text: string): string[] {
  const isList = (text.match(/\S {2,}(?=\S)/g) ?? []).length > 1;
  return text.match(isList ? / *\S+(?: \S+)*/g : / *\S+/g) ?? [];
}

/**
 * A line broken between words to lines of at most `width` columns, unless one word is wider.
 * @param hanging  how much further in the lines after the first stand
 */
export function wrapLine(line: string, width: number, hanging = 2): string[] {
  if (displayWidth(line) <= width || COMMAND.test(line)) return [line];
  const indent = /^ */.exec(line)![0];
  const further = indent.length + hanging < width / 2 ? indent + ' '.repeat(hanging) : '';
  const [first = '', ...units] = unitsOf(line.slice(indent.length));
  const lines = [indent + first];
  for (const unit of units) {
    const longer = lines.at(-1) + unit;
    if (displayWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(further + unit.trimStart());
  }
  return lines;
}

/** As much of a text as fits into `width` columns, cut between characters, with a mark where it was cut. */
export function cutToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = '';
  for (const { segment } of GRAPHEMES.segment(text)) {
    if (displayWidth(cut + segment) > width - 1) break;
    cut += segment;
  }
  return `${cut}…`;
}
