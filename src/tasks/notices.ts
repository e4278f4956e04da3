/** Warnings about the data that several tasks have. */
import { settingName } from '../settings/settingNames.js';
import type { TaskNotice } from './task.js';

/**
 * That there are no dev data.
 * @param what    the examples, such as "questions"
 * @param advice  what follows "to train on all", without the full stop
 */
export function heldOutNotice(count: number, what: string, advice = ''): TaskNotice {
  return {
    code: 'dev-held-out',
    message: `There are no dev data, so ${count} of the training ${what} are held out to evaluate on`,
    advice: `Name a file of dev data by ${settingName('dev')} to train on all${advice}.`,
  };
}

/**
 * That texts are longer than a row.
 * @param message  how many, and what they lose
 * @param advice   a further sentence, with a space before it
 */
export function cutNotice(message: string, advice = ''): TaskNotice {
  return {
    code: 'texts-cut',
    message,
    advice: `A larger ${settingName('length')} keeps more, and takes longer.${advice}`,
  };
}
