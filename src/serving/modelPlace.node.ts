/** What a place has to serve: read off its config.json and the names of its files, without loading a tensor. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { loadPublishedConfig } from '../checkpoint/modelFolder.node.js';
import { CheckpointError } from '../errors/errors.js';
import { fetchModel } from '../hub/fetchModel.node.js';
import type { Architecture } from '../models/config.js';
import { architectureFor, MODEL_CLASSES, type Task } from '../models/heads.js';
import type { WantedModels } from '../pipelines/definition.js';
import type { LoadOptions } from '../pipelines/load.node.js';
import { PIPELINES, type PipelineName } from '../pipelines/registry.js';
import { locateTokenizer } from '../pretrained/locateTokenizer.node.js';
import { innerPlace, memberOf, resolveModelFolder, trainedLength } from '../pretrained/modelPlaces.node.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import { loadMaxLength, loadTokenizer } from '../text/tokenizer.node.js';

export interface ModelPlace {
  /** Its own class, as config.json names it. */
  readonly architecture?: Architecture;
  /** What `/models/{id}` does: what its class is for. */
  readonly task: PipelineName;
  /** All that it can do; the first is `task`. */
  readonly pipelines: readonly PipelineName[];
  /** Longest row in tokens. */
  readonly maxLength: number;
  readonly hiddenSize: number;
  readonly labels?: readonly string[];
  /** `problem_type` of config.json. */
  readonly problemType?: string;
  readonly tokenizer: WordPieceTokenizer;
}

/** What a class is for. A discriminator judges labels, which clients of the hub have a call for. */
const TASK_OF_CLASS: Readonly<Record<Task, PipelineName>> = {
  encoder: 'feature-extraction',
  preTraining: 'zero-shot-classification',
  maskedLm: 'fill-mask',
  questionAnswering: 'question-answering',
  sequenceClassification: 'text-classification',
  tokenClassification: 'token-classification',
  multipleChoice: 'multiple-choice',
};

/** BERT's pre-training class predicts masked words, ELECTRA's doubts them. */
function taskOf(architecture: Architecture, pleiad?: Readonly<Record<string, unknown>>): PipelineName {
  if (architecture === 'BertForPreTraining') return 'fill-mask';
  const { task } = MODEL_CLASSES[architecture];
  return task === 'sequenceClassification' && pleiad?.objective === 'relation' ? 'relation' : TASK_OF_CLASS[task];
}

/**
 * The folder of a place, fetched where it is a name on the hub.
 * @throws CheckpointError for a file or an archive, HubError when there is no such model
 */
export async function folderOfPlace(place: string, options: Pick<LoadOptions, 'revision' | 'onHubEvent'> = {}) {
  const there = statSync(place, { throwIfNoEntry: false });
  if (there?.isDirectory()) return resolve(place);
  if (there) {
    throw new CheckpointError(`${place} is a file; a server takes the folder of a model or a run`, {
      subject: place,
      expected: 'a folder or a name on the hub',
      advice: `Give its folder, or make one: pleiad convert ${place} FOLDER`,
    });
  }
  return (await fetchModel(place, { ...options, formats: ['safetensors', 'pytorch', 'onnx'] })).folder;
}

/** @throws CheckpointError when there is no model in it, or nothing that it can do */
export async function describePlace(folder: string, lowercase?: boolean): Promise<ModelPlace> {
  const own = ownFolder(folder);
  const { architecture, family, pleiad, labels, otherFields, config } = loadPublishedConfig(own);
  const usual = taskOf(architecture ?? architectureFor(family, 'encoder'), pleiad);
  const names = Object.keys(PIPELINES) as PipelineName[];
  const possible = names.filter((name) => name !== usual && offers(folder, name));
  if (!offers(folder, usual)) throw nothingToDo(folder, architecture);
  const tokenizer = loadTokenizer(await locateTokenizer(folder), { lowercase });
  const known = trainedLength(own) ?? loadMaxLength(own) ?? Number.POSITIVE_INFINITY;
  return {
    architecture,
    task: usual,
    pipelines: [usual, ...possible],
    maxLength: Math.min(config.maxPositionEmbeddings, known),
    hiddenSize: config.hiddenSize,
    labels,
    problemType: otherFields?.problem_type as string | undefined,
    tokenizer,
  };
}

/** The folder of its model, of an ELECTRA the discriminator's. */
function ownFolder(folder: string): string {
  const inner = innerPlace(folder);
  return resolveModelFolder(
    memberOf(inner, ['model', 'discriminator', 'generator']),
    'model',
    'discriminator',
    'generator',
  );
}

/** Whether a pipeline takes one of the place's models as it is. Nothing is said of a head that its config does not name. */
function offers(folder: string, name: PipelineName): boolean {
  const { wants, partner } = PIPELINES[name] as { wants: WantedModels; partner?: WantedModels };
  if (wants.task === 'encoder') return true;
  const inner = innerPlace(folder);
  if (partner && !holds(inner, partner, name)) return false;
  return holds(inner, wants, name);
}

function holds(inner: string, wants: WantedModels, name: PipelineName): boolean {
  return wants.roles.some((role) => {
    const own = folderOfRole(inner, role);
    if (own === undefined) return false;
    const { architecture, pleiad } = loadPublishedConfig(own);
    if (!architecture || !wants.architectures.includes(architecture)) return false;
    const isRelation = pleiad?.objective === 'relation';
    return name === 'relation' ? isRelation : name !== 'text-classification' || !isRelation;
  });
}

/** The folder of a place's model by its role; undefined where it has none. A model that stands alone has every role. */
export function folderOfRole(inner: string, role: WantedModels['roles'][number]): string | undefined {
  try {
    return resolveModelFolder(memberOf(inner, [role]), role);
  } catch {
    return undefined;
  }
}

function nothingToDo(folder: string, architecture: Architecture | undefined): CheckpointError {
  return new CheckpointError(`${folder} holds ${architecture}, for which there is no pipeline`, { subject: folder });
}

/**
 * What the files of a place are now: another text once one of them was replaced, written or removed. Of a run it is the
 * checkpoint that it stands for.
 */
export function placeSignature(folder: string): string {
  try {
    const inner = innerPlace(folder);
    const own = ownFolder(folder);
    // Both halves of a pair stand beside each other.
    const around = existsSync(join(own, '..', 'trainer.json')) || inner !== own ? dirname(own) : own;
    const folders =
      around === own ? [own] : [own, ...['model', 'discriminator', 'generator'].map((role) => join(around, role))];
    return [...new Set(folders)].flatMap(filesOf).join('\n');
  } catch (error) {
    return `unreadable: ${(error as Error).message}`;
  }
}

function filesOf(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .sort()
    .slice(0, 200)
    .flatMap((name) => {
      const stat = statSync(join(folder, name), { throwIfNoEntry: false });
      return stat?.isFile() ? [`${folder}/${name} ${stat.ino} ${stat.size} ${stat.mtimeMs}`] : [];
    });
}

/** What a model is called where no name is given: the last part of its path or name. */
export function idOfPlace(place: string): string {
  return basename(resolve(place));
}
