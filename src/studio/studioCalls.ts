/** The one table of calls that the Studio's screens make. Adding one is a file in calls/ and a line here. */
import { corruptionScores } from './calls/corruptionScores.js';
import { doubtWords } from './calls/doubtWords.js';
import { electraStep } from './calls/electraStep.js';
import { explainAnswer } from './calls/explainAnswer.js';
import { gapComparison } from './calls/gapComparison.js';
import { inspectModel } from './calls/inspectModel.js';
import { predictProbesCall } from './calls/predictProbes.js';
import { predictSpan } from './calls/predictSpan.js';
import { proposeWords } from './calls/proposeWords.js';
import { runPipeline } from './calls/runPipeline.js';
import { spotRound } from './calls/spotRound.js';
import { tokenize } from './calls/tokenize.js';
import type { StudioCall } from './studioCall.js';

export const STUDIO_CALLS = {
  ask: explainAnswer,
  'corruption-scores': corruptionScores,
  'electra-step': electraStep,
  'gap-comparison': gapComparison,
  'inspect-model': inspectModel,
  'predict-probes': predictProbesCall,
  proofread: doubtWords,
  proposals: proposeWords,
  runPipeline,
  span: predictSpan,
  'spot-round': spotRound,
  tokenize,
} as const satisfies Record<string, StudioCall>;

export type StudioCallName = keyof typeof STUDIO_CALLS;
