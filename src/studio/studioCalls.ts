/** The one table of calls that the Studio's screens make. Adding one is a file in calls/ and a line here. */
import { inspectModelCall } from './calls/inspectModel.js';
import { predictProbesCall } from './calls/predictProbes.js';
import { tokenizeTextCall } from './calls/tokenizeText.js';
import type { StudioCall } from './studioCall.js';

export const STUDIO_CALLS = {
  inspectModel: inspectModelCall,
  predictProbes: predictProbesCall,
  tokenizeText: tokenizeTextCall,
} as const satisfies Record<string, StudioCall>;

export type StudioCallName = keyof typeof STUDIO_CALLS;
