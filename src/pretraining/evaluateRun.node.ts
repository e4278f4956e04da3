/** Evaluates a checkpoint of a pre-training run on the held-out text of a folder of shards. */
import { dirname, resolve } from 'node:path';
import { readRunFile } from '../checkpoint/runFile.node.js';
import { verifiedCheckpoint } from '../checkpoint/trainerFile.node.js';
import { corpusHash } from '../data/shards.node.js';
import type { Engine } from '../engine/engine.js';
import { CheckpointError, DataError } from '../errors/errors.js';
import { readSnapshot } from '../training/checkpointFolder.node.js';
import { usableWeights } from '../training/exportedTensors.js';
import type { TrainingRunFile } from '../training/runFolder.node.js';
import { tableRowsOf } from '../training/start.js';
import { evaluateHeldOut } from './heldOut.js';
import type { HeldOutMetrics } from './metrics.js';
import { objectiveOf } from './objectiveOf.js';
import { openTrainingShards } from './pretrain.node.js';
import { heldOutData } from './pretrainingData.js';
import type { PretrainingInput, PretrainingSettings } from './settings.js';

export interface RunEvaluation {
  readonly checkpoint: string;
  readonly step: number;
  readonly weightsSha256: string;
  /** Its `unigramCrossEntropy` is by the frequencies of the training text in the same folder of shards. */
  readonly heldOut: HeldOutMetrics;
  /** Whether these are the shards that the run was trained on. */
  readonly isOwnText: boolean;
}

/**
 * Both halves together, as in training: the generator corrupts, the discriminator detects. Masks and draws are those of
 * every other evaluation, so figures can be compared.
 * @param checkpoint  RUN/checkpoints/step-…
 * @param data        a folder of shards made with the run's tokenizer
 * @param maxBatches  default: all of the held-out text
 * @throws CheckpointError when it is no whole checkpoint of a run; DataError when the shards are damaged or have no held-out
 *         text
 */
export async function evaluateCheckpoint(
  checkpoint: string,
  { data, engine, maxBatches }: { data: string; engine: Engine; maxBatches?: number },
): Promise<RunEvaluation> {
  const run = readRunFile<TrainingRunFile<PretrainingInput, PretrainingSettings>>(
    dirname(dirname(resolve(checkpoint))),
  );
  if (!run) {
    throw new CheckpointError(`${checkpoint} lies in no run: there is no run.json two folders above`, {
      subject: checkpoint,
      expected: 'RUN/checkpoints/step-…',
      advice: 'Give the folder of a run, or one of its checkpoints where it was written',
    });
  }
  const trainer = await verifiedCheckpoint(checkpoint);
  const tokenizerHash = String(run.identity.tokenizerHash);
  const shards = await openTrainingShards(data, run.settings, { tokenizerHash, verify: ['heldOut'] });
  try {
    const objective = objectiveOf(run.settings, shards, run.start && tableRowsOf(run.start.sizes));
    const heldOut = heldOutData(shards, run.settings);
    if (!heldOut) {
      throw new DataError(`${data} has no held-out text`, {
        subject: data,
        advice: 'Prepare the text again with a larger part held out: pleiad prepare --held-out-fraction 0.05',
      });
    }
    const trained = usableWeights(readSnapshot(checkpoint, trainer, objective.models));
    const phase = objective.phases[trainer.progress.phase];
    const weights = new Map([...trained].map(([name, tensor]) => [name, tensor.data]));
    const program = await engine.compile(phase.evaluationGraph(), { label: 'evaluation', weights });
    try {
      const metrics = await evaluateHeldOut(program, phase, heldOut, {
        maxBatches: maxBatches ?? heldOut.numBatches,
        objective,
      });
      const { weightsSha256, progress } = trainer;
      const isOwnText = corpusHash(shards.manifest) === run.identity.corpus;
      return { checkpoint, step: progress.step, weightsSha256, heldOut: metrics, isOwnText };
    } finally {
      await program.release();
    }
  } finally {
    shards.close();
  }
}
