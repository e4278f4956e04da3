/** Where answers are wrong: questions by kind and by the length of their answer, and those with the worst F1. */
import { sentenceAround } from '../../text/sentenceAround.js';
import { reliabilityOf } from '../report/reliability.js';
import type { ExampleText, GroupsSection, ReportSection, ScoredGroup, TextMark } from '../report/report.js';
import { type Mistake, worstExamples } from '../report/worstExamples.js';
import { mean, type Prediction, scoresOf } from './evaluation.js';
import { pythonWords } from './metrics/squadText.js';
import type { Question } from './questions.js';

export interface QuestionReportOptions {
  /** A question whose score of "no answer" is above it counts as answered by none. Without it no answer is taken back. */
  readonly threshold?: number;
  /** That scores become probabilities with. Default 1. */
  readonly temperature?: number;
}

/** An answer as it counts, with its scores. */
interface Judged {
  readonly question: Question;
  readonly answer: string;
  readonly f1: number;
  readonly exactMatch: number;
  readonly start?: number;
  readonly probability?: number;
  /** By how much the model preferred what it said, where no probability is known. */
  readonly margin: number;
}

/** @param predictions  of each question; those of a file have answers alone */
export function questionSections(
  questions: readonly Question[],
  predictions: readonly Partial<Prediction>[],
  options: QuestionReportOptions,
): ReportSection[] {
  const hasBoth = questions.some(({ isImpossible }) => isImpossible);
  const judged = questions.map((question, i) => judgedAnswer(question, predictions[i], { ...options, hasBoth }));
  const known = judged.flatMap(({ probability, exactMatch }) =>
    probability === undefined ? [] : [{ confidence: probability, isRight: exactMatch === 1 }],
  );
  const answerable = judged.filter(({ question }) => !question.isImpossible);
  return [
    ...(hasBoth ? [groupsOf('answerable', judged, ({ question }) => ANSWERABLE[question.isImpossible ? 1 : 0])] : []),
    groupsOf('answerLength', answerable, ({ question }) => lengthOf(question), LENGTHS),
    groupsOf('questionWord', judged, ({ question }) => questionWord(question.question)),
    ...(known.length > 0 ? [reliabilityOf('answer', known)] : []),
    worstExamples(judged.flatMap(mistakeOf)),
  ];
}

function judgedAnswer(
  question: Question,
  { answer = '', start, probability, noAnswerScore }: Partial<Prediction>,
  { threshold, temperature = 1, hasBoth }: QuestionReportOptions & { readonly hasBoth: boolean },
): Judged {
  const isNone = answer === '' || (hasBoth && threshold !== undefined && (noAnswerScore ?? 0) > threshold);
  const { f1, exactMatch } = scoresOf(isNone ? '' : answer, question);
  const margin = Math.abs((noAnswerScore ?? 0) - (threshold ?? 0));
  const judged = { question, answer: isNone ? '' : answer, f1, exactMatch, margin };
  if (isNone && !hasBoth) return judged;
  // p is among the answers; beside "no answer", whose odds to this one are e^(score / T), it is p / (1 + p·odds).
  const odds = hasBoth && noAnswerScore !== undefined ? Math.exp(noAnswerScore / temperature) : 0;
  const beside = probability === undefined ? undefined : probability / (1 + probability * odds);
  const ofNone = Number.isFinite(odds) ? (beside ?? 0) * odds : 1;
  const own = beside === undefined ? {} : { probability: isNone ? ofNone : beside };
  return { ...judged, ...own, ...(!isNone && start !== undefined && { start }) };
}

const ANSWERABLE = ['with an answer', 'without an answer'] as const;

/** @param order  of the names; by default those with the most questions come first */
function groupsOf(
  by: GroupsSection['by'],
  judged: readonly Judged[],
  nameOf: (each: Judged) => string,
  order?: readonly string[],
): GroupsSection {
  const groups = new Map<string, Judged[]>(order?.map((name) => [name, []]));
  for (const each of judged) {
    const name = nameOf(each);
    groups.set(name, [...(groups.get(name) ?? []), each]);
  }
  const scored = [...groups].flatMap(([name, own]): ScoredGroup[] => {
    if (own.length === 0) return [];
    const [f1, exactMatch] = [mean(own.map((each) => each.f1)), mean(own.map((each) => each.exactMatch))];
    return [{ name, rows: own.length, f1, exactMatch }];
  });
  return { kind: 'groups', by, groups: order ? scored : scored.sort((a, b) => b.rows - a.rows) };
}

/** Words of an answer. */
const LENGTHS = ['1', '2', '3', '4–5', '6–10', '11 or more'];

/** By the shortest of the references. */
function lengthOf({ references }: Question): string {
  const words = Math.min(...references.map((reference) => Math.max(1, pythonWords(reference).length)));
  if (words <= 3) return LENGTHS[words - 1];
  return words <= 5 ? LENGTHS[3] : words <= 10 ? LENGTHS[4] : LENGTHS[5];
}

/** What asks, by the first of these in a question; Korean by how its words begin. */
const QUESTION_WORDS: readonly (readonly [name: string, pattern: RegExp])[] = [
  ['how many', /\bhow (many|much)\b|(^|\s)(몇|얼마)/i],
  ['who', /\b(who|whom|whose)\b|(^|\s)(누구|누가)/i],
  ['what', /\bwhat\b|(^|\s)(무엇|무슨|뭐|뭘)/i],
  ['which', /\bwhich\b|(^|\s)(어느|어떤)/i],
  ['when', /\bwhen\b|(^|\s)언제/i],
  ['where', /\bwhere\b|(^|\s)어디/i],
  ['why', /\bwhy\b|(^|\s)왜/i],
  ['how', /\bhow\b|(^|\s)(어떻게|어찌)/i],
];

function questionWord(question: string): string {
  const found = QUESTION_WORDS.flatMap(([name, pattern]) => {
    const at = question.search(pattern);
    return at < 0 ? [] : [{ name, at }];
  });
  return found.reduce((first, each) => (each.at < first.at ? each : first), { name: 'other', at: Number.MAX_VALUE })
    .name;
}

const NO_ANSWER = 'no answer';

/** Worse the less F1, and of equals the surer the model was. */
function mistakeOf({ question, answer, f1, exactMatch, start, probability, margin }: Judged): Mistake[] {
  if (exactMatch === 1) return [];
  const [wanted = NO_ANSWER] = question.references;
  const sureness = probability ?? margin / (1 + margin);
  const example = () => ({
    place: question.place,
    texts: [{ name: 'question', text: question.question }, sentenceOf(question, answer, start)],
    wanted,
    got: answer === '' ? NO_ANSWER : answer,
    f1,
    ...(probability !== undefined && { probability }),
  });
  return [{ badness: 1 - f1 + sureness / 1000, example }];
}

/** The sentence in which the answer stands, and, where that is another, the one of what was said instead. */
function sentenceOf({ context, answers: [first] }: Question, answer: string, start?: number): ExampleText {
  const at = start ?? context.indexOf(answer);
  const places: TextMark[] = [];
  if (first) places.push({ ...first, kind: 'wanted' });
  if (answer !== '' && at >= 0) places.push({ start: at, end: at + answer.length, kind: 'got' });
  const shown: { from: number; to: number }[] = [];
  const sentences = (places.length > 0 ? places : [{ start: 0, end: 0 }]).map((place) =>
    sentenceAround(context, place),
  );
  for (const sentence of sentences.sort((a, b) => a.from - b.from)) {
    const last = shown.at(-1);
    if (last && sentence.from <= last.to) last.to = Math.max(last.to, sentence.to);
    else shown.push({ ...sentence });
  }
  let text = '';
  const marks: TextMark[] = [];
  for (const { from, to } of shown) {
    if (text !== '') text += '… ';
    const moved = text.length - from;
    for (const place of places.filter((each) => each.start >= from && each.end <= to))
      marks.push({ ...place, start: place.start + moved, end: place.end + moved });
    text += context.slice(from, to);
  }
  return { name: 'context', text, marks };
}
