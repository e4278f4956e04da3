/** `fill-mask` as transformers has it, over `fillMask`. */
import { z } from 'zod';
import { BOXED } from '../hub/boxedNames.js';
import type { Pipeline, PipelineCall } from './definition.js';
import { type FillMaskResult, fillMask } from './fillMask.js';
import { filledText } from './maskedText.js';

/** What could stand where a text has one mask. */
export interface FillMaskCandidate {
  /** The word piece, with `##` where it continues a word. */
  readonly token: string;
  readonly id: number;
  /** Probability, 0 to 1, with all other masks still masked. */
  readonly score: number;
  /** The text with this mask filled, and the others as they are. */
  readonly text: string;
  /** UTF-16 offsets of the mask in the original text. */
  readonly start: number;
  readonly end: number;
}

/** Of a text with several masks. */
export interface FillMasksOutput {
  /** Candidates of each mask, in the order of the text, the most probable first. */
  readonly masks: FillMaskCandidate[][];
  /** All masks filled together, the most probable first. */
  readonly fillings: { readonly text: string; readonly tokens: string[]; readonly logProbability: number }[];
}

export interface FillMaskTypes {
  readonly alias: never;
  readonly input: string;
  readonly options: {
    /** Candidates of each mask, and joint fillings. Default 5. */
    readonly topK?: number;
    /** Only these words, each one piece of the vocabulary, with the probabilities that they have among all. */
    readonly targets?: readonly string[];
  };
  /** Candidates of the only mask; of several masks more. */
  readonly output: FillMaskCandidate[] | FillMasksOutput;
  readonly call: PipelineCall<string, FillMaskTypes['options'], FillMaskTypes['output']>;
}

const candidate = z.object({
  token: z.string(),
  id: z.number(),
  score: z.number(),
  text: z.string(),
  start: z.number(),
  end: z.number(),
});

/** What predicts masked tokens, and where a checkpoint may have it. */
export const MASKED_LANGUAGE_MODELS = {
  architectures: ['ElectraForMaskedLM', 'BertForMaskedLM', 'BertForPreTraining'],
  roles: ['generator', 'model'],
  taskOfUnknown: 'maskedLm',
} as const;

export const fillMaskPipeline: Pipeline<FillMaskTypes> = {
  name: 'fill-mask',
  aliases: [],
  summary: 'what could stand where a text has [MASK]',
  wants: MASKED_LANGUAGE_MODELS,
  boxed: BOXED.pair,
  input: z.string().describe('a text with [MASK]'),
  options: z.strictObject({
    topK: z.number().int().min(1).optional(),
    targets: z.array(z.string()).min(1).optional(),
  }),
  output: z.union([
    z.array(candidate),
    z.object({
      masks: z.array(z.array(candidate)),
      fillings: z.array(z.object({ text: z.string(), tokens: z.array(z.string()), logProbability: z.number() })),
    }),
  ]),
  async load(model) {
    const { fill, tokenizer } = await fillMask(model);
    const candidatesOf = ({ text, masks }: FillMaskResult): FillMaskCandidate[][] => {
      const offsets = masks.map(({ start, end }) => [start, end] as const);
      return masks.map(({ start, end, candidates }, mask) =>
        candidates.map(({ token, id, score }) => {
          const ids = masks.map((_, i) => (i === mask ? id : tokenizer.maskId));
          return { token, id, score, text: filledText(tokenizer, { text, offsets }, ids), start, end };
        }),
      );
    };
    return async (texts, options) => {
      const results = await fill(texts, options);
      return results.map((result) => {
        const masks = candidatesOf(result);
        if (masks.length === 1) return masks[0];
        const fillings = result.fillings.map(({ text, tokens, logProbability }) => ({ text, tokens, logProbability }));
        return { masks, fillings };
      });
    };
  },
};
