/** The names under which users of transformers look for models: a class by task, its family by config.json, or a class by name. */
import type { Architecture } from '../models/config.js';
import type { Task } from '../models/heads.js';
import {
  type FromPretrainedOptions,
  fromPretrained,
  type PretrainedModel,
  tokenizerFromPretrained,
} from './pretrained.node.js';

/** What has a name of transformers: `await ElectraModel.fromPretrained('google/electra-small-discriminator')`. */
export interface NamedClass {
  /**
   * As `fromPretrained`, for that task or class.
   * @throws CheckpointError when the model has no such head, or is of the other family
   */
  fromPretrained(
    place: string,
    options?: Omit<FromPretrainedOptions, 'task' | 'architecture'>,
  ): Promise<PretrainedModel>;
}

function auto(task: Task): NamedClass {
  return { fromPretrained: (place, options) => fromPretrained(place, { ...options, task }) };
}

/** A class of the table in models/heads.ts. */
function named(architecture: Architecture): NamedClass {
  return { fromPretrained: (place, options) => fromPretrained(place, { ...options, architecture }) };
}

/** The encoder alone. */
export const AutoModel = auto('encoder');
export const AutoModelForPreTraining = auto('preTraining');
export const AutoModelForMaskedLM = auto('maskedLm');
export const AutoModelForQuestionAnswering = auto('questionAnswering');
export const AutoModelForSequenceClassification = auto('sequenceClassification');
export const AutoModelForTokenClassification = auto('tokenClassification');
export const AutoModelForMultipleChoice = auto('multipleChoice');

/** The encoder alone. */
export const ElectraModel = named('ElectraModel');
/** The discriminator. */
export const ElectraForPreTraining = named('ElectraForPreTraining');
/** The generator. */
export const ElectraForMaskedLM = named('ElectraForMaskedLM');
export const ElectraForQuestionAnswering = named('ElectraForQuestionAnswering');
export const ElectraForSequenceClassification = named('ElectraForSequenceClassification');
export const ElectraForTokenClassification = named('ElectraForTokenClassification');
export const ElectraForMultipleChoice = named('ElectraForMultipleChoice');

/** The encoder alone, with its pooler where the file has one; SpanBERT is a BERT. */
export const BertModel = named('BertModel');
export const BertForPreTraining = named('BertForPreTraining');
export const BertForMaskedLM = named('BertForMaskedLM');
export const BertForQuestionAnswering = named('BertForQuestionAnswering');
export const BertForSequenceClassification = named('BertForSequenceClassification');
export const BertForTokenClassification = named('BertForTokenClassification');
export const BertForMultipleChoice = named('BertForMultipleChoice');

/** One tokenizer for all: what it does is in its files. */
export const AutoTokenizer = { fromPretrained: tokenizerFromPretrained } as const;
export const ElectraTokenizer = AutoTokenizer;
export const BertTokenizer = AutoTokenizer;
