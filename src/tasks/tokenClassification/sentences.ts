/** Tagged sentences from the rows of a table: lists of words and of tags, from CoNLL, JSON Lines or Parquet. */
import { describeColumns, requireColumn, type Table, type TableRow } from '../../data/tables/table.js';
import { DataError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import { settingName, settingWith } from '../../settings/settingNames.js';
import type { Columns } from '../task.js';
import { isTag, tagForm } from './tags.js';

/** What columns are read as. */
export const ROLES = ['word', 'tag'] as const;
type Role = (typeof ROLES)[number];

export interface Sentence {
  readonly words: readonly string[];
  /** For messages, such as "train.conll:17". */
  readonly place: string;
}

export interface TaggedSentence extends Sentence {
  readonly tags: readonly string[];
}

/** What the lists are called in data sets of the field, looked for in this order where columns are not given. */
const KNOWN: Readonly<Record<Role, readonly string[]>> = {
  word: ['tokens', 'words', 'word'],
  tag: ['tags', 'ner_tags', 'labels', 'tag', 'pos_tags', 'chunk_tags'],
};

/**
 * The column of a role: as given, else under the names that are usual; of a CoNLL file the first has words, the last tags.
 * @throws DataError naming the columns that there are
 */
function columnOf(role: Role, table: Table, given: Columns): string {
  const { source, columns } = table;
  const ofFile = isNumbered(columns) && columns.length > 1 ? columns.at(role === 'word' ? 0 : -1) : undefined;
  const name = given[role] ?? KNOWN[role].find((known) => columns.includes(known)) ?? ofFile;
  if (name !== undefined) {
    requireColumn(table, name, role);
    return name;
  }
  const what = role === 'word' ? 'words' : 'tags';
  throw new DataError(`${source} has no column of ${what} ${describeColumns(columns)}`, {
    subject: source,
    found: columns,
    expected: `a list of ${what} in each row, called ${KNOWN[role].slice(0, 2).join(' or ')}; or a CoNLL file`,
    advice: `Say which it is by ${settingName('columns')}, for instance ${role}=${columns.at(role === 'word' ? 0 : -1) ?? 'NAME'}`,
  });
}

/** Columns of a file without names. */
const isNumbered = (columns: readonly string[]) => columns.every((name, i) => name === String(i));

/** @throws DataError naming the row that has no list of words */
export function sentencesOf(table: Table, given: Columns): Sentence[] {
  const column = columnOf('word', table, given);
  return table.rows.map((row) => ({ words: wordsOf(row, column), place: row.place }));
}

/**
 * @param labels  names of tags that are given by number
 * @throws DataError naming row and word of what cannot be read
 */
export function taggedSentences(table: Table, given: Columns, labels?: readonly string[]): TaggedSentence[] {
  const [word, tag] = [columnOf('word', table, given), columnOf('tag', table, given)];
  const sentences = table.rows.map((row) => {
    const words = wordsOf(row, word);
    const tags = listIn(row, tag, 'tags').map((value, i) => tagOf(value, { row, column: tag, word: i, labels }));
    if (tags.length === words.length) return { words, tags, place: row.place };
    throw new DataError(`${row.place} has ${words.length} words and ${tags.length} tags`, {
      subject: row.place,
      found: [words.length, tags.length],
      expected: 'a tag for each word',
      advice: `Mend the row; if another column has the tags, say so by ${settingName('columns')}`,
    });
  });
  refuseUnreadable(sentences);
  return sentences;
}

function wordsOf(row: TableRow, column: string): string[] {
  const words = listIn(row, column, 'words');
  if (words.length === 0) {
    throw new DataError(`${row.place} has no words: the list in column "${column}" is empty`, {
      subject: row.place,
      advice: 'Remove the row',
    });
  }
  return words.map((word, i) => {
    if (typeof word === 'string' && word !== '') return word;
    throw new DataError(
      `${row.place} has ${JSON.stringify(word) ?? 'nothing'} as word ${i + 1} of column "${column}"`,
      {
        subject: row.place,
        found: word,
        expected: 'a text that is not empty',
        advice: `Mend the row; if another column has the words, say so by ${settingName('columns')}`,
      },
    );
  });
}

function listIn({ values, place }: TableRow, column: string, what: string): readonly unknown[] {
  const value = values[column];
  if (Array.isArray(value)) return value;
  if (ArrayBuffer.isView(value)) return [...(value as Int32Array)];
  const found = value === undefined || value === null ? 'nothing' : JSON.stringify(value).slice(0, 60);
  throw new DataError(`${place} has ${found} in column "${column}"; expected a list of ${what}`, {
    subject: place,
    found: value,
    expected: `a list, such as ${what === 'words' ? '["EU", "rejects"]' : '["B-ORG", "O"]'}`,
    advice: `Write each row with lists of equal length; if another column has the ${what}, say so by ${settingName('columns')}`,
  });
}

interface TagCell {
  readonly row: TableRow;
  readonly column: string;
  readonly word: number;
  readonly labels?: readonly string[];
}

/** A tag by name, or by number where names are known: many published data sets have numbers alone. */
function tagOf(value: unknown, { row: { place }, column, word, labels }: TagCell): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  const where = `${place}, word ${word + 1},`;
  if (typeof value !== 'number' && typeof value !== 'bigint') {
    throw new DataError(`${where} has no tag in column "${column}"`, {
      subject: place,
      found: value,
      expected: 'a tag such as O or B-LOC',
      advice: 'Mend the row',
    });
  }
  const name = labels?.[Number(value)];
  if (name !== undefined) return name;
  const example = ['O', 'B-PER', 'I-PER'];
  throw new DataError(
    labels
      ? `${where} has the tag ${value}, and there are ${labels.length} labels, numbered from 0`
      : `${place} has tags by number in column "${column}", and nothing says what they stand for`,
    {
      subject: place,
      found: Number(value),
      expected: labels
        ? `0 to ${labels.length - 1}`
        : 'names of tags, or a list of labels in the order of their numbers',
      advice: `Name all labels in order: ${settingWith('labels', example).replace(/\]?$/, (end) => `,…${end}`)}`,
    },
  );
}

/** A tag without a prefix among those that have one is a mistake: a 0 for an O, a type alone. */
function refuseUnreadable(sentences: readonly TaggedSentence[]): void {
  const form = tagForm(new Set(sentences.flatMap(({ tags }) => tags)));
  for (const sentence of sentences) {
    const at = sentence.tags.findIndex((tag) => !isTag(tag, form));
    if (at < 0) continue;
    const tag = sentence.tags[at];
    throw new DataError(`${placeOfWord(sentence, at)} has the tag "${tag}", and others have prefixes, such as B-LOC`, {
      subject: sentence.place,
      found: tag,
      expected: 'O, or B-, I-, E- or S- and a type',
      advice: /^[0o]$/.test(tag) ? 'Write it as "O"' : 'Mend the tag',
    });
  }
}

/** "train.conll:17, word 3 ("EU")" */
export function placeOfWord({ words, place }: Sentence, at: number): string {
  return `${place}, word ${at + 1} (${JSON.stringify(words[at])}),`;
}

/**
 * @throws DataError when training data have one tag alone
 */
export function refuseOneTag(labels: readonly string[], sentences: readonly TaggedSentence[], source: string): void {
  if (labels.length > 1) return;
  const words = sentences.reduce((sum, { tags }) => sum + tags.length, 0);
  throw new DataError(`all ${words} words of ${source} have the tag ${joinFirst(labels, 1)}`, {
    subject: source,
    found: labels,
    expected: 'two tags or more',
    advice: `There is nothing to learn from one; if another column has the tags, say so by ${settingName('columns')}`,
  });
}
