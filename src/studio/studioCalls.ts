/** The one table of calls that the Studio's screens make. Adding one is a file in calls/ and a line here. */
import { doubtWords } from './calls/doubtWords.js';
import { explainAnswer } from './calls/explainAnswer.js';
import { predictSpan } from './calls/predictSpan.js';
import { proposeWords } from './calls/proposeWords.js';
import { runPipeline } from './calls/runPipeline.js';
import type { StudioCall } from './studioCall.js';

export const STUDIO_CALLS = {
  ask: explainAnswer,
  proofread: doubtWords,
  proposals: proposeWords,
  runPipeline,
  span: predictSpan,
} as const satisfies Record<string, StudioCall>;

export type StudioCallName = keyof typeof STUDIO_CALLS;
