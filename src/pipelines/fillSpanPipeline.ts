/** `fill-span`: the best fillings of a gap of several word pieces, over `fillSpan`. */
import { z } from 'zod';
import { BOXED } from '../hub/boxedNames.js';
import type { Pipeline, PipelineCall } from './definition.js';
import { MASKED_LANGUAGE_MODELS } from './fillMaskPipeline.js';
import { fillSpan, SPAN_JUDGES, type SpanJudge } from './fillSpan.js';

export interface FillSpanOutput {
  /** The text with the gap filled. */
  readonly text: string;
  /** The word pieces of the gap. */
  readonly tokens: string[];
  /** Mean log-probability of its pieces, nats. */
  readonly score: number;
}

export interface FillSpanTypes {
  readonly alias: never;
  readonly input: string;
  readonly options: {
    /** Pieces of the gap, or their least and most. Default: as many as the text has [MASK] in a row. */
    readonly pieces?: number | readonly [least: number, most: number];
    /** Who judges. Default `both` where the model has a span boundary head, else `mlm`. */
    readonly by?: SpanJudge;
    /** Fillings. Default 5. */
    readonly topK?: number;
  };
  readonly output: FillSpanOutput[];
  readonly call: PipelineCall<string, FillSpanTypes['options'], FillSpanOutput[]>;
}

const pieces = z.number().int().min(1);

export const fillSpanPipeline: Pipeline<FillSpanTypes> = {
  name: 'fill-span',
  aliases: [],
  summary: 'what could stand in a gap of several word pieces',
  wants: MASKED_LANGUAGE_MODELS,
  boxed: BOXED.span,
  input: z.string().describe('a text with one gap, written as [MASK]'),
  options: z.strictObject({
    pieces: z
      .union([pieces, z.tuple([pieces, pieces])])
      .describe('a whole number from 1, or the least and the most')
      .optional(),
    by: z.enum(SPAN_JUDGES).optional(),
    topK: z.number().int().min(1).optional(),
  }),
  output: z.array(z.object({ text: z.string(), tokens: z.array(z.string()), score: z.number() })),
  async load(model) {
    const { fill } = await fillSpan(model);
    const usual: SpanJudge = model.description.spanBoundary ? 'both' : 'mlm';
    return async (texts, { by = usual, ...options }) => {
      const results = await fill(texts, { ...options, by: [by] });
      return results.map(({ fillings }) =>
        fillings[by]!.map(({ text, tokens, scores }) => ({ text, tokens, score: scores[by]! })),
      );
    };
  },
};
