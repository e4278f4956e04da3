/** `proofread`, over `proofread/proofread.ts`. */
import { z } from 'zod';
import { BOXED } from '../../hub/boxedNames.js';
import type { Pipeline, PipelineCall } from '../definition.js';
import { MASKED_LANGUAGE_MODELS } from '../fillMaskPipeline.js';
import { replacedTokenDetectionPipeline } from '../replacedTokenDetectionPipeline.js';
import { calibrationSchema } from './calibration.js';
import { type DoubtfulWord, type ProofreadOptions, proofread } from './proofread.js';

export interface ProofreadTypes {
  readonly alias: never;
  readonly input: string;
  readonly options: ProofreadOptions;
  readonly output: DoubtfulWord[];
  readonly call: PipelineCall<string, ProofreadOptions, DoubtfulWord[]>;
}

export const proofreadPipeline: Pipeline<ProofreadTypes> = {
  name: 'proofread',
  aliases: [],
  summary: 'which words of a text do not belong there, and what would',
  wants: replacedTokenDetectionPipeline.wants,
  partner: MASKED_LANGUAGE_MODELS,
  boxed: BOXED.pair,
  input: z.string().describe('a text'),
  options: z.strictObject({
    falseAlarms: z
      .number()
      .gt(0)
      .lt(1)
      .optional()
      .describe('part of the words of right text that may be marked. Default 0.01'),
    threshold: z.number().min(0).max(1).optional().describe('instead: the doubt from which on a word is marked'),
    topK: z.number().int().min(1).optional().describe('proposals for a word, at most. Default 3'),
    calibration: calibrationSchema.optional().describe("how evidence becomes doubt. Default: the model's own"),
  }),
  output: z.array(
    z.object({
      start: z.number(),
      end: z.number(),
      text: z.string(),
      doubt: z.number(),
      proposals: z.array(z.object({ text: z.string(), score: z.number() })),
    }),
  ),
  async load(model, generator) {
    const { read } = await proofread(model, generator);
    return (texts, options, watch) => read(texts, { ...options, ...watch });
  },
};
