/** Files of answers, as the official scripts take them, held against the questions that they are to. */
import { DataError } from '../../errors/errors.js';
import { joinFirst } from '../../errors/joinFirst.js';
import type { TaskNotice } from '../task.js';
import type { Question } from './questions.js';

type Fields = Readonly<Record<string, unknown>>;

/** Names that an answer goes by in a list of answers. */
const ANSWER_KEYS = ['answer', 'prediction_text', 'prediction'];

/**
 * Answers by question id: of an object `{ id: answer }`, as the scripts take it, or of a list of objects with `id` and `answer`
 * (or `prediction_text`).
 * @throws DataError when it is neither
 */
export function parsePredictions(value: unknown): Map<string, string> {
  if (Array.isArray(value)) return new Map(value.map((entry, index) => listedAnswer(entry, index)));
  if (typeof value !== 'object' || value === null) throw noPredictions(value);
  return new Map(
    Object.entries(value).map(([id, answer]) => {
      if (typeof answer !== 'string') throw noText(`question ${id}`, answer);
      return [id, answer];
    }),
  );
}

function listedAnswer(entry: unknown, index: number): [string, string] {
  const place = `entry ${index + 1}`;
  if (typeof entry !== 'object' || entry === null) throw noPredictions(entry);
  const fields = entry as Fields;
  const { id } = fields;
  if (typeof id !== 'string' && typeof id !== 'number') throw noPredictions(entry);
  const key = ANSWER_KEYS.find((name) => name in fields);
  const answer = key === undefined ? undefined : fields[key];
  if (typeof answer !== 'string') throw noText(place, answer);
  return [String(id), answer];
}

function noPredictions(found: unknown): DataError {
  return new DataError(`the predictions are ${JSON.stringify(found)?.slice(0, 80)}`, {
    subject: 'predictions',
    found,
    expected: 'an object {"id": "answer", …}, or a list of {"id": …, "answer": …}',
    advice: 'Write them in the form that evaluate-v2.0.py takes: {"id": "answer", …}',
  });
}

function noText(place: string, found: unknown): DataError {
  return new DataError(`the prediction of ${place} is ${JSON.stringify(found)?.slice(0, 80) ?? 'missing'}`, {
    subject: place,
    found,
    expected: 'a text, "" for no answer',
    advice: 'Write an answer for each question as text',
  });
}

/** Numbers by question id. @throws DataError when it is no such object */
export function parseNumbers(value: unknown, what: string): Map<string, number> {
  const entries = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  const wrong = entries.find(([, number]) => typeof number !== 'number' || !Number.isFinite(number));
  if (entries.length > 0 && !wrong) return new Map(entries);
  throw new DataError(`${what} are ${JSON.stringify(wrong ? { [wrong[0]]: wrong[1] } : value)?.slice(0, 80)}`, {
    subject: what,
    expected: 'an object {"id": number, …}',
    advice: 'Write a number for each question',
  });
}

/**
 * Compares the ids of a file with those of the data.
 * @param missing  what a question without an entry is: an error, or 0 points as the script gives it
 * @throws DataError when no id is known, or some are missing and may not be
 */
export function compareIds(
  ids: ReadonlySet<string>,
  questions: readonly Question[],
  { what, missing }: { readonly what: string; readonly missing: 'error' | 'zero' },
): TaskNotice[] {
  const known = new Set(questions.map(({ id }) => id));
  const absent = [...known].filter((id) => !ids.has(id));
  const foreign = [...ids].filter((id) => !known.has(id));
  const listed = (list: readonly string[]) => joinFirst(list, 3);
  if (absent.length === known.size) {
    throw new DataError(
      `the ${what} are of other questions: none of the ${known.size} ids of the data is among their ${ids.size}, such as ${listed([...ids])}; the data have ${listed([...known])}`,
      { subject: what, expected: 'the ids of the data', advice: 'Give the data that they were made for' },
    );
  }
  const notices: TaskNotice[] = [];
  if (foreign.length > 0) {
    notices.push({
      code: 'foreign-ids',
      message: `${foreign.length} of ${ids.size} ${what} are of no question in the data and do not count: ${listed(foreign)}`,
      advice: 'Give the data that they were made for, if these should count.',
    });
  }
  if (absent.length === 0) return notices;
  const message = `${absent.length} of ${known.size} questions are not among the ${what}: ${listed(absent)}`;
  if (missing === 'error') {
    throw new DataError(message, {
      subject: what,
      found: absent,
      expected: 'an entry for each question',
      advice: 'Add them; a question that is not answered has the answer ""',
    });
  }
  notices.push({
    code: 'missing-ids',
    message,
    advice: 'Each scores 0, as in the official script; add them if they were answered.',
  });
  return notices;
}
