/** The settings of pre-training in the groups that `pleiad pretrain --help-all` shows them in. */
import type { SettingGroups } from './settingGroups.js';

/** What a first run needs, and what is most often changed after it. */
const COMMON = [
  'data',
  'out',
  'size',
  'time',
  'steps',
  'resume',
  'more',
  'moreSteps',
  'from',
  'objective',
  'recipe',
  'masking',
  'seed',
];

const GROUPS = {
  'Model and generator': [
    'model',
    'generator',
    'generatorSizeFraction',
    'generatorLayerFraction',
    'generatorKind',
    'sharing',
    'initialization',
  ],
  'Going on from a model': ['revision', 'generatorRevision', 'newGenerator', 'newHead'],
  Masking: [
    'maskProb',
    'maskProbEnd',
    'maskBudget',
    'maskKeepProb',
    'maskRandomProb',
    'randomTokens',
    'replacementUnit',
    'duplicates',
    'geometricP',
    'maxSpanLength',
    'lengthLaw',
    'spanAnchor',
    'tags',
    'tagProb',
    'tagFallback',
  ],
  'Replacements and losses': ['temperature', 'proposals', 'disallowCorrect', 'mlmWeight', 'discWeight'],
  SpanBERT: ['sbo', 'sboWeight', 'maxSpanTargets', 'sboPositionSize', 'endpoints', 'edgeSpans', 'nextSentence'],
  Rows: ['length', 'lengthStages', 'segments', 'batchSize', 'accumulation', 'accumulationStart', 'accumulationRamp'],
  Optimizer: [
    'learningRate',
    'schedule',
    'power',
    'scheduleStyle',
    'warmupSteps',
    'warmupFraction',
    'weightDecay',
    'adamBeta1',
    'adamBeta2',
    'adamEpsilon',
    'biasCorrection',
    'clipNorm',
    'averageDecay',
    'hiddenDropout',
    'attentionDropout',
  ],
  'Evaluation, checkpoints and log': [
    'evaluateEvery',
    'evaluateBatches',
    'checkpointEvery',
    'keepCheckpoints',
    'logEvery',
  ],
  Engine: ['device', 'engine', 'precision', 'threads'],
};

export const PRETRAINING_GROUPS: SettingGroups = { common: COMMON, groups: GROUPS };
