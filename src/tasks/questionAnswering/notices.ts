/** What of questions, windows and answers deserves a warning before training. */
import { settingName } from '../../settings/settingNames.js';
import { heldOutNotice } from '../notices.js';
import type { TaskNotice } from '../task.js';
import type { EncodedQuestion, LearnedRows } from './encodedQuestions.js';
import type { Question } from './questions.js';

export interface NoticedData {
  readonly train: readonly EncodedQuestion[];
  readonly dev: readonly Question[];
  /** Whether the dev questions were held out of the training data. */
  readonly heldOut: boolean;
  /** Questions that were left out because of the places of their answers. */
  readonly leftOut: number;
  readonly learned: LearnedRows;
  /** Tokens of a row, at most. */
  readonly length: number;
}

export function questionNotices({ train, dev, heldOut, leftOut, learned, length }: NoticedData): TaskNotice[] {
  const { rows, unseen, split } = learned;
  const notices: TaskNotice[] = [];
  const add = (when: boolean, code: string, message: string, advice: string) => {
    if (when) notices.push({ code, message, advice });
  };
  if (heldOut) notices.push(heldOutNotice(dev.length, 'questions'));
  add(
    leftOut > 0,
    'answers-misplaced',
    `${leftOut} training questions are left out: their answers do not stand at their offset`,
    'Mend the offsets to train on all.',
  );
  const cut = train.filter(({ isCut }) => isCut).length;
  add(
    cut > 0,
    'questions-cut',
    `${cut} of ${train.length} training questions lose their end: more than 64 word pieces, or than half of ${length} tokens`,
    'Shorten them if their end matters.',
  );
  const long = train.filter((each) => each.rows.length > 1).length;
  const empty = rows.filter(({ startPosition }) => startPosition === 0).length;
  add(
    long > 0,
    'contexts-cut',
    `${long} of ${train.length} training questions have a context of more than ${length} tokens, which is read in overlapping windows: ${rows.length} rows`,
    `A larger ${settingName('length')} keeps more together, and takes longer.`,
  );
  add(
    split > 0 || unseen > 0,
    'answers-split',
    `${split + unseen} training questions have an answer that no window shows whole, or that has no word piece`,
    `A larger ${settingName('length')} or ${settingName('docStride')} shows more of them.`,
  );
  const impossible = train.filter(({ question }) => question.isImpossible).length;
  const share = (part: number, whole: number) => `${part} of ${whole} (${((100 * part) / whole).toFixed(1)} %)`;
  add(
    impossible > 0,
    'no-answer-share',
    `${share(impossible, train.length)} training questions have no answer, and ${share(empty, rows.length)} windows show none`,
    'How sure the model must be of "no answer" is fitted on the dev data and kept in the model folder.',
  );
  const devImpossible = dev.filter(({ isImpossible }) => isImpossible).length;
  add(
    impossible > 0 && (devImpossible === 0 || devImpossible === dev.length),
    'dev-one-kind',
    devImpossible === 0
      ? 'Every dev question has an answer, so nothing says how sure the model must be of "no answer"'
      : 'No dev question has an answer, so answering nothing is the best',
    `Give ${settingName('dev')} questions of both kinds.`,
  );
  add(
    impossible === 0 && devImpossible > 0,
    'no-answer-unseen',
    `${share(devImpossible, dev.length)} dev questions have no answer, and every training question has one`,
    `Train on some without an answer too, or give ${settingName('dev')} answerable questions alone.`,
  );
  return notices;
}
