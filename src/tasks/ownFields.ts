/** Settings that tasks have beside those of all: a line a task. */
import { QUESTION_ANSWERING_FIELDS } from './questionAnswering/fields.js';

export const OWN_FIELDS = {
  ...QUESTION_ANSWERING_FIELDS,
};
