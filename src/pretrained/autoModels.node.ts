/** The names under which users of transformers look for models: a class by task, its family by config.json. */
import type { Task } from '../models/heads.js';
import {
  type FromPretrainedOptions,
  fromPretrained,
  type PretrainedModel,
  tokenizerFromPretrained,
} from './pretrained.node.js';

interface AutoClass {
  /** As `fromPretrained` with that task. */
  fromPretrained(
    place: string,
    options?: Omit<FromPretrainedOptions, 'task' | 'architecture'>,
  ): Promise<PretrainedModel>;
}

function auto(task: Task): AutoClass {
  return { fromPretrained: (place, options) => fromPretrained(place, { ...options, task }) };
}

/** The encoder alone. */
export const AutoModel = auto('encoder');
export const AutoModelForPreTraining = auto('preTraining');
export const AutoModelForMaskedLM = auto('maskedLm');
export const AutoModelForQuestionAnswering = auto('questionAnswering');
export const AutoModelForSequenceClassification = auto('sequenceClassification');
export const AutoModelForTokenClassification = auto('tokenClassification');
export const AutoModelForMultipleChoice = auto('multipleChoice');
export const AutoTokenizer = { fromPretrained: tokenizerFromPretrained } as const;
