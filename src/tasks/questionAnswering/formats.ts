/**
 * Files of questions as their authors publish them: SQuAD 1.1 and 2.0 and KorQuAD (one JSON object: articles, paragraphs,
 * questions), and MRQA (JSON Lines, the first a header). Each question becomes a row; offsets stay as they are in the file,
 * in code points.
 */

import { parseJsonLine } from '../../data/prepare/jsonLine.js';
import type { Table, TableRow, TextFormat } from '../../data/tables/table.js';
import { DataError } from '../../errors/errors.js';

/** An answer as a file has it. */
export interface FileAnswer {
  readonly text: string;
  /** Code point of the context at which it begins; unknown where the file has none. */
  readonly answer_start?: number;
}

/** The columns of a table of questions; `references` are what a prediction is compared with, where these are not the answers. */
export const QUESTION_COLUMNS = ['id', 'question', 'context', 'answers', 'is_impossible', 'references'] as const;

type Fields = Readonly<Record<string, unknown>>;

const plain = (text: string) => text.replace(/^\ufeff/, '');

export const SQUAD_FORMAT: TextFormat = {
  name: 'SQuAD',
  matches: (text) => /^\s*\{/.test(plain(text)) && /"paragraphs"\s*:/.test(text),
  parse(text, source) {
    const file = new Place(source, parsed(plain(text), source));
    const rows = file.list('data').flatMap((article) =>
      article.list('paragraphs').flatMap((paragraph) => {
        const context = paragraph.text('context');
        const { title } = article.fields;
        return paragraph.list('qas').map((question) => squadRow(question, context, title));
      }),
    );
    return { source, columns: QUESTION_COLUMNS, rows };
  },
};

function squadRow(question: Place, context: string, title: unknown): TableRow {
  const isImpossible = question.fields.is_impossible === true;
  const answers = question.fields.answers === undefined && isImpossible ? [] : question.list('answers').map(fileAnswer);
  return {
    place: `${question.source}, question ${question.name}`,
    values: {
      id: question.name,
      question: question.text('question'),
      context,
      ...(typeof title === 'string' && { title }),
      answers: isImpossible ? [] : answers,
      // Of SQuAD 1.1 no question says so.
      ...(question.fields.is_impossible !== undefined && { is_impossible: isImpossible }),
    },
  };
}

function fileAnswer(answer: Place): FileAnswer {
  const start = answer.fields.answer_start;
  return { text: answer.text('text'), ...(typeof start === 'number' && { answer_start: start }) };
}

export const MRQA_FORMAT: TextFormat = {
  name: 'MRQA',
  matches: (text) => /^\s*\{\s*"header"/.test(plain(text)) || /^\s*\{[^\n]*"detected_answers"/.test(plain(text)),
  parse(text, source): Table {
    const rows = plain(text)
      .split(/\r?\n/)
      .flatMap((line, index) => (line.trim() === '' ? [] : mrqaRows(line, `${source}:${index + 1}`)));
    return { source, columns: QUESTION_COLUMNS, rows };
  },
};

function mrqaRows(line: string, place: string): TableRow[] {
  const paragraph = new Place(place, parsed(line, place));
  if ('header' in paragraph.fields) return [];
  const context = paragraph.text('context');
  return paragraph.list('qas').map((question) => ({
    place: `${place}, question ${question.name}`,
    values: {
      id: question.name,
      question: question.text('question'),
      context,
      answers: question.list('detected_answers').flatMap(detectedAnswer),
      references: question.fields.answers,
    },
  }));
}

/** The first of the places at which an answer was found; its last character is included in the file. */
function detectedAnswer(answer: Place): FileAnswer[] {
  const spans = answer.fields.char_spans;
  const starts = Array.isArray(spans) ? spans.map((span) => (span as unknown[])?.[0]) : [];
  const numbers = starts.filter((start): start is number => typeof start === 'number');
  if (numbers.length === 0) return [{ text: answer.text('text') }];
  return [{ text: answer.text('text'), answer_start: Math.min(...numbers) }];
}

function parsed(text: string, source: string): unknown {
  const result = parseJsonLine(text);
  if ('value' in result) return result.value;
  const line = text.slice(0, result.problem.at).split('\n').length;
  throw new DataError(
    `${source} is not JSON: ${result.problem.reason} (line ${line}, character ${result.problem.at + 1})`,
    {
      subject: source,
      expected: 'a whole file of questions',
      advice: 'Copy or download it again',
    },
  );
}

/** A JSON object and where it stands, for messages. */
class Place {
  readonly fields: Fields;

  constructor(
    readonly source: string,
    value: unknown,
  ) {
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    if (!isObject) throw this.#unusable('is no object with named fields', value);
    this.fields = value as Fields;
  }

  /** The id of a question. */
  get name(): string {
    const { id = this.fields.qid } = this.fields;
    if (typeof id === 'string' || typeof id === 'number') return String(id);
    throw this.#unusable('has a question without an id', this.fields);
  }

  text(name: string): string {
    const value = this.fields[name];
    if (typeof value === 'string') return value;
    throw this.#unusable(`has no text "${name}"`, this.fields);
  }

  list(name: string): Place[] {
    const value = this.fields[name];
    if (!Array.isArray(value)) throw this.#unusable(`has no list "${name}"`, this.fields);
    return value.map((entry) => new Place(this.source, entry));
  }

  #unusable(problem: string, found: unknown): DataError {
    return new DataError(`${this.source} ${problem}, in ${JSON.stringify(found)?.slice(0, 80)}`, {
      subject: this.source,
      expected: 'the form of SQuAD or MRQA files',
      advice: 'Check that the file is whole, or write a table with the columns question, context and answer',
    });
  }
}
