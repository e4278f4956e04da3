/** The one table of calls that the Studio's screens make. Adding one is a file in calls/ and a line here. */
import { corruptionScores } from './calls/corruptionScores.js';
import { electraStep } from './calls/electraStep.js';
import { gapComparison } from './calls/gapComparison.js';
import { spotRound } from './calls/spotRound.js';
import { tokenize } from './calls/tokenize.js';
import type { StudioCall } from './studioCall.js';

export const STUDIO_CALLS = {
  'corruption-scores': corruptionScores,
  'electra-step': electraStep,
  'gap-comparison': gapComparison,
  'spot-round': spotRound,
  tokenize,
} as const satisfies Record<string, StudioCall>;

export type StudioCallName = keyof typeof STUDIO_CALLS;
