/** The one table of calls that the Studio's screens make. Adding one is a file in calls/ and a line here. */
import { runPipeline } from './calls/runPipeline.js';
import type { StudioCall } from './studioCall.js';

export const STUDIO_CALLS = {
  runPipeline,
} as const satisfies Record<string, StudioCall>;

export type StudioCallName = keyof typeof STUDIO_CALLS;
