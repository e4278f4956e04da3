/** `replaced-token-detection`, over `replacedTokenDetection`. */
import { z } from 'zod';
import { BOXED } from '../hub/boxedNames.js';
import type { Pipeline, PipelineCall } from './definition.js';
import { type DetectedToken, replacedTokenDetection } from './replacedTokenDetection.js';

export interface ReplacedTokenDetectionTypes {
  readonly alias: never;
  readonly input: string;
  readonly options: Readonly<Record<never, never>>;
  readonly output: DetectedToken[];
  readonly call: PipelineCall<string, ReplacedTokenDetectionTypes['options'], DetectedToken[]>;
}

export const replacedTokenDetectionPipeline: Pipeline<ReplacedTokenDetectionTypes> = {
  name: 'replaced-token-detection',
  aliases: [],
  summary: 'which tokens of a text do not look like the original',
  wants: { architectures: ['ElectraForPreTraining'], roles: ['discriminator'], taskOfUnknown: 'preTraining' },
  boxed: BOXED.pair,
  input: z.string().describe('a text'),
  options: z.strictObject({}),
  output: z.array(z.object({ token: z.string(), start: z.number(), end: z.number(), replaced: z.number() })),
  async load(model) {
    const { detect } = await replacedTokenDetection(model);
    return (texts) => detect(texts);
  },
};
