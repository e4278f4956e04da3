/** The settings of pre-training in the groups that `pleiad pretrain --help-all` shows them in. */

/** What a first run needs, and what is most often changed after it: all that `--help` shows. */
export const COMMON_SETTINGS: readonly string[] = [
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
  'masking',
  'seed',
];

const GROUPS: Readonly<Record<string, readonly string[]>> = {
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
  Rows: ['length', 'segments', 'batchSize', 'accumulation'],
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

export const OTHER_SETTINGS = 'Other settings';

/** The heading that a setting stands under; undefined for the common ones. */
export function groupOf(setting: string): string | undefined {
  if (COMMON_SETTINGS.includes(setting)) return undefined;
  const found = Object.entries(GROUPS).find(([, names]) => names.includes(setting));
  return found?.[0] ?? OTHER_SETTINGS;
}

/** Where a setting stands: the common ones first, in that order, then the groups. */
export function helpOrder(setting: string): number {
  const all = [...COMMON_SETTINGS, ...Object.values(GROUPS).flat()];
  return all.includes(setting) ? all.indexOf(setting) : all.length;
}
