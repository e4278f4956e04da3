/** The model that fine-tuning starts from: an encoder from anywhere, with a head for the task. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { familyOf } from '../checkpoint/modelFolder.js';
import { loadPublishedConfig } from '../checkpoint/modelFolder.node.js';
import { CheckpointError, DataError } from '../errors/errors.js';
import { type Task as HeadName, MODEL_CLASSES, type QuestionAnsweringHead } from '../models/heads.js';
import {
  type FetchOptions,
  type LoadPretrainedOptions,
  loadPretrained,
  type Pretrained,
  tokenizerFromPretrained,
} from '../pretrained/pretrained.node.js';
import { settingName, settingWith } from '../settings/settingNames.js';
import type { Start } from '../training/start.js';

export interface EncoderChoice {
  readonly from: string;
  /** Branch, tag or commit on the hub. */
  readonly revision?: string;
  /** Where the tokenizer is, for weights without one. */
  readonly tokenizer?: string;
  readonly head: HeadName;
  readonly labels: readonly string[];
  /** Of question answering. */
  readonly questionAnsweringHead?: QuestionAnsweringHead;
  /** What config.json says of the model besides, such as `problem_type`. */
  readonly configFields?: Readonly<Record<string, unknown>>;
}

/**
 * Loads an encoder. Its head is new, but that of a model that was fine-tuned for the very labels.
 * @throws CheckpointError when there is no such model, or it has no tokenizer
 */
export async function loadEncoder(choice: EncoderChoice, hub: FetchOptions = {}): Promise<Start> {
  const { from, revision, head, labels, questionAnsweringHead } = choice;
  const options: LoadPretrainedOptions = {
    ...hub,
    ...(revision !== undefined && { revision }),
    task: head,
    labels,
    ...(questionAnsweringHead && { questionAnsweringHead }),
    newHead: true,
    roles: ['model', 'discriminator', 'generator'],
  };
  const loaded = await named(from, () => keepingCase(from, options));
  const { model, folder, report, guessedConfig } = loaded;
  const tokenizer =
    choice.tokenizer === undefined ? loaded.tokenizer : await tokenizerFromPretrained(choice.tokenizer, hub);
  if (!tokenizer) throw noTokenizer(from);
  const isNew = isOfHead(keepsHead(folder, choice), report.initialized);
  const tensors = new Map([...loaded.tensors].filter(([name]) => !isNew(name)));
  // What the model's own labels meant is no matter here.
  const { problem_type: _, ...others } = model.otherFields ?? {};
  const otherFields = { ...others, ...choice.configFields };
  const description = { ...model, otherFields, config: { ...model.config, padTokenId: tokenizer.padId } };
  return {
    models: [
      {
        role: 'model',
        source: from,
        folder,
        ...(loaded.hub && { hub: loaded.hub }),
        description,
        guessedConfig,
        tensors,
        report,
        tokenizer,
      },
    ],
    sizes: { family: familyOf(model.architecture), model: description.config },
  };
}

/** Whether a published model has the head, for the very labels with the same meaning. */
function keepsHead(folder: string, { head, labels, configFields }: EncoderChoice): boolean {
  if (!existsSync(join(folder, 'config.json'))) return false;
  const published = loadPublishedConfig(folder);
  const { architecture } = published;
  if (architecture === undefined || MODEL_CLASSES[architecture].task !== head) return false;
  if (labels.length === 0) return true;
  const meaning = meaningOf(configFields);
  const isOwn = published.labels?.join('\n') === labels.join('\n');
  // A number is a number, whatever it is called.
  const isNumber = meaning === 'regression' && published.labels?.length === 1;
  return (isOwn || isNumber) && meaningOf(published.otherFields) === meaning;
}

/** One label a text is what transformers takes for said where nothing is. */
const meaningOf = (fields: Readonly<Record<string, unknown>> = {}) =>
  fields.problem_type ?? 'single_label_classification';

/** What starts at random: what the file lacks, and a classifier of other labels. */
function isOfHead(keeps: boolean, initialized: readonly string[]): (name: string) => boolean {
  const missing = new Set(initialized);
  return (name) => missing.has(name) || (!keeps && /^(classifier|qa_outputs|sequence_summary)\./.test(name));
}

/** A cased vocabulary that its files want lower-cased is read as it was made. */
async function keepingCase(from: string, options: LoadPretrainedOptions): Promise<Pretrained> {
  try {
    return await loadPretrained(from, options);
  } catch (error) {
    const isCasing = error instanceof DataError && (error.found as { unreachable?: number } | undefined)?.unreachable;
    if (!isCasing) throw error;
    return loadPretrained(from, { ...options, lowercase: false });
  }
}

async function named<T>(from: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CheckpointError) error.message = `${settingName('from')} ${from}: ${error.message}`;
    throw error;
  }
}

function noTokenizer(from: string): CheckpointError {
  return new CheckpointError(`${settingName('from')} ${from} comes without a tokenizer`, {
    subject: from,
    expected: 'tokenizer.json or vocab.txt beside the weights',
    advice: `Say where it is: ${settingWith('tokenizer', 'PLACE')}`,
  });
}
