/** The settings of fine-tuning in the groups that `pleiad finetune --help-all` shows them in. */
import type { SettingGroups } from './settingGroups.js';

export const FINE_TUNING_GROUPS: SettingGroups = {
  common: ['task', 'from', 'train', 'dev', 'columns', 'out', 'epochs', 'resume', 'metric', 'seed'],
  groups: {
    'Data and model': ['maxTrainRows', 'labels', 'problemType', 'classWeights', 'revision', 'tokenizer'],
    Rows: ['length', 'batchSize', 'batchTokens', 'groupByLength', 'accumulation', 'steps', 'moreSteps'],
    'Question answering': [
      'qaHead',
      'docStride',
      'maxAnswerLength',
      'emptyWindows',
      'noAnswerShare',
      'misplacedAnswers',
    ],
    Optimizer: [
      ...['learningRate', 'layerRateDecay', 'schedule', 'power', 'scheduleStyle', 'warmupSteps', 'warmupFraction'],
      ...['weightDecay', 'adamBeta1', 'adamBeta2', 'adamEpsilon', 'biasCorrection', 'clipNorm'],
      ...['hiddenDropout', 'attentionDropout'],
    ],
    'Evaluation, checkpoints and log': ['evaluateEvery', 'patience', 'checkpointEvery', 'keepCheckpoints', 'logEvery'],
    Engine: ['device', 'engine', 'precision', 'threads'],
  },
};
