/** What a shared page knows of its model: plain data in the page, read by its script. */
import type { Architecture } from '../models/config.js';
import type { StudioRole } from './studioCall.js';

/** What a reader does with a shared page. */
export const SHARED_TASKS = ['ask', 'classify', 'tag', 'proofread', 'fill'] as const;
export type SharedTask = (typeof SHARED_TASKS)[number];

/** Of the element with this data as JSON. */
export const DATA_ID = 'pleiad-data';
/** Begins the id of every element with a file: gzip in base64. */
export const BLOB_PREFIX = 'pleiad-file-';
/** The name of the engine's file among them. */
export const ENGINE_BLOB = 'engine';

export interface SharedFolder {
  readonly role: StudioRole;
  readonly architecture: Architecture;
  readonly maxLength?: number;
  readonly files: readonly { readonly name: string; readonly blob: string }[];
}

export interface SharedPageData {
  readonly task: SharedTask;
  /** What the page calls itself. */
  readonly title: string;
  /** The model's id within the page. */
  readonly id: string;
  readonly folders: readonly SharedFolder[];
  /** Whether its vocabulary is Korean: example texts then are. */
  readonly isKorean: boolean;
  /** Of a classifier: its outputs are numbers, not probabilities. */
  readonly givesNumbers: boolean;
  /** Of Pleiad. */
  readonly version: string;
}

/** The task of a model's class; undefined for one that a page has no use for. */
export function sharedTaskOf(architecture: Architecture): SharedTask | undefined {
  if (architecture.endsWith('ForQuestionAnswering')) return 'ask';
  if (architecture.endsWith('ForSequenceClassification')) return 'classify';
  if (architecture.endsWith('ForTokenClassification')) return 'tag';
  if (architecture === 'ElectraForPreTraining') return 'proofread';
  return /^(ElectraForMaskedLM|BertForMaskedLM|BertForPreTraining)$/.test(architecture) ? 'fill' : undefined;
}
