/**
 * What a published config.json says of a model's head: its class and its labels. Both matter only to who wants that head: a
 * class of the user's own around a BERT encoder is no reason to refuse the encoder. So what cannot be used is kept as the
 * error that it will be where it is needed.
 */
import { CheckpointError } from '../errors/errors.js';
import { ARCHITECTURES, type Architecture } from '../models/config.js';
import { MODEL_CLASSES } from '../models/heads.js';
import type { ModelFamily } from '../models/modelGraph.js';

type Fields = Readonly<Record<string, unknown>>;

/** A value, or why there is none; neither where the file does not say. */
export interface Said<T> {
  readonly value?: T;
  readonly unfit?: CheckpointError;
}

/** The names in `architectures`, which is a list, in some files a single name, in others null or absent. */
function classNames({ architectures }: Fields): string[] {
  const listed: unknown[] = Array.isArray(architectures) ? architectures : [architectures];
  return listed.filter((name): name is string => typeof name === 'string' && name !== '');
}

/** `model_type`; the oldest files have none, and are BERT's unless they say otherwise. */
export function familyIn(fields: Fields, source: string): ModelFamily {
  const named = fields.model_type;
  if (named === 'electra' || named === 'bert') return named;
  if (named !== undefined && named !== null) {
    throw unfit(source, `has model_type ${JSON.stringify(named)}`, 'model_type "electra" or "bert"');
  }
  const isElectra = classNames(fields).some((name) => withoutFramework(name).startsWith('Electra'));
  // Of the families that were ever without a model_type only ELECTRA has a size of its embeddings.
  return isElectra || fields.embedding_size !== undefined ? 'electra' : 'bert';
}

/** The TensorFlow and Flax classes of transformers have the same heads. */
const withoutFramework = (name: string) => name.replace(/^(TF|Flax)(?=Electra|Bert)/, '');

/** The first class of ours that config.json names. */
export function architectureIn(fields: Fields, family: ModelFamily, source: string): Said<Architecture> {
  const names = classNames(fields);
  if (names.length === 0) return {};
  const known = ARCHITECTURES.filter((name) => MODEL_CLASSES[name].family === family);
  const value = names.map(withoutFramework).flatMap((found) => known.filter((name) => name === found))[0];
  if (value) return { value };
  const error = new CheckpointError(
    `${source} has architectures ${JSON.stringify(fields.architectures)}; expected ${known.join(' or ')}`,
    {
      subject: source,
      found: fields.architectures,
      expected: known.join(' or '),
      advice: 'Say what it is to be loaded as, for instance its encoder: task encoder (--task encoder)',
    },
  );
  return { unfit: error };
}

/** More labels than any task has: the head's matrix is made from their number. */
const MOST_LABELS = 100_000;

const isCount = (value: unknown): value is number => Number.isInteger(value) && (value as number) >= 1;
const madeUp = (count: number) => Array.from({ length: count }, (_, id) => `LABEL_${id}`);

/**
 * Names of the labels, by id: `id2label`, else `label2id`; where `num_labels` says another number, as many names as
 * transformers makes up.
 */
export function labelsIn(fields: Fields, source: string): Said<string[]> {
  const { id2label, label2id, num_labels: count } = fields;
  const isSaid = (value: unknown) => value !== undefined && value !== null;
  if (isSaid(count) && !(isCount(count) && count <= MOST_LABELS)) {
    return { unfit: unfit(source, `has num_labels ${shown(count)}`, 'a positive integer') };
  }
  const named = isSaid(id2label) ? namesById(tableOf(id2label)) : namesById(inverted(tableOf(label2id)));
  if (
    isCount(count) &&
    (!isSaid(id2label) || Object.keys(tableOf(id2label)).length !== count) &&
    named?.length !== count
  ) {
    return { value: madeUp(count) };
  }
  if (named) return { value: named };
  if (!isSaid(id2label)) return {};
  return { unfit: unfit(source, `has id2label ${shown(id2label)}`, 'names for the ids 0, 1, 2, …') };
}

const tableOf = (value: unknown) =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};

/** Names of the ids 0, 1, 2, …; numbers and truth values are taken for names, as transformers takes them. */
function namesById(table: Record<string, unknown>): string[] | undefined {
  const size = Math.min(Object.keys(table).length, MOST_LABELS);
  const names = Array.from({ length: size }, (_, id) => table[String(id)]);
  const isName = (name: unknown) => ['string', 'number', 'boolean'].includes(typeof name);
  return size > 0 && names.every(isName) ? names.map(String) : undefined;
}

function inverted(label2id: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(label2id).map(([name, id]) => [String(id), name]));
}

function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 200);
}

/** A config.json that cannot be used. */
export function unfit(source: string, problem: string, expected?: string): CheckpointError {
  return new CheckpointError(`${source} ${problem}${expected ? `; expected ${expected}` : ''}`, {
    subject: source,
    expected,
  });
}
