/** Pre-training anywhere: the trainer with what is particular to pre-training. Knows no file. */
import type { MaskedBatch } from '../data/maskedBatch.js';
import type { TrainingEvent } from '../training/events.js';
import { type TrainerDependencies, train } from '../training/trainer.js';
import { pretrainingChecks } from './health.js';
import { type HeldOutData, heldOutEvaluation } from './heldOut.js';
import { definitionOf } from './objectives.js';
import type { PretrainingSettings } from './settings.js';

export interface PretrainDependencies
  extends Omit<TrainerDependencies<MaskedBatch>, 'evaluation' | 'checks' | 'initialization' | 'keepsStart'> {
  /** Without it there are no evaluations, and the newest checkpoint is the best. */
  readonly heldOut?: HeldOutData;
  /** Weights to begin with, by parameter name; all others are drawn. */
  readonly initialWeights?: ReadonlyMap<string, Float32Array>;
}

/**
 * Pre-trains a model.
 * @throws as `train`
 */
export function pretrain(
  settings: PretrainingSettings,
  { heldOut, initialWeights, ...dependencies }: PretrainDependencies,
): AsyncGenerator<TrainingEvent, void, undefined> {
  const { objective } = dependencies;
  return train(settings, {
    ...dependencies,
    ...trainerParts(settings, { objective, heldOut, initialWeights }),
    keepsStart: settings.from !== undefined,
  });
}

/** What the trainer is given of the settings of pre-training. */
export function trainerParts(
  { model, objective: name, generatorKind, evaluateBatches }: PretrainingSettings,
  { objective, heldOut, initialWeights }: Pick<PretrainDependencies, 'objective' | 'heldOut' | 'initialWeights'>,
): Pick<TrainerDependencies<MaskedBatch>, 'evaluation' | 'checks' | 'initialization'> {
  const learnsWords = generatorKind === 'model' || !definitionOf({ objective: name }).hasGenerator;
  return {
    ...(heldOut && {
      evaluation: heldOutEvaluation(objective, heldOut, evaluateBatches),
      checks: pretrainingChecks(learnsWords ? heldOut.unigramAccuracy : 0),
    }),
    initialization: { initializerRange: model.initializerRange, weights: initialWeights },
  };
}
