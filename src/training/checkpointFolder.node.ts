/** One checkpoint on disk: model folders, trainer.safetensors with the rest, and trainer.json, which vouches for all. */
import { join } from 'node:path';
import { floatTensor, saveModelFolder, toSafetensors, weightFiles } from '../checkpoint/modelFolder.node.js';
import {
  CHECKPOINT_VERSION,
  type RunIdentity,
  TRAINER_FILE,
  type TrainerFile,
} from '../checkpoint/trainerFile.node.js';
import { CheckpointError } from '../errors/errors.js';
import type { FileRecord } from '../files/digest.node.js';
import { makeFolder, writeFileDurably } from '../files/durableFile.node.js';
import { SafetensorsFile, writeSafetensors } from '../formats/safetensors.node.js';
import type { WordPieceTokenizer } from '../text/tokenizer.js';
import type { Snapshot } from './checkpoint.js';
import type { EvaluationResult } from './evaluation.js';
import { exportedTensors, usableWeights } from './exportedTensors.js';
import type { Metrics, ModelExport } from './objective.js';
import { type NamedArray, weightsSha256 } from './weightsHash.js';

const TENSORS_FILE = 'trainer.safetensors';

/** What a checkpoint is written and read by. */
export interface CheckpointContents {
  readonly objective: string;
  readonly identity: RunIdentity;
  readonly models: readonly ModelExport[];
  readonly tokenizer?: WordPieceTokenizer;
  /** Tokens in a row while training: positions beyond it have learned nothing. */
  readonly length?: number;
}

/** Writes all files of a checkpoint into a folder that nobody reads yet. */
export async function writeCheckpointFiles(
  folder: string,
  snapshot: Snapshot,
  { objective, identity, models, tokenizer, length: longest }: CheckpointContents,
): Promise<TrainerFile> {
  makeFolder(folder);
  const { progress, parameters, length = longest } = snapshot;
  const usable = usableWeights(snapshot);
  const fitted = snapshot.evaluation?.files;
  const files: Record<string, FileRecord> = {};
  for (const { folder: name, tensors, sums, files: beside = {}, ...description } of models) {
    const trained = { objective, step: progress.step, tokensSeen: progress.tokensSeen, length };
    const pleiad = { ...description.pleiad, ...trained };
    const own = exportedTensors({ tensors, sums }, usable);
    const written = await saveModelFolder(join(folder, name), { ...description, tensors: own, tokenizer, pleiad });
    for (const [file, text] of Object.entries({ ...beside, ...fitted })) {
      written.set(file, await writeFileDurably(join(folder, name, file), [text]));
    }
    for (const [file, record] of written) files[`${name}/${file}`] = record;
  }
  files[TENSORS_FILE] = await writeSafetensors(join(folder, TENSORS_FILE), trainerTensors(snapshot, models));
  const trainer: TrainerFile = {
    format: 'pleiad-checkpoint',
    version: CHECKPOINT_VERSION,
    objective,
    identity,
    progress,
    ...(snapshot.evaluation && { evaluation: withNumbers(snapshot.evaluation) }),
    ...(snapshot.average && { averaged: true as const }),
    weightsSha256: await weightsSha256(parameters),
    files,
  };
  await writeFileDurably(join(folder, TRAINER_FILE), [`${JSON.stringify(trainer, null, 2)}\n`]);
  return trainer;
}

/** Moments, and the parameters (or their averages) that are in no model folder. */
function trainerTensors({ parameters, firstMoment, secondMoment, average }: Snapshot, models: readonly ModelExport[]) {
  const elsewhere = new Set(models.flatMap(({ tensors }) => [...tensors.values()]));
  const restOf = (tensors: ReadonlyMap<string, NamedArray>) =>
    new Map([...tensors].filter(([name]) => !elsewhere.has(name)));
  const weights = average ? { parameter: parameters, average: restOf(average) } : { parameter: restOf(parameters) };
  return Object.entries({ ...weights, firstMoment, secondMoment }).flatMap(([kind, tensors]) =>
    [...tensors].map(([name, tensor]) => toSafetensors(`${kind}:${name}`, tensor)),
  );
}

/** An evaluation as trainer.json has it. */
function withNumbers({ metrics, score, better }: EvaluationResult) {
  return { metrics: numbersOf(metrics), score, better };
}

function numbersOf(metrics: Metrics): Record<string, number> {
  return Object.fromEntries(
    Object.entries(metrics).filter((entry): entry is [string, number] => entry[1] !== undefined),
  );
}

/** @throws CheckpointError naming both values when the checkpoint is of another model, vocabulary or corpus */
export function checkIdentity(folder: string, trainer: TrainerFile, expected: CheckpointContents): void {
  const found: RunIdentity = { objective: trainer.objective, ...trainer.identity };
  for (const [name, value] of Object.entries({ objective: expected.objective, ...expected.identity })) {
    if (found[name] === value) continue;
    throw new CheckpointError(`${folder}: ${name} is ${found[name]} in the checkpoint and ${value} now`, {
      subject: folder,
      found: found[name],
      expected: String(value),
      advice: 'Resume with the data and settings that the run began with, or start a new run in another folder',
    });
  }
}

/** Reads all tensors of a verified checkpoint. */
export function readSnapshot(folder: string, trainer: TrainerFile, models: readonly ModelExport[]): Snapshot {
  const kinds = new Map<string, Map<string, NamedArray>>();
  const parameters = new Map<string, NamedArray>();
  const average = new Map<string, NamedArray>();
  kinds.set('parameter', parameters).set('average', average);
  kinds.set('firstMoment', new Map()).set('secondMoment', new Map());
  const ofModels = trainer.averaged ? average : parameters;
  for (const { folder: name, tensors } of models) {
    for (const file of weightFiles(join(folder, name))) {
      readTensors(file, (published, tensor) => {
        const parameter = tensors.get(published);
        if (parameter) ofModels.set(parameter, tensor);
      });
    }
  }
  readTensors(join(folder, TENSORS_FILE), (name, tensor) => {
    const [kind, ...rest] = name.split(':');
    kinds.get(kind)?.set(rest.join(':'), tensor);
  });
  return {
    progress: trainer.progress,
    parameters,
    firstMoment: kinds.get('firstMoment')!,
    secondMoment: kinds.get('secondMoment')!,
    ...(trainer.averaged && { average }),
    ...(trainer.evaluation && { evaluation: trainer.evaluation }),
  };
}

function readTensors(path: string, use: (name: string, tensor: NamedArray) => void): void {
  const file = SafetensorsFile.open(path);
  try {
    for (const name of file.names) use(name, floatTensor(file, name));
  } finally {
    file.close();
  }
}
